#pragma once

/*
 * The budget service: sets money aside before it is spent, books what was, frees the rest.
 *
 * Locks are always taken in this order, so nothing here can deadlock: the runs' holds in key order
 * (a call's hold is covered by its run's), then the budgets in key order.
 */

#include <pthread.h>

#include "domain/budget.h"
#include "runtime/service.h"

/* clang-format off */
#define BUDGET_SETTINGS(X)                                                                         \
    X(DURATION, hold_ttl_ms, "REEVE_BUDGET_HOLD_TTL", "15m",                                       \
      "how long a hold may stay open before the sweep looks at it")                                \
    X(INT,      run_tokens,  "REEVE_BUDGET_RUN_TOKENS", "200000",                                  \
      "tokens held at most for a run that names no limit, where a budget limits tokens")

#define BUDGET_METRICS(X)                                                                          \
    X(COUNTER, BUDGET_GRANTS,      "reeve_budget_grants_total",      "holds granted")              \
    X(COUNTER, BUDGET_REFUSALS,    "reeve_budget_refusals_total",    "holds refused")              \
    X(COUNTER, BUDGET_SETTLED,     "reeve_budget_settled_total",     "holds closed")               \
    X(COUNTER, BUDGET_UNCONFIRMED, "reeve_budget_unconfirmed_total", "calls booked without knowing what they used")
/* clang-format on */

RV_SETTINGS_STRUCT(budget_config, BUDGET_SETTINGS)
enum budget_metric { BUDGET_METRICS(RV_METRIC_ID_) budget_metric_count };

/* What models cost, as read from Postgres at most PRICES_FRESH_MS ago. Its texts are its own. */
struct price_list {
    pthread_mutex_t lock;
    struct rv_ctx *cx;
    const struct price *items;
    size_t n;
    int64_t read_at_ms; /* on the monotonic clock; 0: never */
};

struct budget_service {
    struct budget_config config;
    struct rv_metric *metrics;
    struct price_list prices;
};

rv_batch_fn on_hold, on_settle;
rv_handler_fn on_budget_put;
rv_tick_fn tick_sweep;

/* Closes holds, each once however often it is asked for; on_settle and the sweep. */
rv_result settle_all(struct rv_ctx *cx, struct budget_service *service,
                     const struct settle_ask *asks, struct settled *answers, size_t n);

/* Reads the prices again when they are old. */
rv_result prices_refresh(struct rv_ctx *cx, struct price_list *prices);
/* False when nobody has priced this model. The texts of @found are not set. */
bool prices_find(struct price_list *prices, const char *provider, const char *model,
                 struct price *found);
void prices_release(struct price_list *prices);

/* Counts once the work is committed. */
void count_after(struct rv_ctx *cx, struct budget_service *service, enum budget_metric metric,
                 int64_t by);
