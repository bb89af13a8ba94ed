#include <string.h>

#include "admit.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/time.h"
#include "domain/budget.h"
#include "offers.h"
#include "store/sql.h"
#include "tell.h"

struct lock_row {
    int64_t lock_key;
};
struct clock_row {
    int64_t now_ms;
};
/* clang-format off */
static const struct rv_field lock_row_fields[] = {
    RV_INT(lock_row, lock_key, 0),
};
static RV_RECORD(lock_row, lock_row_fields);

static const struct rv_field clock_row_fields[] = {
    RV_INT(clock_row, now_ms, 0),
};
static RV_RECORD(clock_row, clock_row_fields);
/* clang-format on */

static int64_t key_lock(struct rv_ctx *cx, const struct run_ask *ask)
{
    const char *text =
        rv_printf(cx, "%s/%s/%s", ask->tenant_id, ask->project_id, ask->idempotency_key);

    return (int64_t)rv_hash64(text, strlen(text));
}

rv_result admission_lock(struct admission *admission)
{
    struct lock_row *rows = rv_new_array(admission->cx, struct lock_row, 2 * admission->n_open);
    size_t n = 0;

    for (size_t k = 0; k < admission->n_open; k++) {
        const struct run_ask *ask = &admission->asks[admission->open[k]];

        rows[n++].lock_key = rv_id_key(ask->run_id);
        if (ask->idempotency_key)
            rows[n++].lock_key = key_lock(admission->cx, ask);
    }
    if (n == 0)
        return RV_OK;
    admission->clock_asked_ms = rv_monotonic_ms();
    RV_TRY(admission->cx, rv_db_exec(admission->cx, &SQL_RUNS_LOCK, rv_in_many(lock_row, rows, n)));
    return rv_db_read(admission->cx, &SQL_RUNS_CLOCK, rv_nothing, &clock_row_record,
                      &admission->clock);
}

static void fill_run(const struct admission *admission, size_t k, struct run *run)
{
    const struct run_ask *ask = &admission->asks[admission->open[k]];
    const struct plan *plan = admission->plans[admission->open[k]].plan;
    const struct hold_ask *hold = &admission->hold_asks[k];

    *run = (struct run){
        .tenant_id = ask->tenant_id,
        .run_id = ask->run_id,
        .project_id = ask->project_id,
        .plan_id = ask->plan_id,
        .input = ask->input,
        .labels = ask->labels,
        .decision_id = admission->decisions[k].decision_id,
        .hold_id = hold->hold_id,
        .limit_microusd = hold->amount_microusd,
        .limit_tokens = hold->amount_tokens,
        .idempotency_key = ask->idempotency_key,
        .request_hash = ask->request_hash,
        .created_by = ask->created_by,
        .trace_id = ask->trace_id,
        .now_ms = ((const struct clock_row *)admission->clock.items)->now_ms,
    };
    run->created_at_ms = run->now_ms;
    if (plan->limits && plan->limits->duration_ms)
        run->deadline_at_ms = run->now_ms + plan->limits->duration_ms;
}

static void answer_refusal(struct run_answer *answer, enum admit_verdict verdict,
                           const char *reason)
{
    answer->verdict = verdict;
    answer->reason = reason;
}

static void over_budget(struct progress *p, const struct hold *hold,
                        const struct decision *decision, struct run_answer *answer)
{
    const char *reason = hold->reason ? hold->reason : "the budget does not cover this run";

    answer_refusal(answer, ADMIT_OVER_BUDGET, reason);
    answer->budget = hold->budget;
    answer->left_microusd = hold->left_microusd;
    answer->left_tokens = hold->left_tokens;
    progress_refused(p, PHASE_BUDGET_EXCEEDED, "over_budget", reason, decision);
}

static void denied(struct progress *p, const struct decision *decision, struct run_answer *answer)
{
    const char *reason = decision->reason ? decision->reason : "a policy denies this run";

    answer_refusal(answer, ADMIT_DENIED, reason);
    progress_refused(p, PHASE_REJECTED, "policy_denied", reason, decision);
}

/* One run, with its tasks unless it is refused. */
static struct task *admit(struct progress *p, const struct run_ask *ask, const struct hold *hold,
                          const struct decision *decision, struct run_answer *answer)
{
    bool allowed = decision->effect == EFFECT_ALLOW && hold->verdict == HOLD_GRANTED;
    struct task *tasks = progress_create(p, ask, allowed);

    answer->decision_id = decision->decision_id;
    answer->policy = decision->policy;
    answer->rule = decision->rule;
    if (decision->effect == EFFECT_DENY || !decision->effect) {
        denied(p, decision, answer);
    } else if (hold->verdict != HOLD_GRANTED) {
        over_budget(p, hold, decision, answer);
    } else if (decision->effect == EFFECT_REQUIRE_APPROVAL) {
        progress_parked(p, decision);
        answer->verdict = ADMIT_PARKED;
        answer->approval_id = decision->approval_id;
        answer->reason = decision->reason;
    } else {
        answer->verdict = ADMIT_CREATED;
    }
    return run_is_over(p->run->state) ? NULL : tasks;
}

static rv_result insert(struct admission *admission, struct batch *batch, struct run *runs,
                        size_t n_runs, struct task *tasks, size_t n_tasks)
{
    struct rv_ctx *cx = admission->cx;
    const struct outbox *out = &batch->outbox;

    if (n_runs == 0)
        return RV_OK;
    RV_TRY(cx, rv_db_exec(cx, &SQL_RUNS_NEW, rv_in_many(run, runs, n_runs)));
    if (n_tasks)
        RV_TRY(cx, rv_db_exec(cx, &SQL_TASKS_NEW, rv_in_many(task, tasks, n_tasks)));
    if (out->n_attempts)
        RV_TRY(cx, rv_db_exec(cx, &SQL_ATTEMPTS_NEW,
                              rv_in_many(attempt, out->attempts, out->n_attempts)));
    return rv_db_exec(cx, &SQL_EVENTS_NEW, rv_in_many(event, out->events, out->n_events));
}

/* As a batch that was read would have them. */
static void put_in(struct batch *batch, struct run *runs, size_t n_runs, struct task *tasks,
                   size_t n_tasks)
{
    batch->runs = runs;
    batch->n_runs = n_runs;
    batch->tasks = rv_new_array(batch->cx, struct task *, n_tasks);
    for (batch->n_tasks = 0; batch->n_tasks < n_tasks; batch->n_tasks++)
        batch->tasks[batch->n_tasks] = &tasks[batch->n_tasks];
}

/* What is granted is not announced. Both lists are in the order of the runs and their tasks. */
static void forget_granted(struct outbox *out, const struct task *tasks, size_t n_tasks)
{
    size_t at = 0, kept = 0;

    for (size_t i = 0; i < out->n_ready; i++) {
        const struct task_ref *ref = &out->ready[i].ref;

        while (at < n_tasks &&
               (tasks[at].task_no != ref->task_no || strcmp(tasks[at].run_id, ref->run_id) != 0))
            at++;
        if (at == n_tasks || tasks[at].state == TASK_READY)
            out->ready[kept++] = out->ready[i];
    }
    out->n_ready = kept;
}

static void grant_some(struct offer *offer, struct progress *p, struct task *tasks)
{
    for (size_t i = 0; offer && tasks && i < p->dag->n; i++)
        if (tasks[i].state == TASK_READY)
            offer_claim(offer, p, &tasks[i]);
}

static size_t first_tasks(const struct admission *admission)
{
    size_t n = 0;

    for (size_t k = 0; k < admission->n_open; k++) {
        const struct dag *dag = admission->plans[admission->open[k]].dag;

        for (size_t i = 0; i < dag->n; i++)
            n += dag->nodes[i].n_needs == 0;
    }
    return n;
}

static size_t tasks_at_most(const struct admission *admission)
{
    size_t n = 0;

    for (size_t k = 0; k < admission->n_open; k++)
        n += admission->plans[admission->open[k]].dag->n;
    return n;
}

rv_result admission_make(struct admission *admission)
{
    struct rv_ctx *cx = admission->cx;
    struct run *runs = rv_new_array(cx, struct run, admission->n_open);
    struct task *tasks = rv_new_array(cx, struct task, tasks_at_most(admission));
    struct offer *offer = offers_take(admission->service->offers, cx, first_tasks(admission),
                                      admission->service->config.lease_ms);
    size_t n_runs = 0, n_tasks = 0;
    struct batch batch;

    batch_init(&batch, cx, admission->service);
    for (size_t k = 0; k < admission->n_open; k++) {
        size_t i = admission->open[k];
        struct progress p = { .cx = cx,
                              .outbox = &batch.outbox,
                              .run = &runs[n_runs],
                              .plan = admission->plans[i].plan,
                              .dag = admission->plans[i].dag };
        struct task *made;

        if (admission->answers[i].verdict) {
            admission_give_back(admission, &admission->hold_asks[k], 1);
            continue;
        }
        fill_run(admission, k, &runs[n_runs]);
        admission->made[i] = &runs[n_runs++];
        made = admit(&p, &admission->asks[i], &admission->holds[k], &admission->decisions[k],
                     &admission->answers[i]);
        grant_some(offer, &p, made);
        if (made)
            memcpy(tasks + n_tasks, made, p.dag->n * sizeof(*made));
        n_tasks += made ? p.dag->n : 0;
        rv_count(&scheduler_metric_rows[made ? METRIC_RUNS_CREATED : METRIC_RUNS_REFUSED], 1);
    }
    forget_granted(&batch.outbox, tasks, n_tasks);
    admission_answer_twins(admission);
    RV_TRY(cx, insert(admission, &batch, runs, n_runs, tasks, n_tasks));
    put_in(&batch, runs, n_runs, tasks, n_tasks);
    if (n_runs)
        hand_heard(admission->service->hand, runs[0].now_ms, admission->clock_asked_ms);
    keep_after_commit(&batch);
    if (offer)
        offer_answer_after_commit(cx, admission->service, offer);
    tell_after_commit(&batch);
    return RV_OK;
}
