#pragma once

/*
 * The evaluator: scores what completed runs came to, by the scorers of their plans. A run that has
 * none costs nothing here.
 */

#include <pthread.h>

#include "base/hash.h"
#include "domain/event.h"
#include "domain/run.h"
#include "domain/score.h"
#include "runtime/json.h"
#include "runtime/service.h"

/* clang-format off */
#define EVALUATOR_METRICS(X)                                                                       \
    X(COUNTER, EVALUATOR_SCORES,  "reeve_evaluator_scores_total",  "scores given")                 \
    X(COUNTER, EVALUATOR_SKIPPED, "reeve_evaluator_skipped_total", "runs that could not be scored") \
    X(GAUGE,   EVALUATOR_UNTOLD,  "reeve_evaluator_untold",        "scores whose event is not in the log yet")
/* clang-format on */
enum evaluator_metric { EVALUATOR_METRICS(RV_METRIC_ID_) evaluator_metric_count };

/* The scorers of plans, as JSON. A plan never changes, so a copy is never old. */
struct scorer_cache {
    pthread_mutex_t lock;
    struct rv_hash *by_plan; /* "tenant/plan" → malloc'd text */
};

/* Scores that the scheduler has not heard of yet. */
struct untold {
    pthread_mutex_t lock;
    struct untold_event *first, **last;
    size_t n;
};

struct evaluator_service {
    struct rv_metric *metrics;
    struct rv_bus *bus;
    struct scorer_cache scorers;
    struct untold untold;
};

/* A run's plan, and whose it is. */
struct plan_key {
    const char *tenant_id, *plan_id;
};

/* Reads the plans that are not in memory yet. */
rv_result scorers_load(struct rv_ctx *cx, struct scorer_cache *cache, const struct plan_key *keys,
                       size_t n);
/* The scorers of a loaded plan; RV_NOT_FOUND when there is no such plan. */
rv_result scorers_of(struct rv_ctx *cx, struct scorer_cache *cache, const struct plan_key *key,
                     struct scorer **scorers, size_t *n);
void scorers_release(struct scorer_cache *cache);

/* What scorers look into: {"output", "input", "run": {…}}. */
rv_result run_facts(struct rv_ctx *cx, const struct run *run, json_t **facts);

/* One scorer over the facts. @evaluation has the run's ids already. */
rv_result score_run(struct rv_ctx *cx, const struct scorer *scorer, json_t *facts,
                    struct evaluation *evaluation);

/* Says after the commit that these are there; what the scheduler does not hear is said again. */
rv_result tell_scored(struct rv_ctx *cx, struct evaluator_service *service,
                      const struct evaluation *evaluations, size_t n);
void untold_release(struct untold *untold);

rv_batch_fn on_run_completed;
rv_tick_fn tick_tell;
