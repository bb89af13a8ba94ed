#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "base/time.h"
#include "executor/http_act.h"

/* A step that is one HTTP request. */

enum { HTTP_TIMEOUT_MS = 30000 };

static rv_result render(struct rv_ctx *cx, struct work *work, struct http_ask *ask)
{
    const struct http_spec *spec = work->node->http;
    char *method = rv_strdup(cx, spec->method ? spec->method : "GET");

    for (char *c = method; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    *ask = (struct http_ask){
        .method = method,
        .parse = spec->parse,
        .effect = http_reads(method) ? EFFECT_READ : EFFECT_WRITE,
        .timeout_ms = work->node->timeout_ms > 0 ? work->node->timeout_ms : HTTP_TIMEOUT_MS,
        .key = http_key(cx, work, 1),
    };
    RV_TRY(cx, step_facts(cx, work));
    RV_TRY(cx, expr_text(cx, &work->expr, "http.url", spec->url, &ask->url));
    RV_TRY(cx, expr_json(cx, &work->expr, "http.headers", spec->headers, &ask->headers));
    return expr_json(cx, &work->expr, "http.body", spec->body, &ask->body);
}

static rv_result permitted(struct rv_ctx *cx, struct work *work, const struct http_ask *ask,
                           struct permit *permit)
{
    struct govern_ask govern = {
        .subject = ABOUT_TOOL,
        .call_no = work->call_no,
        .tool = "http",
        .tool_effect = rv_enum_word(&tool_effect_enum, (int)ask->effect),
    };

    RV_TRY(cx, govern_call(cx, work, &govern, permit));
    if (permit->denied)
        return step_fails(cx, work, "policy_denied", false, "denied by policy: %s", permit->reason);
    return RV_OK;
}

/* What came, as the step's output or failure. */
static rv_result conclude(struct rv_ctx *cx, struct work *work, const struct http_got *got)
{
    work->retry_after_ms = got->retry_after_ms;
    if (got->status == 0)
        return step_fails(cx, work, got->code ? got->code : "http_failed", got->retryable, "%s",
                          got->failure ? got->failure : "no answer");
    if (got->status >= 400)
        return step_fails(cx, work, "http_status", got->retryable,
                          "the server answered %lld: %.200s", (long long)got->status, got->body);
    if (http_got_json(cx, got, work->node->http->parse, &work->output) != RV_OK)
        return step_fails(cx, work, "http_parse", false, "%s", rv_strdup(cx, cx->error.text));
    return RV_OK;
}

/* A call that is worth another attempt is not recorded: the next attempt makes it again. */
static rv_result make(struct rv_ctx *cx, struct work *work, struct http_got *got)
{
    static const struct used nothing = { .released = true };
    struct permit permit = { 0 };
    struct made_call made;
    struct http_ask ask;
    int64_t start_ms;
    enum rv_status status;

    RV_TRY(cx, render(cx, work, &ask));
    RV_TRY(cx, permitted(cx, work, &ask, &permit));
    made = (struct made_call){ .kind = CALL_TOOL,
                               .name = "http",
                               .permit = &permit,
                               .frame = rv_in(http_got, got),
                               .request = http_shown(cx, &ask),
                               .started_at_ms = rv_now_ms() };
    start_ms = rv_monotonic_ms();
    status = http_act(cx, work, &ask, got);
    made.took_ms = rv_monotonic_ms() - start_ms;
    if (status != RV_OK || (got->retryable && (got->status == 0 || got->status >= 400))) {
        govern_tell_settled(cx, work, permit.hold_id, &nothing);
        return status;
    }
    if (got->status == 0 || got->status >= 400)
        made.error =
            got->failure ? got->failure : rv_printf(cx, "status %lld", (long long)got->status);
    if (http_got_json(cx, got, FORMAT_TEXT, &made.response) != RV_OK)
        made.response = NULL;
    return journal_add(cx, work, &made);
}

rv_result step_http(struct rv_ctx *cx, struct work *work)
{
    const struct task_call *recorded;
    struct http_got got = { 0 };

    RV_TRY(cx, journal_open(cx, work));
    RV_TRY(cx, journal_next(cx, work, CALL_TOOL, &recorded));
    if (recorded)
        RV_TRY(cx, rv_msgpack_read(cx, recorded->frame, rv_out(http_got, &got)));
    else
        RV_TRY(cx, make(cx, work, &got));
    return conclude(cx, work, &got);
}
