#include "admit.h"

#include <string.h>

#include "base/hash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "contract/subjects.h"
#include "domain/budget.h"
#include "store/sql.h"
#include "tell.h"

void admission_init(struct admission *admission, struct rv_ctx *cx,
                    struct scheduler_service *service, const struct run_ask *asks,
                    struct run_answer *answers, size_t n)
{
    *admission = (struct admission){ .cx = cx, .service = service, .asks = asks,
                                     .answers = answers, .n = n };
    admission->plans = rv_new_array(cx, struct known_plan, n);
    admission->open = rv_new_array(cx, size_t, n);
    for (size_t i = 0; i < n; i++)
        answers[i] = (struct run_answer){ .run_id = asks[i].run_id };
}

static void refuse(struct admission *admission, size_t i, const char *reason)
{
    admission->answers[i].verdict = ADMIT_INVALID;
    admission->answers[i].reason = reason;
}

static bool ids_are_good(const struct run_ask *ask)
{
    const char *ids[] = { ask->tenant_id, ask->run_id, ask->project_id, ask->plan_id };

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        if (!ids[i] || !rv_id_is(ids[i]))
            return false;
    return true;
}

rv_result admission_find_plans(struct admission *admission)
{
    struct plan_key *keys = rv_new_array(admission->cx, struct plan_key, admission->n);
    struct known_plan *known = rv_new_array(admission->cx, struct known_plan, admission->n);
    size_t n = 0;

    for (size_t i = 0; i < admission->n; i++)
        if (ids_are_good(&admission->asks[i]))
            keys[n++] = (struct plan_key){ admission->asks[i].tenant_id,
                                           admission->asks[i].plan_id, NULL };
        else
            refuse(admission, i, "an id is missing or not a UUID");
    RV_TRY(admission->cx,
           plan_cache_find(admission->cx, admission->service->plans, keys, n, known));
    for (size_t i = 0, k = 0; i < admission->n; i++) {
        if (admission->answers[i].verdict)
            continue;
        admission->plans[i] = known[k++];
        if (!admission->plans[i].plan)
            refuse(admission, i, "there is no such plan");
    }
    return RV_OK;
}

/* -- made before ------------------------------------------------------------------------------ */

static bool same_key(const struct run_ask *ask, const struct run *run)
{
    return ask->idempotency_key && rv_text_same(ask->idempotency_key, run->idempotency_key) &&
           rv_text_same(ask->tenant_id, run->tenant_id) &&
           rv_text_same(ask->project_id, run->project_id);
}

/* Says again what was said to the first of its kind. */
static void repeat(struct run_answer *answer, const struct run_ask *ask, const struct run *run)
{
    bool same_body = !ask->idempotency_key || rv_text_same(ask->request_hash, run->request_hash) ||
                     strcmp(ask->run_id, run->run_id) == 0;

    *answer = (struct run_answer){ .verdict = same_body ? ADMIT_REPEATED : ADMIT_CONFLICT,
                                   .run_id = run->run_id,
                                   .decision_id = run->decision_id,
                                   .approval_id = run->approval_id,
                                   .reason = run->error };
}

rv_result admission_find_known(struct admission *admission, bool also_by_id)
{
    struct run_ask *keyed = rv_new_array(admission->cx, struct run_ask, admission->n);
    struct rv_rows rows;
    size_t n = 0;

    for (size_t i = 0; i < admission->n; i++)
        if (!admission->answers[i].verdict && (also_by_id || admission->asks[i].idempotency_key))
            keyed[n++] = admission->asks[i];
    if (n == 0)
        return RV_OK;
    RV_TRY(admission->cx, rv_db_rows(admission->cx, &SQL_RUNS_KNOWN, rv_in_many(run_ask, keyed, n),
                                     &run_record, &rows));
    for (size_t r = 0; r < rows.n; r++)
        for (size_t i = 0; i < admission->n; i++) {
            const struct run *run = &((struct run *)rows.items)[r];

            if (admission->answers[i].verdict != ADMIT_REPEATED &&
                (same_key(&admission->asks[i], run) ||
                 rv_text_same(admission->asks[i].run_id, run->run_id)))
                repeat(&admission->answers[i], &admission->asks[i], run);
        }
    return RV_OK;
}

/* -- budget and policy -------------------------------------------------------------------------- */

static int64_t either(int64_t asked, int64_t planned, int64_t fallback)
{
    return asked ? asked : planned ? planned : fallback;
}

static void fill_hold(const struct admission *admission, size_t i, struct hold_ask *ask)
{
    const struct run_ask *run = &admission->asks[i];
    const struct plan *plan = admission->plans[i].plan;
    const struct scheduler_config *config = &admission->service->config;
    bool spends = plan_spends(plan);

    *ask = (struct hold_ask){
        .tenant_id = run->tenant_id,
        .hold_id = rv_id_new(admission->cx),
        .project_id = run->project_id,
        .run_id = run->run_id,
        .amount_microusd = either(run->limit_microusd, plan->limits ? plan->limits->cost_microusd : 0,
                                  spends ? config->run_cost_microusd : 0),
        .amount_tokens = either(run->limit_tokens, plan->limits ? plan->limits->tokens : 0,
                                spends ? config->run_tokens : 0),
    };
}

static void fill_names(struct rv_ctx *cx, const struct plan *plan, struct policy_ask *ask)
{
    ask->agents = rv_new_array(cx, const char *, plan->n_agents);
    ask->tools = rv_new_array(cx, const char *, plan->n_tools);
    ask->models = rv_new_array(cx, const char *, plan->n_agents + plan->n_nodes);
    for (size_t i = 0; i < plan->n_agents; i++) {
        ask->agents[ask->n_agents++] = plan->agents[i].agent;
        ask->models[ask->n_models++] = plan->agents[i].model ? plan->agents[i].model : "default";
    }
    for (size_t i = 0; i < plan->n_tools; i++)
        ask->tools[ask->n_tools++] = plan->tools[i].tool;
    for (size_t i = 0; i < plan->n_nodes; i++)
        if (plan->nodes[i].llm)
            ask->models[ask->n_models++] =
                plan->nodes[i].llm->model ? plan->nodes[i].llm->model : "default";
}

static void fill_policy(const struct admission *admission, size_t i, int64_t cost_microusd,
                        struct policy_ask *ask)
{
    const struct run_ask *run = &admission->asks[i];
    const struct plan *plan = admission->plans[i].plan;

    *ask = (struct policy_ask){
        .tenant_id = run->tenant_id,
        .project_id = run->project_id,
        .project = plan->project,
        .subject = ABOUT_RUN,
        .run_id = run->run_id,
        .workflow = plan->name,
        .cost_microusd = cost_microusd,
        .title = rv_printf(admission->cx, "run %s", plan->name),
    };
    fill_names(admission->cx, plan, ask);
}

/* A hold that leads to no run is given back; if that is lost, the budget's sweep frees it. */
static void give_back(struct admission *admission, const struct hold_ask *holds, size_t n)
{
    struct rv_ctx *cx = admission->cx;
    struct settle_ask *asks = rv_new_array(cx, struct settle_ask, n);
    struct rv_error kept = cx->error;

    for (size_t i = 0; i < n; i++)
        asks[i] = (struct settle_ask){ .tenant_id = holds[i].tenant_id,
                                       .hold_id = holds[i].hold_id,
                                       .release = true };
    if (rv_bus_tell(cx, admission->service->runtime->bus, &SUBJ_BUDGET_SETTLE, asks, n) != RV_OK)
        rv_warn(cx, "a hold was not given back; it expires");
    cx->error = kept;
}

/* Both are asked at once and both are waited for, whatever the other said. */
rv_result admission_ask(struct admission *admission)
{
    struct rv_ctx *cx = admission->cx;
    struct rv_bus *bus = admission->service->runtime->bus;
    int64_t wait_ms = admission->service->config.ask_ms;
    struct rv_pending *holds = NULL, *decisions = NULL;
    enum rv_status held, decided;
    size_t n = 0;

    admission->hold_asks = rv_new_array(cx, struct hold_ask, admission->n);
    admission->policy_asks = rv_new_array(cx, struct policy_ask, admission->n);
    admission->holds = rv_new_array(cx, struct hold, admission->n);
    admission->decisions = rv_new_array(cx, struct decision, admission->n);
    for (size_t i = 0; i < admission->n; i++) {
        if (admission->answers[i].verdict)
            continue;
        fill_hold(admission, i, &admission->hold_asks[n]);
        fill_policy(admission, i, admission->hold_asks[n].amount_microusd,
                    &admission->policy_asks[n]);
        admission->open[n++] = i;
    }
    admission->n_open = n;
    if (n == 0)
        return RV_OK;
    RV_TRY(cx, rv_bus_begin(cx, bus, &SUBJ_BUDGET_HOLD, admission->hold_asks, n, &holds));
    decided = rv_bus_begin(cx, bus, &SUBJ_POLICY_DECIDE, admission->policy_asks, n, &decisions);
    held = rv_bus_await(cx, holds, admission->holds, wait_ms);
    if (decided == RV_OK)
        decided = rv_bus_await(cx, decisions, admission->decisions, wait_ms);
    if (decided != RV_OK && held == RV_OK)
        give_back(admission, admission->hold_asks, n);
    RV_TRY(cx, decided);
    RV_TRY(cx, held);
    return RV_OK;
}

/* -- making them --------------------------------------------------------------------------------- */

struct lock_row {
    int64_t lock_key;
};
/* clang-format off */
static const struct rv_field lock_row_fields[] = {
    RV_INT(lock_row, lock_key, 0),
};
static RV_RECORD(lock_row, lock_row_fields);
/* clang-format on */

static int64_t key_lock(struct rv_ctx *cx, const struct run_ask *ask)
{
    const char *text =
        rv_printf(cx, "%s/%s/%s", ask->tenant_id, ask->project_id, ask->idempotency_key);

    return (int64_t)rv_hash64(text, strlen(text));
}

/* The runs' locks, and those of their idempotency keys: of two with one key, one makes the run. */
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
    return n ? rv_db_exec(admission->cx, &SQL_RUNS_LOCK, rv_in_many(lock_row, rows, n)) : RV_OK;
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
        .now_ms = rv_now_ms(),
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
    return rv_db_exec(cx, &SQL_EVENTS_NEW, rv_in_many(event, out->events, out->n_events));
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
    size_t n_runs = 0, n_tasks = 0;
    struct batch batch;

    batch_init(&batch, cx, admission->service);
    for (size_t k = 0; k < admission->n_open; k++) {
        size_t i = admission->open[k];
        struct progress p = { .cx = cx, .outbox = &batch.outbox, .run = &runs[n_runs],
                              .plan = admission->plans[i].plan, .dag = admission->plans[i].dag };
        struct task *made;

        if (admission->answers[i].verdict) {
            give_back(admission, &admission->hold_asks[k], 1);
            continue;
        }
        fill_run(admission, k, &runs[n_runs++]);
        made = admit(&p, &admission->asks[i], &admission->holds[k], &admission->decisions[k],
                     &admission->answers[i]);
        if (made)
            memcpy(tasks + n_tasks, made, p.dag->n * sizeof(*made));
        n_tasks += made ? p.dag->n : 0;
        rv_count(&scheduler_metric_rows[made ? METRIC_RUNS_CREATED : METRIC_RUNS_REFUSED], 1);
    }
    RV_TRY(cx, insert(admission, &batch, runs, n_runs, tasks, n_tasks));
    tell_after_commit(&batch);
    return RV_OK;
}
