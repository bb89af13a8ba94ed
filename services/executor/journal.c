#include "executor/journal.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "contract/subjects.h"
#include "runtime/failpoint.h"

enum { SHOWN_MAX = 4096, AGAIN_MS = 200 };

/* Any of them may have been lost on its way, not the last one only. Twice is once. */
static void settle_again(struct rv_ctx *cx, struct work *work)
{
    struct settle_ask *asks = rv_new_array(cx, struct settle_ask, work->n_calls);
    size_t n = 0;

    for (size_t i = 0; i < work->n_calls; i++) {
        const struct task_call *call = &work->calls[i];

        if (call->kind == CALL_LLM)
            asks[n++] = (struct settle_ask){ .tenant_id = work->job->claimed.tenant_id,
                                             .hold_id = call->hold_id,
                                             .tokens_in = call->tokens_in,
                                             .tokens_cached = call->tokens_cached,
                                             .tokens_out = call->tokens_out };
    }
    if (n > 0 && rv_bus_tell(cx, work->executor->bus, &SUBJ_BUDGET_SETTLE, asks, n) != RV_OK) {
        rv_log_failure(cx, "holds are not settled again", work->job->claimed.run_id);
        cx->error = (struct rv_error){ 0 };
    }
}

/* Whether @page goes on, without a gap, after the calls that are there. */
static bool goes_on(const struct work *work, const struct journal *page)
{
    for (size_t i = 0; i < page->n_calls; i++)
        if (page->calls[i].call_no != (int64_t)(work->n_calls + i + 1))
            return false;
    return page->n_calls > 0;
}

/* As many as one answer has room for, after those that are there. */
static rv_result read_page(struct rv_ctx *cx, struct work *work)
{
    const struct task_claimed *claimed = &work->job->claimed;
    struct journal_ask ask = { claimed->tenant_id, claimed->run_id, claimed->task_no,
                               (int64_t)work->n_calls };
    struct journal page = { 0 };
    struct task_call *calls;

    RV_TRY(cx, rv_bus_ask(cx, work->executor->bus, &SUBJ_JOURNAL_GET, &ask, &page,
                          work->executor->config.ask_timeout_ms));
    if (!goes_on(work, &page))
        return step_fails(cx, work, "journal_broken", false, "call %zu is not recorded",
                          work->n_calls + 1);
    calls = rv_new_array(cx, struct task_call, work->n_calls + page.n_calls);
    if (work->n_calls > 0)
        memcpy(calls, work->calls, work->n_calls * sizeof(*calls));
    memcpy(calls + work->n_calls, page.calls, page.n_calls * sizeof(*calls));
    work->calls = calls;
    work->n_calls += page.n_calls;
    return RV_OK;
}

rv_result journal_open(struct rv_ctx *cx, struct work *work)
{
    while ((int64_t)work->n_calls < work->job->claimed.calls)
        RV_TRY(cx, read_page(cx, work));
    if (work->n_calls > 0)
        settle_again(cx, work);
    return RV_OK;
}

rv_result journal_next(struct rv_ctx *cx, struct work *work, enum call_kind kind,
                       const struct task_call **call)
{
    *call = NULL;
    work->call_no++;
    if (work->read == work->n_calls)
        return RV_OK;
    *call = &work->calls[work->read++];
    if ((*call)->kind != kind)
        return step_fails(cx, work, "journal_broken", false, "call %lld was a %s call",
                          (long long)work->call_no,
                          rv_enum_word(&call_kind_enum, (int)(*call)->kind));
    return RV_OK;
}

/* Something for people: JSON as it is when it is short, else the beginning of it as a text. */
static const char *shown(struct rv_ctx *cx, const char *json)
{
    auto_buf text = { 0 };

    if (!json || strlen(json) <= SHOWN_MAX)
        return json;
    rv_buf_json(&text, rv_strndup(cx, json, rv_utf8_cut(json, strlen(json), SHOWN_MAX / 2)));
    return rv_strndup(cx, text.data, text.len);
}

static rv_result fill(struct rv_ctx *cx, const struct work *work, const struct made_call *call,
                      struct task_call *out)
{
    const struct task_claimed *claimed = &work->job->claimed;

    *out = (struct task_call){
        .tenant_id = claimed->tenant_id,
        .run_id = claimed->run_id,
        .task_no = claimed->task_no,
        .fence = claimed->fence,
        .call_no = call->permit->call_no,
        .kind = call->kind,
        .name = call->name,
        .provider = call->provider,
        .request = shown(cx, call->request),
        .response = shown(cx, call->response),
        .ok = !call->error,
        .error = call->error,
        .cost_microusd = govern_cost(call->permit, &call->used),
        .tokens_in = call->used.tokens_in,
        .tokens_cached = call->used.tokens_cached,
        .tokens_out = call->used.tokens_out,
        .decision_id = call->permit->decision_id,
        .hold_id = call->permit->hold_id,
        .started_at_ms = call->started_at_ms,
        .took_ms = call->took_ms,
    };
    return rv_msgpack_write(cx, call->frame, &out->frame);
}

static rv_result told(struct rv_ctx *cx, struct work *work, enum report_verdict verdict)
{
    switch (verdict) {
    case REPORT_RECORDED:
        return RV_OK;
    case REPORT_CANCEL:
        job_stop(work->job, JOB_CANCELLED);
        return rv_fail(cx, RV_TIMEOUT, "the run is cancelled");
    case REPORT_STALE:
        break;
    }
    job_stop(work->job, JOB_LOST);
    return rv_fail(cx, RV_TIMEOUT, "the task is somebody else's by now");
}

/* Nobody waits for us any longer: the next attempt makes the call again. */
static bool is_drained(const struct executor *executor)
{
    return atomic_load(&executor->stopping) &&
           rv_monotonic_ms() >= atomic_load(&executor->drained_at_ms);
}

/* The call is made and paid: only the end of the lease ends the trying, or that of this process. */
static rv_result record(struct rv_ctx *cx, struct work *work, const struct task_call *call)
{
    struct task_recorded answer = { 0 };
    enum rv_status status;

    for (;;) {
        status = rv_bus_ask_many(cx, work->executor->bus, &SUBJ_TASK_RECORD, call, 1, &answer,
                                 work->executor->config.ask_timeout_ms);
        if (status == RV_OK)
            return told(cx, work, answer.verdict);
        if (!rv_status_retry(status) || job_lease_left_ms(work->job) <= AGAIN_MS ||
            job_stopped(work->job) == JOB_LOST || is_drained(work->executor))
            return status;
        rv_sleep_ms(AGAIN_MS);
    }
}

/* A tool's hold is of nothing, so nobody waits for its end. */
static void settle(struct rv_ctx *cx, struct work *work, const struct made_call *call)
{
    if (call->kind == CALL_LLM)
        govern_settle(cx, work, call->permit->hold_id, &call->used);
    else
        govern_tell_settled(cx, work, call->permit->hold_id, &call->used);
}

rv_result journal_add(struct rv_ctx *cx, struct work *work, const struct made_call *call)
{
    int64_t deadline_ms = cx->deadline_ms;
    struct task_call recorded;
    enum rv_status status;

    RV_TRY(cx, fill(cx, work, call, &recorded));
    RV_TRY(cx, rv_failpoint(cx, "executor.record.before"));
    cx->deadline_ms = 0;
    status = recorded.frame.len > JOURNAL_PAGE_BYTES
                 ? step_fails(cx, work, "call_too_large", false,
                              "what came of call %lld is larger than 700 KiB",
                              (long long)recorded.call_no)
                 : record(cx, work, &recorded);
    cx->deadline_ms = deadline_ms;
    settle(cx, work, call); /* also of a call that is no longer ours: its money is gone */
    RV_TRY(cx, status);
    return rv_failpoint(cx, "executor.record.after");
}
