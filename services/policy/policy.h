#pragma once

/*
 * The policy service: says what may happen, and asks a human where the rules want one.
 *
 * It fails closed: what it cannot read it denies.
 */

#include <pthread.h>

#include "domain/policy.h"
#include "runtime/service.h"

/* clang-format off */
#define POLICY_SETTINGS(X)                                                                         \
    X(DURATION, approval_ttl_ms, "REEVE_APPROVAL_TTL", "24h",                                      \
      "how long a human has to answer before an approval expires")

#define POLICY_METRICS(X)                                                                          \
    X(COUNTER, POLICY_ALLOWED, "reeve_policy_allowed_total",   "decisions that allow")             \
    X(COUNTER, POLICY_DENIED,  "reeve_policy_denied_total",    "decisions that deny")              \
    X(COUNTER, POLICY_ASKED,   "reeve_policy_approvals_total", "decisions that wait for a human")  \
    X(COUNTER, POLICY_BROKEN,  "reeve_policy_unreadable_total", "policies that could not be read")
/* clang-format on */

RV_SETTINGS_STRUCT(policy_config, POLICY_SETTINGS)
enum policy_metric { POLICY_METRICS(RV_METRIC_ID_) policy_metric_count };

/* One tenant's policies at one epoch, compiled; never changes, and lives as long as somebody looks
 * at it. */
struct policy_set {
    struct rv_ctx cx; /* its memory */
    const char *tenant_id;
    int64_t epoch;
    const struct policy *policies;
    size_t n_policies;
    const char *broken; /* why everything is denied; NULL: nothing is wrong */
    size_t refs;        /* under the cache's lock */
};

enum { POLICY_TENANTS_MAX = 1000 };

struct policy_cache {
    pthread_mutex_t lock;
    struct policy_set *sets[POLICY_TENANTS_MAX];
    size_t n_sets, next_out;
};

struct policy_service {
    struct policy_config config;
    struct rv_metric *metrics;
    struct rv_bus *bus;
    struct policy_cache cache;
};

/*
 * The policies that @asks are about, as new as they are in Postgres: @sets[i] is of @asks[i] and
 * good until the work ends.
 */
rv_result policy_sets_for(struct rv_ctx *cx, struct policy_service *service,
                          const struct policy_ask *asks, size_t n, struct policy_set **sets);
void policy_cache_release(struct policy_cache *cache);

/*
 * For decisions that require an approval: asks the question unless it was asked before, and turns
 * the decision into what the answer says.
 */
rv_result ask_humans(struct rv_ctx *cx, struct policy_service *service,
                     const struct policy_ask *asks, struct decision **decisions, size_t n);

/* Says after the commit that these approvals are decided; a struct approval_ref each. */
void tell_decided(struct rv_ctx *cx, struct policy_service *service, const void *refs, size_t n);

rv_batch_fn on_policy_decide;
rv_handler_fn on_policy_put, on_approval_decide;
rv_tick_fn tick_expire;
