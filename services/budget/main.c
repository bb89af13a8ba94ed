#include "budget.h"
#include "contract/subjects.h"

enum { SWEEP_MS = 2000, SCHEMA = 12 };

RV_SETTINGS_TABLE(budget_settings, budget_config, BUDGET_SETTINGS)

static struct rv_metric metrics[] = { BUDGET_METRICS(RV_METRIC_ROW_){ .name = NULL } };

static struct budget_service budget = {
    .metrics = metrics,
    .prices = { .lock = PTHREAD_MUTEX_INITIALIZER },
};

/* clang-format off */
static const struct rv_handler handlers[] = {
    { &SUBJ_BUDGET_HOLD,   .handle_many = on_hold, .turn = 1, .stale = true },
    { &SUBJ_BUDGET_SETTLE, .handle_many = on_settle, .turn = 1 },
    { &SUBJ_BUDGET_PUT,    .handle = on_budget_put },
    { 0 },
};
static const struct rv_tick ticks[] = {
    { "sweep", tick_sweep, SWEEP_MS },
    { 0 },
};
/* clang-format on */

static void close_budget(void *state)
{
    struct budget_service *service = state;

    prices_release(&service->prices);
}

static const struct rv_service service = {
    .name = "budget",
    .doc = "holds, settles and accounts for what projects may spend",
    .settings = budget_settings,
    .config = &budget.config,
    .handlers = handlers,
    .ticks = ticks,
    .metrics = metrics,
    .db_role = "reeve_budget",
    .schema = SCHEMA,
    .close = close_budget,
    .state = &budget,
};

int main(int argc, char **argv)
{
    return rv_service_main(argc, argv, &service);
}
