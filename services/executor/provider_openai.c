#include "executor/provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/time.h"
#include "executor/openai_wire.h"
#include "runtime/sse.h"

/* OpenAI Chat Completions, and the many servers that speak like it. */

enum {
    TRIES = 3,
    BACKOFF_MS = 500,
    BACKOFF_MAX_MS = 8000,
    EVENT_MAX = 1024 * 1024,
    ANSWER_MAX = 8 * 1024 * 1024,
    TOTAL_MS = 600000,
    LOOK_MS = 50
};

/* One exchange: its bytes are events, or one JSON object when the server does not stream. */
struct exchange {
    const struct llm_conn *conn;
    struct rv_sse_reader *reader;
    struct openai_answer answer;
    struct rv_buf whole;
    bool seen, streams, broken;
};

static bool on_event(void *arg, const struct rv_sse_event *event)
{
    struct exchange *exchange = arg;

    if (strcmp(event->data, "[DONE]") == 0) {
        exchange->answer.done = true;
        return true;
    }
    if (event->len > 0 && !openai_add(&exchange->answer, event->data, event->len, exchange->conn))
        exchange->broken = true;
    return !exchange->broken && !exchange->answer.failed;
}

/* The first byte that is no blank tells a JSON object from events. */
static bool on_piece(void *arg, const char *bytes, size_t len)
{
    struct exchange *exchange = arg;
    size_t at = 0;

    if (!exchange->seen) {
        while (at < len && strchr(" \r\n\t", bytes[at]))
            at++;
        if (at == len)
            return true;
        exchange->seen = true;
        exchange->streams = bytes[at] != '{';
    }
    if (exchange->streams)
        return rv_sse_feed(exchange->reader, bytes, len, on_event, exchange);
    rv_buf_add(&exchange->whole, bytes, len);
    return exchange->whole.len < EVENT_MAX;
}

static bool on_look(void *arg)
{
    const struct exchange *exchange = arg;

    return exchange->conn->is_over && exchange->conn->is_over(exchange->conn->arg);
}

static void exchange_release(struct exchange *exchange)
{
    rv_sse_reader_free(exchange->reader);
    rv_buf_release(&exchange->whole);
    openai_release(&exchange->answer);
}

static rv_result fail(struct rv_ctx *cx, struct llm_failure *failure, const char *code,
                      bool retryable, const char *text)
{
    failure->code = code;
    failure->retryable = retryable;
    return rv_fail(cx, retryable ? RV_UNAVAILABLE : RV_INVALID, "the model: %.300s", text);
}

/* clang-format off */
static const struct { const char *word, *code; bool retryable, vague; } words[] = {
    { "insufficient_quota",      "provider_quota",       false, false },
    { "billing",                 "provider_quota",       false, false },
    { "context_length_exceeded", "context_too_long",     false, false },
    { "content_policy",          "content_filter",       false, false },
    { "invalid_api_key",         "llm_unauthenticated",  false, false },
    { "invalid_request_error",   "llm_refused",          false, true  },
    { "rate_limit",              "llm_busy",             true,  true  },
    { "overloaded",              "llm_busy",             true,  true  },
    { "server_error",            "llm_unavailable",      true,  true  },
};
static const struct { int status; const char *code; bool retryable; } statuses[] = {
    { 401, "llm_unauthenticated", false },
    { 402, "provider_quota",      false },
    { 403, "llm_forbidden",       false },
    { 404, "llm_model_unknown",   false },
    { 408, "llm_unavailable",     true  },
    { 409, "llm_unavailable",     true  },
    { 413, "context_too_long",    false },
    { 425, "llm_unavailable",     true  },
    { 429, "llm_busy",            true  },
};
/* clang-format on */

/* What the server's error means: its words first (vague ones only in a stream), then its status. */
static rv_result judge_error(struct rv_ctx *cx, const struct openai_answer *error, int status,
                             struct llm_failure *failure)
{
    const char *text = error->error[0] ? error->error : rv_printf(cx, "status %d", status);

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if ((!words[i].vague || status < 400) &&
            (strstr(error->error_code, words[i].word) || strstr(error->error_type, words[i].word)))
            return fail(cx, failure, words[i].code, words[i].retryable, text);
    if (status < 400 && error->error_code[0])
        status = atoi(error->error_code); /* a number, in a stream */
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        if (statuses[i].status == status)
            return fail(cx, failure, statuses[i].code, statuses[i].retryable, text);
    if (status >= 500 || status < 400)
        return fail(cx, failure, "llm_unavailable", true, text);
    return fail(cx, failure, "llm_refused", false, text);
}

static rv_result judge_status(struct rv_ctx *cx, const struct rv_http_reply *reply,
                              struct llm_failure *failure)
{
    struct openai_answer error = { 0 };
    enum rv_status status;

    if (!openai_add(&error, reply->body ? reply->body : "", reply->len, NULL) || !error.failed)
        snprintf(error.error, sizeof(error.error), "status %d: %.200s", reply->status,
                 reply->body ? reply->body : "");
    failure->retry_after_ms = reply->retry_after_ms;
    status = judge_error(cx, &error, reply->status, failure);
    openai_release(&error);
    return status;
}

/* An answer is whole when the server said why it ended, or that it is done. */
static rv_result judge_answer(struct rv_ctx *cx, struct exchange *exchange,
                              struct llm_failure *failure)
{
    struct openai_answer *answer = &exchange->answer;

    if (!exchange->streams && exchange->whole.len > 0 &&
        !openai_add(answer, exchange->whole.data, exchange->whole.len, exchange->conn))
        exchange->broken = true;
    failure->spent = openai_begun(answer);
    if (answer->failed)
        return judge_error(cx, answer, 200, failure);
    if (exchange->broken)
        return fail(cx, failure, "llm_garbled", true, "what it answered cannot be read");
    if (!answer->done && !answer->finish[0])
        return fail(cx, failure, "llm_cut", true, "the answer was cut off");
    if (answer->content.len == 0 && answer->n_calls == 0 && !answer->finish[0])
        return fail(cx, failure, "llm_cut", true, "the answer is empty");
    return RV_OK;
}

static rv_result judge_transport(struct rv_ctx *cx, const struct exchange *exchange,
                                 const struct rv_http_reply *reply, enum rv_status status,
                                 struct llm_failure *failure)
{
    char text[300];

    snprintf(text, sizeof(text), "%.299s", cx->error.text);
    failure->spent = exchange->seen || reply->maybe_acted; /* nobody knows what it has cost */
    if (status == RV_DENIED)
        return fail(cx, failure, "llm_forbidden", false, text);
    if (exchange->seen)
        return fail(cx, failure, "llm_cut", true, text);
    return fail(cx, failure, "llm_unavailable", rv_status_retry(status), text);
}

static rv_result exchange_do(struct rv_ctx *cx, struct exchange *exchange, const char *body,
                             struct llm_failure *failure)
{
    const struct llm_conn *conn = exchange->conn;
    const char *key = conn->api_key && *conn->api_key
                          ? rv_printf(cx, "Authorization: Bearer %s", conn->api_key)
                          : NULL;
    const char *headers[] = { "Content-Type: application/json",
                              "Accept: text/event-stream, application/json", key, NULL };
    int64_t left_ms = cx->deadline_ms > 0 ? cx->deadline_ms - rv_monotonic_ms() : TOTAL_MS;
    struct rv_http_call call = {
        .method = "POST",
        .url = rv_printf(cx, "%s/chat/completions", conn->base_url),
        .headers = headers,
        .body = { (const uint8_t *)body, strlen(body) },
        .total_ms = left_ms < 1          ? 1
                    : left_ms < TOTAL_MS ? left_ms
                                         : TOTAL_MS,
        .limit_bytes = ANSWER_MAX,
        .piece = on_piece,
        .cancelled = on_look,
        .arg = exchange,
    };
    struct rv_http_reply reply = { 0 };
    enum rv_status status = rv_http_do(cx, conn->http, &call, &reply);

    if (status != RV_OK)
        return judge_transport(cx, exchange, &reply, status, failure);
    if (reply.status >= 400)
        return judge_status(cx, &reply, failure);
    return judge_answer(cx, exchange, failure);
}

static rv_result ask_once(struct rv_ctx *cx, const struct llm_conn *conn,
                          const struct llm_request *request, bool old_limit,
                          struct llm_answer *answer, struct llm_failure *failure)
{
    struct exchange exchange = { .conn = conn, .reader = rv_sse_reader_new(EVENT_MAX) };
    enum rv_status status;

    *failure = (struct llm_failure){ 0 };
    status = exchange_do(cx, &exchange, openai_request(cx, request, old_limit), failure);
    if (status == RV_OK)
        openai_finish(cx, &exchange.answer, request, answer);
    exchange_release(&exchange);
    return status;
}

/* Half a second, doubling, a quarter of it by chance; or what the server asked for. */
static int64_t delay_ms(const struct llm_failure *failure, int tries)
{
    static _Thread_local unsigned seed;
    int64_t ms = BACKOFF_MS << (tries < 5 ? tries : 5);

    if (failure->retry_after_ms > 0)
        return failure->retry_after_ms;
    if (!seed)
        seed = (unsigned)rv_monotonic_ns();
    ms = ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
    return ms - ms * (rand_r(&seed) % 25) / 100;
}

/* False when there is no time for it. */
static bool wait_for(const struct rv_ctx *cx, const struct llm_conn *conn, int64_t ms)
{
    int64_t until_ms = rv_monotonic_ms() + ms;

    if (cx->deadline_ms > 0 && until_ms >= cx->deadline_ms)
        return false;
    while (rv_monotonic_ms() < until_ms) {
        if (conn->is_over && conn->is_over(conn->arg))
            return false;
        rv_sleep_ms(ms < LOOK_MS ? ms : LOOK_MS);
    }
    return true;
}

static enum rv_status complete(struct rv_ctx *cx, const struct llm_conn *conn,
                               const struct llm_request *request, struct llm_answer *answer,
                               struct llm_failure *failure)
{
    bool old_limit = false;

    for (int tries = 0;; tries++) {
        enum rv_status status = ask_once(cx, conn, request, old_limit, answer, failure);

        if (status == RV_OK)
            return RV_OK;
        if (!old_limit && strstr(cx->error.text, "max_completion_tokens")) {
            old_limit = true; /* an older server */
            continue;
        }
        if (!failure->retryable || failure->spent || tries + 1 >= TRIES ||
            !wait_for(cx, conn, delay_ms(failure, tries)))
            return status;
    }
}

const struct provider_ops provider_openai = { "openai", complete };
