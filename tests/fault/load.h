#pragma once

/*
 * Load: clients that submit runs one after another, each with an idempotency key, and that ask
 * again with the same key until somebody has said yes or no. What was accepted is remembered, so
 * that afterwards every accepted run can be asked for.
 */

#include "support/world.h"

enum { LOAD_THREADS_MAX = 8, LOAD_RUNS_MAX = 20000 };

struct load {
    const struct world *world;
    const char *workflow;
    size_t threads;
    /* Filled by the clients. */
    _Atomic size_t n_accepted, n_refused, n_errors; /* errors: no answer or 5xx; asked again */
    _Atomic size_t n_runs;
    char (*run_ids)[40];
    struct loader *loaders;
    _Atomic bool stop;
};

/* Starts submitting @workflow of the project "test" from @threads clients. */
bool load_start(struct load *load, const struct world *world, const char *workflow, size_t threads);
void load_stop(struct load *load); /* waits for the answers under way */
void load_free(struct load *load);

/* Submits @n runs and returns when all are answered. */
bool load_some(const struct world *world, const char *workflow, size_t n);

/* Waits until no run is open and no hold is; false when that takes longer than @ms. */
bool comes_to_rest(const struct world *world, int64_t ms);

/* Every run that was accepted is in the store and over. */
bool all_accepted_are_over(const struct load *load);
