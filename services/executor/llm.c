#include "executor/llm.h"

#include <string.h>

#include "base/text.h"
#include "base/time.h"
#include "executor/live.h"
#include "executor/slots.h"
#include "runtime/failpoint.h"

enum { TRIES = 3, OUTPUT_TOKENS = 1024 };

static const char sim_model[] = "extract-1";

static bool names_sim(const char *model)
{
    return strcmp(model, sim_model) == 0 || rv_text_starts(model, "sim/");
}

rv_result talk_open(struct rv_ctx *cx, struct work *work, const char *model, struct talk *talk)
{
    const struct executor_config *config = &work->executor->config;
    bool remote = *config->llm_base_url != '\0';
    bool fallback = !model || strcmp(model, "default") == 0;

    *talk = (struct talk){ .conn = { .http = work->slot->llm_http,
                                     .base_url = config->llm_base_url,
                                     .api_key = config->llm_api_key,
                                     .delay_ms = config->sim_delay_ms } };
    if (!fallback && names_sim(model)) {
        talk->ops = &provider_sim;
        talk->request.model = sim_model;
    } else if (remote) {
        talk->ops = &provider_openai;
        talk->request.model = fallback ? config->llm_model : model;
    } else if (fallback) {
        talk->ops = &provider_sim;
        talk->request.model = sim_model;
    } else {
        return step_fails(cx, work, "model_unknown", false,
                          "no provider is set up for the model %s", model);
    }
    return RV_OK;
}

void talk_add(struct rv_ctx *cx, struct talk *talk, struct llm_message message)
{
    if (talk->request.n_messages == talk->room) {
        struct llm_message *messages;

        talk->room = talk->room ? talk->room * 2 : 16;
        messages = rv_new_array(cx, struct llm_message, talk->room);
        if (talk->request.n_messages > 0)
            memcpy(messages, talk->messages, talk->request.n_messages * sizeof(*messages));
        talk->messages = messages;
        talk->request.messages = messages;
    }
    talk->messages[talk->request.n_messages++] = message;
}

static bool is_over(void *arg)
{
    const struct live *live = arg;

    return job_stopped(live->work->job) != JOB_GOES_ON;
}

static void on_delta(void *arg, const char *kind, const char *text, size_t len, int64_t index)
{
    live_add(arg, kind, text, len, index);
}

static rv_result permitted(struct rv_ctx *cx, struct work *work, const struct talk *talk,
                           struct permit *permit)
{
    struct govern_ask ask = {
        .subject = ABOUT_MODEL,
        .call_no = work->call_no,
        .agent = talk->agent,
        .model = talk->request.model,
        .provider = talk->ops->name,
        .tokens_in = llm_request_bytes(&talk->request),
        .tokens_out = talk->request.max_output_tokens,
    };

    RV_TRY(cx, govern_call(cx, work, &ask, permit));
    if (permit->denied)
        return step_fails(cx, work, "policy_denied", false, "denied by policy: %s", permit->reason);
    return RV_OK;
}

/* The call itself, under a permit. */
static rv_result make(struct rv_ctx *cx, struct work *work, const struct talk *talk,
                      struct llm_answer *answer, struct llm_failure *failure)
{
    struct live live = { .work = work };
    struct llm_conn conn = talk->conn;
    enum rv_status status;

    conn.is_over = is_over;
    conn.on_delta = on_delta;
    conn.arg = &live;
    RV_TRY(cx, step_may_act(cx, work));
    RV_TRY(cx, rv_failpoint(cx, "executor.call.before"));
    executor_count(work->executor, METRIC_LLM_CALLS, 1);
    status = talk->ops->complete(cx, &conn, &talk->request, answer, failure);
    live_end(&live);
    RV_TRY(cx, status);
    failure->spent = true; /* from here on it has cost something, whatever comes */
    return rv_failpoint(cx, "executor.call.after");
}

static const char *request_shown(struct rv_ctx *cx, const struct talk *talk)
{
    const struct llm_request *request = &talk->request;
    const struct llm_message *last = &request->messages[request->n_messages - 1];
    auto_buf text = { 0 };

    rv_buf_printf(&text, "{\"messages\":%zu,\"tools\":%zu,\"last\":{\"role\":", request->n_messages,
                  request->n_tools);
    rv_buf_json(&text, last->role);
    rv_buf_text(&text, ",\"content\":");
    rv_buf_json(&text, last->content ? last->content : "");
    rv_buf_text(&text, "}}");
    return rv_strndup(cx, text.data, text.len);
}

static const char *answer_shown(struct rv_ctx *cx, const struct llm_answer *answer)
{
    auto_buf text = { 0 };

    rv_buf_text(&text, "{\"content\":");
    rv_buf_json(&text, answer->content ? answer->content : "");
    rv_buf_text(&text, ",\"tool_calls\":[");
    for (size_t i = 0; i < answer->n_tool_calls; i++) {
        rv_buf_text(&text, i > 0 ? ",{\"name\":" : "{\"name\":");
        rv_buf_json(&text, answer->tool_calls[i].name);
        rv_buf_text(&text, ",\"arguments\":");
        rv_buf_json(&text, answer->tool_calls[i].arguments);
        rv_buf_char(&text, '}');
    }
    rv_buf_printf(&text, "],\"finish_reason\":\"%s\",\"estimated\":%s}", answer->finish_reason,
                  answer->estimated ? "true" : "false");
    return rv_strndup(cx, text.data, text.len);
}

static rv_result keep(struct rv_ctx *cx, struct work *work, const struct talk *talk,
                      const struct permit *permit, const struct llm_answer *answer,
                      int64_t start_ms, int64_t started_at_ms)
{
    struct made_call made = {
        .kind = CALL_LLM,
        .name = talk->request.model,
        .provider = talk->ops->name,
        .permit = permit,
        .frame = rv_in(llm_answer, answer),
        .request = request_shown(cx, talk),
        .response = answer_shown(cx, answer),
        .used = { answer->tokens_in, answer->tokens_cached, answer->tokens_out, false, false },
        .started_at_ms = started_at_ms,
        .took_ms = rv_monotonic_ms() - start_ms,
    };

    return journal_add(cx, work, &made);
}

/* One permit, one call; what it used is settled either way. */
static rv_result call_once(struct rv_ctx *cx, struct work *work, const struct talk *talk,
                           struct llm_answer *answer, struct llm_failure *failure)
{
    int64_t started_at_ms = rv_now_ms(), start_ms = rv_monotonic_ms();
    struct permit permit = { 0 };
    enum rv_status status;

    *failure = (struct llm_failure){ 0 };
    RV_TRY(cx, permitted(cx, work, talk, &permit));
    status = make(cx, work, talk, answer, failure);
    if (status == RV_OK)
        return keep(cx, work, talk, &permit, answer, start_ms, started_at_ms);
    govern_settle(cx, work, permit.hold_id,
                  &(struct used){ .unconfirmed = failure->spent, .released = !failure->spent });
    return status;
}

static rv_result call_with_tries(struct rv_ctx *cx, struct work *work, const struct talk *talk,
                                 struct llm_answer *answer)
{
    for (int tries = 1;; tries++) {
        struct llm_failure failure;
        enum rv_status status = call_once(cx, work, talk, answer, &failure);

        if (status == RV_OK || step_is_over(work) || !failure.code || work->code)
            return status;
        if (failure.retryable && failure.spent && tries < TRIES)
            continue; /* a turn that was cut is done again as a whole */
        work->retry_after_ms = failure.retry_after_ms;
        return step_fails(cx, work, failure.code, failure.retryable, "%s",
                          rv_strdup(cx, cx->error.text));
    }
}

rv_result talk_turn(struct rv_ctx *cx, struct work *work, struct talk *talk,
                    struct llm_answer *answer)
{
    const struct task_call *recorded;

    if (talk->request.max_output_tokens <= 0)
        talk->request.max_output_tokens = OUTPUT_TOKENS;
    RV_TRY(cx, journal_next(cx, work, CALL_LLM, &recorded));
    if (recorded)
        RV_TRY(cx, rv_msgpack_read(cx, recorded->frame, rv_out(llm_answer, answer)));
    else
        RV_TRY(cx, call_with_tries(cx, work, talk, answer));
    if (rv_text_same(answer->finish_reason, "content_filter"))
        return step_fails(cx, work, "content_filter", false, "the model refused to answer");
    return RV_OK;
}
