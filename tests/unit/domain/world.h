#pragma once

/*
 * A world for runs: one run of a random plan, a simulated clock and a store that does what the
 * scheduler's statements do, so that domain/progress.c is tried as a pure machine. Whatever happens
 * is one step: looked at before, done, saved, and looked at again.
 */

#include "support/rv_test.h"

#include "domain/progress.h"

enum { WORLD_TASKS = 12, WORLD_CLAIMS = 600, WORLD_LEASE_MS = 30000 };

struct world {
    struct rv_ctx *cx;
    uint64_t random;
    struct plan plan;
    struct dag *dag;
    struct run run;
    struct task tasks[WORLD_TASKS];
    size_t n;

    struct attempt claims[WORLD_CLAIMS]; /* every one that was ever granted, in order */
    size_t n_claims;
    struct task_report last; /* so that it can be said twice */
    bool announced[WORLD_TASKS];
    bool terminal; /* the last event of the run was said */

    /* The step: how things were, what it has said, and whether it may have changed anything. */
    struct progress progress;
    struct outbox outbox;
    struct run run_before;
    struct task tasks_before[WORLD_TASKS];
    size_t claims_before;
    bool terminal_before;
    bool nothing;         /* it was stale, repeated or refused: it must have changed nothing */
    const char *surprise; /* the machine answered something else than it should have */
};

/* What the simulation has seen, over all worlds: a check that never looked is no check. */
struct sightings {
    int task_moves[16][16], run_ends[8], outcomes[8];
    int stale, repeated, lost, eager, cancels, parked, recorded;
};
extern struct sightings seen;

/* A world that grows from @seed: its plan, and its run, admitted or parked. */
void world_init(struct world *world, struct rv_ctx *cx, uint64_t seed);

uint64_t world_random(struct world *world);            /* any number */
int64_t world_pick(struct world *world, int64_t most); /* 0 … most - 1 */

/* Around everything that happens. world_end saves and says what is wrong, or NULL. */
void world_begin(struct world *world);
const char *world_end(struct world *world);

/* What is wrong with the step that has just ended; NULL: nothing. Changes nothing. */
const char *world_wrong(const struct world *world);

/* What may happen; each is what some handler of the scheduler does. */
void world_claim(struct world *world, struct task *task, const char *executor_id);
struct task *world_report(struct world *world, const struct task_report *report);
void world_record(struct world *world, const struct task_call *call);

/* Lets one random thing happen; its name. */
const char *world_step(struct world *world, const char **wrong);

/* From here on everybody is honest: whether the run ends, and what is wrong if it does not. */
const char *world_drive(struct world *world);
