#include "executor/provider.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "base/time.h"
#include "executor/sim_answer.h"
#include "executor/sim_tools.h"

/*
 * The built-in model: no server, no key, no chance and no clock. It calls tools when it has
 * nothing to read yet and answers with sentences of what it has read.
 */

static rv_result say(struct rv_ctx *cx, const struct llm_conn *conn, const char *text)
{
    for (const char *p = text; *p;) {
        const char *start = p;

        while (*p && isspace((unsigned char)*p))
            p++;
        while (*p && !isspace((unsigned char)*p))
            p++;
        if (conn->is_over && conn->is_over(conn->arg))
            return rv_fail(cx, RV_TIMEOUT, "the step was stopped");
        if (cx->deadline_ms > 0 && conn->delay_ms > 0 && rv_monotonic_ms() >= cx->deadline_ms)
            return rv_fail(cx, RV_TIMEOUT, "the model took too long");
        if (conn->on_delta)
            conn->on_delta(conn->arg, "text", start, (size_t)(p - start), 0);
        if (conn->delay_ms > 0)
            rv_sleep_ms(conn->delay_ms);
    }
    return RV_OK;
}

static int64_t request_tokens(const struct llm_request *request)
{
    int64_t tokens = 0;

    for (size_t i = 0; i < request->n_messages; i++) {
        tokens += 4 + sim_tokens(request->messages[i].content);
        for (size_t j = 0; j < request->messages[i].n_tool_calls; j++)
            tokens += sim_tokens(request->messages[i].tool_calls[j].arguments);
    }
    for (size_t i = 0; i < request->n_tools; i++)
        tokens +=
            sim_tokens(request->tools[i]->description) + sim_tokens(request->tools[i]->parameters);
    return tokens < llm_request_bytes(request) ? tokens : llm_request_bytes(request);
}

static enum rv_status complete(struct rv_ctx *cx, const struct llm_conn *conn,
                               const struct llm_request *request, struct llm_answer *answer,
                               struct llm_failure *failure)
{
    struct sim_reading reading;
    const char *said;
    bool cut = false;

    *failure = (struct llm_failure){ .code = "llm_cut", .retryable = true, .spent = true };
    sim_reading_init(cx, request, &reading);
    *answer = (struct llm_answer){ .finish_reason = "stop", .tokens_in = request_tokens(request) };
    answer->tool_calls = sim_call_tool(cx, request, &reading);
    if (answer->tool_calls) {
        answer->n_tool_calls = 1;
        answer->finish_reason = "tool_calls";
        said = answer->tool_calls[0].arguments;
    } else {
        said = answer->content = sim_answer(cx, request, &reading, &cut);
        answer->finish_reason = cut ? "length" : "stop";
        RV_TRY(cx, say(cx, conn, said));
    }
    answer->tokens_out = sim_tokens(said);
    if (answer->tokens_out > request->max_output_tokens)
        answer->tokens_out = request->max_output_tokens;
    return RV_OK;
}

const struct provider_ops provider_sim = { "sim", complete };
