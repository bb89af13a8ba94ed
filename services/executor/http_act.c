#include "executor/http_act.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/time.h"
#include "executor/slots.h"
#include "runtime/failpoint.h"

enum { HEADERS_MAX = 40, BODY_MAX = 256 * 1024 };

/* clang-format off */
static const struct rv_field http_got_fields[] = {
    RV_INT(http_got,  status, 0),
    RV_TEXT(http_got, content_type, 0),
    RV_TEXT(http_got, body, 0),
    RV_TEXT(http_got, code, 0),
    RV_TEXT(http_got, failure, 0),
    RV_BOOL(http_got, retryable, 0),
    RV_INT(http_got,  retry_after_ms, 0),
    RV_TEXT(http_got, tool_call_id, 0),
};
RV_RECORD(http_got, http_got_fields);
/* clang-format on */

const char *http_key(struct rv_ctx *cx, const struct work *work, int64_t call_no)
{
    const struct task_claimed *claimed = &work->job->claimed;

    return rv_printf(cx, "reeve-%s-%lld-%lld", claimed->run_id, (long long)claimed->task_no,
                     (long long)call_no);
}

bool http_reads(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

struct headers {
    const char *lines[HEADERS_MAX + 4];
    size_t n;
    bool has_key, has_type;
};

static bool is_header_text(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' && *text != '\t')
            return false;
    return true;
}

static rv_result add_headers(struct rv_ctx *cx, struct headers *headers, json_t *given)
{
    const char *name;
    json_t *value;

    json_object_foreach(given, name, value)
    {
        const char *text =
            json_is_string(value) ? json_string_value(value) : rv_json_text(cx, value);

        if (headers->n == HEADERS_MAX || !is_header_text(text) || !is_header_text(name) ||
            strchr(name, ':'))
            return rv_fail(cx, RV_UNPROCESSABLE, "header %.60s cannot be sent", name);
        headers->has_key |= strcasecmp(name, "Idempotency-Key") == 0;
        headers->has_type |= strcasecmp(name, "Content-Type") == 0;
        headers->lines[headers->n++] = rv_printf(cx, "%s: %s", name, text);
    }
    return RV_OK;
}

static void set_body(struct rv_ctx *cx, const struct http_ask *ask, struct headers *headers,
                     struct rv_http_call *call)
{
    const char *text;

    if (!ask->body || json_is_null(ask->body))
        return;
    text = json_is_string(ask->body) ? json_string_value(ask->body) : rv_json_text(cx, ask->body);
    call->body = (struct rv_bytes){ (const uint8_t *)text, strlen(text) };
    if (!headers->has_type)
        headers->lines[headers->n++] = json_is_string(ask->body)
                                           ? "Content-Type: text/plain; charset=utf-8"
                                           : "Content-Type: application/json";
}

const char *http_clean(struct rv_ctx *cx, const char *bytes, size_t len)
{
    auto_buf text = { 0 };

    if (rv_utf8_ok(bytes, len) && !memchr(bytes, '\0', len))
        return rv_strndup(cx, bytes, len);
    for (size_t i = 0; i < len;) {
        size_t n = bytes[i] ? rv_utf8_next(bytes + i, len - i, NULL) : 0;

        rv_buf_add(&text, n ? bytes + i : "\xef\xbf\xbd", n ? n : 3);
        i += n ? n : 1;
    }
    return rv_strndup(cx, text.data ? text.data : "", text.len);
}

static bool is_retryable_status(int status)
{
    return status == 408 || status == 425 || status == 429 || status >= 500;
}

static void fill_reply(struct rv_ctx *cx, const struct rv_http_reply *reply, struct http_got *got)
{
    got->status = reply->status;
    got->content_type = http_clean(cx, reply->content_type ? reply->content_type : "",
                                   reply->content_type ? strlen(reply->content_type) : 0);
    got->body = http_clean(cx, reply->body ? reply->body : "", reply->body ? reply->len : 0);
    got->retryable = is_retryable_status(reply->status);
    got->retry_after_ms = reply->retry_after_ms;
}

/*
 * Nothing came: the other side may have acted all the same. That is tried again only if once more
 * is no harm: a read, or a write with a key.
 */
static void fill_failure(struct rv_ctx *cx, const struct http_ask *ask,
                         const struct rv_http_reply *reply, enum rv_status status, bool has_key,
                         struct http_got *got)
{
    got->failure = http_clean(cx, cx->error.text, strlen(cx->error.text));
    got->retryable =
        rv_status_retry(status) && (!reply->maybe_acted || ask->effect == EFFECT_READ || has_key);
    got->code = status == RV_DENIED        ? "http_denied"
                : status == RV_TOO_LARGE   ? "http_too_large"
                : !rv_status_retry(status) ? "http_failed"
                : got->retryable           ? "http_unavailable"
                                           : "http_unknown_outcome";
}

static rv_result do_call(struct rv_ctx *cx, struct work *work, const struct http_ask *ask,
                         struct rv_http_call *call, bool has_key, struct http_got *got)
{
    struct rv_http_reply reply = { 0 };
    enum rv_status status;

    RV_TRY(cx, step_may_act(cx, work));
    RV_TRY(cx, rv_failpoint(cx, "executor.call.before"));
    executor_count(work->executor, METRIC_TOOL_CALLS, 1);
    status = rv_http_do(cx, work->slot->http, call, &reply);
    RV_TRY(cx, rv_failpoint(cx, "executor.call.after"));
    if (status == RV_OK)
        fill_reply(cx, &reply, got);
    else if (step_is_over(work))
        return status;
    else
        fill_failure(cx, ask, &reply, status, has_key, got);
    return RV_OK;
}

rv_result http_act(struct rv_ctx *cx, struct work *work, const struct http_ask *ask,
                   struct http_got *got)
{
    int64_t left_ms = cx->deadline_ms > 0 ? cx->deadline_ms - rv_monotonic_ms() : ask->timeout_ms;
    struct headers headers = { 0 };
    struct rv_http_call call = {
        .method = ask->method,
        .url = ask->url,
        .headers = headers.lines,
        .total_ms = left_ms < ask->timeout_ms ? left_ms : ask->timeout_ms,
        .limit_bytes = BODY_MAX,
        .cancelled = step_is_over,
        .arg = work,
    };

    if (left_ms <= 0)
        return rv_fail(cx, RV_TIMEOUT, "the step took too long");
    RV_TRY(cx, add_headers(cx, &headers, ask->headers));
    set_body(cx, ask, &headers, &call);
    if (!http_reads(ask->method) && !headers.has_key) {
        headers.lines[headers.n++] = rv_printf(cx, "Idempotency-Key: %s", ask->key);
        headers.has_key = true;
    }
    return do_call(cx, work, ask, &call, headers.has_key, got);
}

rv_result http_got_json(struct rv_ctx *cx, const struct http_got *got, enum output_format parse,
                        const char **json)
{
    json_error_t error;
    json_t *body = NULL;
    auto_buf text = { 0 };

    if (parse == FORMAT_JSON) {
        body = rv_json_own(cx, rv_json_load(got->body, strlen(got->body), &error));
        if (!body)
            return rv_fail(cx, RV_INVALID, "the body is not JSON at line %d: %s", error.line,
                           error.text);
    }
    rv_buf_printf(&text, "{\"status\":%lld,\"content_type\":", (long long)got->status);
    rv_buf_json(&text, got->content_type ? got->content_type : "");
    rv_buf_text(&text, ",\"body\":");
    if (body)
        rv_json_add(&text, body);
    else
        rv_buf_json(&text, got->body ? got->body : "");
    rv_buf_char(&text, '}');
    *json = rv_strndup(cx, text.data, text.len);
    return RV_OK;
}

const char *http_shown(struct rv_ctx *cx, const struct http_ask *ask)
{
    auto_buf text = { 0 };

    rv_buf_text(&text, "{\"method\":");
    rv_buf_json(&text, ask->method);
    rv_buf_text(&text, ",\"url\":");
    rv_buf_json(&text, ask->url);
    if (ask->body) {
        rv_buf_text(&text, ",\"body\":");
        rv_json_add(&text, ask->body);
    }
    rv_buf_char(&text, '}');
    return rv_strndup(cx, text.data, text.len);
}
