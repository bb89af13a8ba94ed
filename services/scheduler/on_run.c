#include <string.h>

#include "admit.h"
#include "base/id.h"
#include "batch.h"
#include "contract/subjects.h"
#include "store/sql.h"

static rv_result make_runs(struct rv_ctx *cx, struct admission *admission)
{
    RV_TRY(cx, admission_lock(admission));
    RV_TRY(cx, admission_find_known(admission, true)); /* somebody may have been quicker */
    RV_TRY(cx, admission_make(admission));
    return RV_OK;
}

/*
 * Makes runs: budget and policy are asked for all of them at once, without a transaction open, and
 * then everything about each run is one commit. What was made before under the same id or
 * idempotency key is answered as it was.
 */
RV_BATCH_HANDLER(on_run_create, struct scheduler_service *service, const struct run_ask *asks,
                 struct run_answer *answers, size_t n)
{
    struct admission admission;
    enum rv_status status;

    admission_init(&admission, cx, service, asks, answers, n);
    RV_TRY(cx, admission_find_plans(&admission));
    RV_TRY(cx, admission_find_known(&admission, false));
    RV_TRY(cx, rv_db_commit(cx)); /* nothing is held over the questions that follow */
    RV_TRY(cx, admission_ask(&admission));
    status = make_runs(cx, &admission);
    if (status != RV_OK)
        admission_give_up(&admission);
    return status;
}

RV_HANDLER(on_run_control, struct scheduler_service *service, const struct run_control *ask,
           struct run_controlled *answer)
{
    struct task_ref ref = { ask->tenant_id, ask->run_id, -1 };
    struct progress *p;
    struct batch batch;

    if (!ask->tenant_id || !ask->run_id || !rv_id_is(ask->run_id) || !rv_id_is(ask->tenant_id))
        return rv_fail(cx, RV_INVALID, "run_id is not a UUID");
    batch_init(&batch, cx, service);
    RV_TRY(cx, batch_load(&batch, &ref, 1, false));
    p = batch_run(&batch, ask->tenant_id, ask->run_id);
    answer->verdict = CONTROL_NOT_FOUND;
    if (!p)
        return RV_OK;
    answer->verdict =
        ask->verb == RUN_CANCEL ? progress_cancel(p, ask->reason, ask->by) : CONTROL_ILLEGAL;
    answer->state = p->run->state;
    answer->phase = p->run->phase;
    return batch_save(&batch);
}

RV_HANDLER(on_plan_get, struct scheduler_service *service, const struct plan_ask *ask,
           struct plan_text *answer)
{
    struct plan_key key = { ask->tenant_id, ask->plan_id, NULL };
    struct known_plan known;

    if (!ask->tenant_id || !ask->plan_id || !rv_id_is(ask->tenant_id) || !rv_id_is(ask->plan_id))
        return rv_fail(cx, RV_INVALID, "plan_id is not a UUID");
    RV_TRY(cx, plan_cache_find(cx, service->plans, &key, 1, &known));
    if (!known.plan)
        return rv_fail(cx, RV_NOT_FOUND, "there is no plan %s", ask->plan_id);
    answer->spec = known.spec;
    return RV_OK;
}

/* -- a human has decided ----------------------------------------------------------------------- */

static void apply(struct batch *batch, const struct approval *approval)
{
    struct progress *p = batch_run(batch, approval->tenant_id, approval->run_id);
    struct task *tasks;
    size_t n;

    if (!p || run_is_over(p->run->state))
        return;
    tasks = batch_tasks_of(batch, p->run, &n);
    if (approval->subject != ABOUT_RUN) { /* yes or no: the step asks policy again and is told */
        struct task *task =
            batch_task(batch, approval->tenant_id, approval->run_id, approval->task_no);

        if (task)
            progress_task_decided(p, task, approval->state == APPROVAL_APPROVED,
                                  approval->decided_by);
    } else if (p->run->phase != PHASE_AWAITING_APPROVAL) {
        return;
    } else if (approval->state == APPROVAL_APPROVED) {
        progress_approved(p, tasks, n, approval->decided_by);
    } else {
        struct decision no = { .reason = approval->feedback };

        progress_refused(p, PHASE_REJECTED, "approval_refused",
                         rv_printf(batch->cx, "the approval was %s%s%s",
                                   rv_enum_word(&approval_state_enum, (int)approval->state),
                                   approval->feedback ? ": " : "",
                                   approval->feedback ? approval->feedback : ""),
                         &no);
    }
}

/* The news only names approvals; what was decided is read from Postgres. */
RV_BATCH_HANDLER(on_approval_decided, struct scheduler_service *service,
                 const struct approval_ref *refs, void *nothing, size_t n)
{
    struct rv_rows rows;
    struct task_ref *runs;
    struct batch batch;

    for (size_t i = 0; i < n; i++)
        if (!refs[i].tenant_id || !refs[i].approval_id || !rv_id_is(refs[i].tenant_id) ||
            !rv_id_is(refs[i].approval_id))
            return rv_fail(cx, RV_INVALID, "approval_id is not a UUID");
    RV_TRY(cx, rv_db_rows(cx, &SQL_APPROVALS_LOAD, rv_in_many(approval_ref, refs, n),
                          &approval_record, &rows));
    if (rows.n == 0)
        return RV_OK;
    runs = rv_new_array(cx, struct task_ref, rows.n);
    for (size_t i = 0; i < rows.n; i++) {
        const struct approval *approval = &((struct approval *)rows.items)[i];

        runs[i] = (struct task_ref){ approval->tenant_id, approval->run_id, -1 };
    }
    RV_TRY(cx, rv_db_commit(cx)); /* the locks come first in a transaction that writes */
    batch_init(&batch, cx, service);
    RV_TRY(cx, batch_load(&batch, runs, rows.n, false));
    for (size_t i = 0; i < rows.n; i++)
        apply(&batch, &((struct approval *)rows.items)[i]);
    return batch_save(&batch);
}
