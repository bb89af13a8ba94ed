#include "executor/govern.h"

#include <stdio.h>

#include "base/id.h"
#include "base/log.h"
#include "base/time.h"
#include "contract/subjects.h"
#include "runtime/failpoint.h"

enum { AGAIN_MS = 200, AGAIN_MAX_MS = 5000, HOLD_SLACK_MS = 60000, SETTLE_TRIES = 3 };

static void fill_one(struct rv_ctx *cx, const char *name, const char ***names, size_t *n)
{
    if (!name)
        return;
    *names = rv_new_array(cx, const char *, 1);
    (*names)[0] = name;
    *n = 1;
}

static const char *title_of(struct rv_ctx *cx, const struct work *work,
                            const struct govern_ask *ask)
{
    if (ask->subject == ABOUT_MODEL)
        return rv_printf(cx, "%s: call the model %s", work->node->node_id, ask->model);
    return rv_printf(cx, "%s: use the tool %s (%s)", work->node->node_id, ask->tool,
                     ask->tool_effect);
}

static struct policy_ask policy_ask_of(struct rv_ctx *cx, const struct work *work,
                                       const struct govern_ask *ask)
{
    const struct task_claimed *claimed = &work->job->claimed;
    struct policy_ask policy = {
        .tenant_id = claimed->tenant_id,
        .project_id = claimed->project_id,
        .project = work->plan->project,
        .subject = ask->subject,
        .run_id = claimed->run_id,
        .task_no = claimed->task_no,
        .call_no = ask->call_no,
        .workflow = work->plan->workflow_id ? work->plan->name : NULL,
        .tool_effect = ask->tool_effect,
        .title = title_of(cx, work, ask),
    };

    fill_one(cx, ask->agent, &policy.agents, &policy.n_agents);
    fill_one(cx, ask->tool, &policy.tools, &policy.n_tools);
    fill_one(cx, ask->model, &policy.models, &policy.n_models);
    return policy;
}

static struct hold_ask hold_ask_of(const struct rv_ctx *cx, const struct work *work,
                                   const struct govern_ask *ask, const char *hold_id)
{
    const struct task_claimed *claimed = &work->job->claimed;
    int64_t left_ms = cx->deadline_ms > 0 ? cx->deadline_ms - rv_monotonic_ms() : 0;

    return (struct hold_ask){
        .tenant_id = claimed->tenant_id,
        .hold_id = hold_id,
        .parent_hold_id = claimed->hold_id,
        .project_id = claimed->project_id,
        .run_id = claimed->run_id,
        .task_no = claimed->task_no,
        .call_no = ask->call_no,
        .provider = ask->provider,
        .model = ask->model,
        .tokens_in = ask->tokens_in,
        .tokens_out = ask->tokens_out,
        .expires_ms = left_ms > 0 ? left_ms + HOLD_SLACK_MS : 0,
    };
}

/* Both questions at once; both are awaited, also when one has failed. */
static rv_result ask_both(struct rv_ctx *cx, struct executor *executor,
                          const struct policy_ask *policy, const struct hold_ask *hold_ask,
                          struct decision *decision, struct hold *hold)
{
    int64_t timeout_ms = executor->config.ask_timeout_ms;
    struct rv_pending *deciding, *holding;
    enum rv_status decided, held;

    RV_TRY(cx,
           rv_bus_begin(cx, executor->bus, &SUBJ_POLICY_DECIDE, policy, 1, timeout_ms, &deciding));
    held = rv_bus_begin(cx, executor->bus, &SUBJ_BUDGET_HOLD, hold_ask, 1, timeout_ms, &holding);
    decided = rv_bus_await(cx, deciding, decision);
    if (held == RV_OK)
        held = rv_bus_await(cx, holding, hold);
    return decided != RV_OK ? decided : held;
}

/* Fails closed: asks again while the step may wait. */
static rv_result ask_until_answered(struct rv_ctx *cx, struct work *work,
                                    const struct policy_ask *policy,
                                    const struct hold_ask *hold_ask, struct decision *decision,
                                    struct hold *hold)
{
    int64_t wait_ms = AGAIN_MS;

    for (;;) {
        enum rv_status status = ask_both(cx, work->executor, policy, hold_ask, decision, hold);
        char why[200];

        if (status == RV_OK)
            return RV_OK;
        snprintf(why, sizeof(why), "%.199s", cx->error.text);
        if (!rv_status_retry(status))
            return step_fails(cx, work, "governance_failed", false, "%s", why);
        if (step_wait(cx, work, wait_ms) != RV_OK)
            return step_fails(cx, work, "governance_unavailable", true, "%s", why);
        wait_ms = wait_ms * 2 < AGAIN_MAX_MS ? wait_ms * 2 : AGAIN_MAX_MS;
    }
}

static rv_result judge_hold(struct rv_ctx *cx, struct work *work, const struct hold *hold)
{
    switch (hold->verdict) {
    case HOLD_GRANTED:
        return RV_OK;
    case HOLD_OVER_LIMIT:
        return step_fails(cx, work, "over_budget", false, "%s",
                          hold->reason ? hold->reason : "the budget has not enough left");
    case HOLD_CLOSED:
    case HOLD_GONE:
    case HOLD_INVALID:
        break;
    }
    return step_fails(cx, work, "over_budget", false, "the hold was refused (%s): %s",
                      rv_enum_word(&hold_verdict_enum, (int)hold->verdict),
                      hold->reason ? hold->reason : "no reason given");
}

/*
 * A hold that no call will use. One of money must not be lost: it would be booked in full when it
 * expires. One that was not heard of may have been granted all the same.
 */
static void give_back(struct rv_ctx *cx, struct work *work, const char *hold_id,
                      const struct hold *hold)
{
    static const struct used nothing = { .released = true };

    if (hold->verdict == HOLD_GRANTED && hold->amount_microusd > 0)
        govern_settle(cx, work, hold_id, &nothing);
    else if (hold->verdict == HOLD_GRANTED || !hold->verdict)
        govern_tell_settled(cx, work, hold_id, &nothing);
}

static rv_result judge(struct rv_ctx *cx, struct work *work, const struct decision *decision,
                       const struct hold *hold, struct permit *permit)
{
    if (decision->effect == EFFECT_ALLOW)
        return judge_hold(cx, work, hold);
    give_back(cx, work, permit->hold_id, hold);
    if (decision->effect == EFFECT_REQUIRE_APPROVAL) {
        work->approval_id = decision->approval_id;
        return rv_fail(cx, RV_DENIED, "a human has to approve it");
    }
    permit->denied = true;
    permit->reason = decision->reason ? decision->reason : "a policy forbids it";
    return RV_OK;
}

rv_result govern_call(struct rv_ctx *cx, struct work *work, const struct govern_ask *ask,
                      struct permit *permit)
{
    struct policy_ask policy = policy_ask_of(cx, work, ask);
    struct hold_ask hold_ask = hold_ask_of(cx, work, ask, rv_id_new(cx));
    struct decision decision = { 0 };
    struct hold hold = { 0 };
    enum rv_status status = ask_until_answered(cx, work, &policy, &hold_ask, &decision, &hold);

    if (status != RV_OK)
        give_back(cx, work, hold_ask.hold_id, &hold);
    RV_TRY(cx, status);
    *permit = (struct permit){ .decision_id = decision.decision_id,
                               .hold_id = hold_ask.hold_id,
                               .call_no = ask->call_no,
                               .price = { .in_microusd_per_mtok = hold.in_microusd_per_mtok,
                                          .cached_microusd_per_mtok = hold.cached_microusd_per_mtok,
                                          .out_microusd_per_mtok = hold.out_microusd_per_mtok },
                               .amount_microusd = hold.amount_microusd };
    return judge(cx, work, &decision, &hold, permit);
}

static struct settle_ask settle_ask_of(const struct work *work, const char *hold_id,
                                       const struct used *used)
{
    return (struct settle_ask){ work->job->claimed.tenant_id,
                                hold_id,
                                used->released,
                                used->unconfirmed,
                                used->tokens_in,
                                used->tokens_cached,
                                used->tokens_out };
}

int64_t govern_cost(const struct permit *permit, const struct used *used)
{
    int64_t cost =
        price_cost(&permit->price, used->tokens_in, used->tokens_cached, used->tokens_out);

    return cost < permit->amount_microusd ? cost : permit->amount_microusd;
}

/* A book is kept also when the step's own time is up. */
void govern_settle(struct rv_ctx *cx, struct work *work, const char *hold_id,
                   const struct used *used)
{
    struct settle_ask ask = settle_ask_of(work, hold_id, used);
    struct rv_error error =
        cx->error; /* why the step fails, perhaps: it is not for us to replace */
    int64_t deadline_ms = cx->deadline_ms;
    struct settled settled = { 0 };
    enum rv_status status = rv_failpoint(cx, "executor.settle.before");
    int tries = atomic_load(&work->executor->stopping) ? 1 : SETTLE_TRIES;

    cx->deadline_ms = 0;
    for (int i = 0; i < tries && (i == 0 ? status == RV_OK : rv_status_retry(status)); i++)
        status = rv_bus_ask_many(cx, work->executor->bus, &SUBJ_BUDGET_SETTLE, &ask, 1, &settled,
                                 work->executor->config.ask_timeout_ms);
    cx->deadline_ms = deadline_ms;
    if (status != RV_OK)
        rv_warn(cx, "hold is not settled", RV_F("hold_id", hold_id),
                RV_F("why", (const char *)cx->error.text));
    cx->error = error;
}

void govern_tell_settled(struct rv_ctx *cx, struct work *work, const char *hold_id,
                         const struct used *used)
{
    struct settle_ask ask = settle_ask_of(work, hold_id, used);
    struct rv_error error = cx->error;

    if (rv_bus_tell(cx, work->executor->bus, &SUBJ_BUDGET_SETTLE, &ask, 1) != RV_OK)
        cx->error = error;
}
