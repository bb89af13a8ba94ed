#include "admit.h"
#include "base/id.h"
#include "base/log.h"
#include "contract/subjects.h"
#include "domain/budget.h"

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
        .amount_microusd =
            either(run->limit_microusd, plan->limits ? plan->limits->cost_microusd : 0,
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

/* If it is lost, the budget's sweep frees them. */
void admission_give_back(struct admission *admission, const struct hold_ask *holds, size_t n)
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

static void fill_asks(struct admission *admission)
{
    for (size_t k = 0; k < admission->n_open; k++) {
        fill_hold(admission, admission->open[k], &admission->hold_asks[k]);
        fill_policy(admission, admission->open[k], admission->hold_asks[k].amount_microusd,
                    &admission->policy_asks[k]);
    }
}

/* Both are asked at once and both are waited for, whatever the other said. */
rv_result admission_ask(struct admission *admission)
{
    struct rv_ctx *cx = admission->cx;
    struct rv_bus *bus = admission->service->runtime->bus;
    int64_t wait_ms = admission->service->config.ask_ms;
    struct rv_pending *holds = NULL, *decisions = NULL;
    enum rv_status held, decided;
    size_t n;

    admission_find_open(admission);
    n = admission->n_open;
    if (n == 0)
        return RV_OK;
    admission->hold_asks = rv_new_array(cx, struct hold_ask, n);
    admission->policy_asks = rv_new_array(cx, struct policy_ask, n);
    admission->holds = rv_new_array(cx, struct hold, n);
    admission->decisions = rv_new_array(cx, struct decision, n);
    fill_asks(admission);
    RV_TRY(cx, rv_bus_begin(cx, bus, &SUBJ_BUDGET_HOLD, admission->hold_asks, n, wait_ms, &holds));
    decided =
        rv_bus_begin(cx, bus, &SUBJ_POLICY_DECIDE, admission->policy_asks, n, wait_ms, &decisions);
    held = rv_bus_await(cx, holds, admission->holds);
    if (decided == RV_OK)
        decided = rv_bus_await(cx, decisions, admission->decisions);
    if (decided != RV_OK && held == RV_OK)
        admission_give_back(admission, admission->hold_asks, n);
    RV_TRY(cx, decided);
    RV_TRY(cx, held);
    return RV_OK;
}

void admission_give_up(struct admission *admission)
{
    if (admission->n_open)
        admission_give_back(admission, admission->hold_asks, admission->n_open);
}
