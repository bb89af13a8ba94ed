#include "run_answer.h"

#include <stdio.h>
#include <string.h>

#include "asks.h"
#include "base/buf.h"
#include "base/id.h"
#include "base/text.h"
#include "store/sql.h"

rv_result run_read(struct rv_ctx *cx, const char *tenant_id, const char *key_project,
                   const char *run_id, struct run *run)
{
    struct ask ask = { .tenant_id = tenant_id, .key_project = key_project, .id = run_id };
    struct rv_rows rows;

    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_RUN_GET, ask_in(run_ref, &ask), &run_record, &rows));
    if (rows.n == 0)
        return rv_fail(cx, RV_NOT_FOUND, "no such run");
    *run = *(const struct run *)rows.items;
    return RV_OK;
}

static void add_text(struct rv_buf *json, const char *name, const char *text)
{
    if (!text)
        return;
    rv_buf_printf(json, "%s\"%s\":", json->data[json->len - 1] == '{' ? "" : ",", name);
    rv_buf_json(json, text);
}

/* Why not, as an object that goes beside the message. */
static const char *decision_of(struct rv_ctx *cx, const struct run_answer *answer)
{
    auto_buf json = { 0 };

    rv_buf_text(&json, "{");
    add_text(&json, "run_id", answer->run_id);
    rv_buf_text(&json, ",\"decision\":{");
    add_text(&json, "decision_id", answer->decision_id);
    add_text(&json, "effect", "deny");
    add_text(&json, "policy", answer->policy);
    add_text(&json, "rule", answer->rule);
    add_text(&json, "reason", answer->reason);
    rv_buf_text(&json, "}}");
    return rv_strndup(cx, json.data, json.len);
}

static const char *rest_of(struct rv_ctx *cx, const struct run_answer *answer, bool known)
{
    auto_buf json = { 0 };

    rv_buf_text(&json, "{");
    add_text(&json, "run_id", answer->run_id);
    add_text(&json, "budget", answer->budget);
    if (known)
        rv_buf_printf(&json, ",\"left_microusd\":%lld,\"left_tokens\":%lld",
                      (long long)answer->left_microusd, (long long)answer->left_tokens);
    rv_buf_char(&json, '}');
    return rv_strndup(cx, json.data, json.len);
}

static rv_result deny(struct rv_ctx *cx, const struct planned *planned,
                      const struct run_answer *answer)
{
    rv_wrong(cx, planned->agent ? "agent" : "workflow", "%s",
             answer->reason ? answer->reason : "is denied by a policy");
    if (rv_refuse(cx) == RV_OK)
        return RV_OK;
    snprintf(cx->error.text, sizeof(cx->error.text), "%s",
             answer->reason ? answer->reason : "a policy denies this run");
    cx->error.status = RV_DENIED;
    cx->error.reason = decision_of(cx, answer);
    return RV_DENIED;
}

static rv_result over_budget(struct rv_ctx *cx, const struct run_answer *answer, bool known)
{
    rv_fail(cx, RV_OVER_BUDGET, "%s",
            answer->reason ? answer->reason : "the budget does not cover this run");
    cx->error.hint = "ask for less with limits.cost_microusd, or raise the budget";
    cx->error.reason = rest_of(cx, answer, known);
    return RV_OVER_BUDGET;
}

static void accept(struct rv_ctx *cx, struct call *call, struct run *view)
{
    view->state = RUN_PENDING;
    view->phase = view->approval_id ? PHASE_AWAITING_APPROVAL : PHASE_QUEUED;
    view->created_at_ms = rv_id_time_ms(view->run_id);
    view->tasks_open = view->tasks_total;
    call->location = rv_printf(cx, "/v1/runs/%s", view->run_id);
}

static void accept_new(struct rv_ctx *cx, struct call *call, const struct planned *planned,
                       const struct run_ask *ask, const struct run_answer *answer, struct run *view)
{
    *view = (struct run){
        .run_id = answer->run_id ? answer->run_id : ask->run_id,
        .project_id = ask->project_id,
        .plan_id = ask->plan_id,
        .name = planned->name,
        .priority = ask->priority,
        .labels = ask->labels,
        .decision_id = answer->decision_id,
        .approval_id = answer->approval_id,
        .tasks_total = planned->n_tasks,
        .created_by = ask->created_by,
        .trace_id = ask->trace_id,
    };
    accept(cx, call, view);
}

/* What a run that was refused at once looks like: it never waited for anybody. */
static bool was_refused(const struct run *run, enum run_phase phase)
{
    return run->state == RUN_FAILED && run->phase == phase && !run->started_at_ms &&
           !run->approval_id;
}

static rv_result reason_of(struct rv_ctx *cx, const struct call *call, const struct run *run,
                           struct run_answer *answer)
{
    struct decision wanted = { .tenant_id = call->caller->tenant_id,
                               .decision_id = run->decision_id };
    const struct decision *decision;
    struct failure failure = { 0 };
    struct rv_rows rows;

    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_DECISION_GET, rv_in(decision, &wanted), &decision_record,
                          &rows));
    decision = rows.items;
    if (run->error)
        RV_TRY(cx, rv_json_read(cx, run->error, strlen(run->error), RV_JSON_LENIENT,
                                rv_out(failure, &failure)));
    *answer = (struct run_answer){ .run_id = run->run_id,
                                   .decision_id = run->decision_id,
                                   .reason = failure.message };
    if (rows.n > 0) {
        answer->policy = decision->policy;
        answer->rule = decision->rule;
    }
    return RV_OK;
}

/* The first answer once more. Its transaction has ended, so this is another. */
static rv_result repeat(struct rv_ctx *cx, struct call *call, const struct planned *planned,
                        const struct run_ask *ask, const char *run_id, struct run *view)
{
    struct run_answer refusal;
    struct run run;

    call->replayed = true;
    RV_TRY(cx, rv_db_tenant(cx, call->caller->tenant_id));
    RV_TRY(cx, run_read(cx, call->caller->tenant_id, call_project(call), run_id, &run));
    RV_TRY(cx, reason_of(cx, call, &run, &refusal));
    if (was_refused(&run, PHASE_REJECTED))
        return deny(cx, planned, &refusal);
    if (was_refused(&run, PHASE_BUDGET_EXCEEDED))
        return over_budget(cx, &refusal, false);
    *view = (struct run){
        .run_id = run.run_id,
        .project_id = run.project_id,
        .plan_id = run.plan_id,
        .name = run.name,
        .priority = run.priority,
        .labels = ask->labels,
        .decision_id = run.decision_id,
        .approval_id = run.approval_id,
        .tasks_total = run.tasks_total,
        .created_by = run.created_by,
        .trace_id = run.trace_id,
    };
    accept(cx, call, view);
    return RV_OK;
}

rv_result run_answer(struct rv_ctx *cx, struct call *call, const struct planned *planned,
                     const struct run_ask *ask, const struct run_answer *answer, struct run *view)
{
    switch (answer->verdict) {
    case ADMIT_CREATED:
    case ADMIT_PARKED:
        accept_new(cx, call, planned, ask, answer, view);
        return RV_OK;
    case ADMIT_DENIED:
        return deny(cx, planned, answer);
    case ADMIT_OVER_BUDGET:
        return over_budget(cx, answer, true);
    case ADMIT_REPEATED:
        return repeat(cx, call, planned, ask, answer->run_id, view);
    case ADMIT_CONFLICT:
        return rv_fail(cx, RV_CONFLICT, "this Idempotency-Key came with another body before");
    case ADMIT_INVALID:
        break;
    }
    return rv_fail(cx, RV_INVALID, "%s", answer->reason ? answer->reason : "cannot be run");
}
