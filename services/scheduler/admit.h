#pragma once

/*
 * Admission: from a batch of asks to runs that have a verdict and a hold, or a refusal. Denied and
 * refused runs are kept too, as failed, for the audit.
 */

#include "batch.h"

struct admission {
    struct rv_ctx *cx;
    struct scheduler_service *service;
    const struct run_ask *asks;
    struct run_answer *answers;
    struct known_plan *plans;
    struct hold_ask *hold_asks;
    struct hold *holds;
    struct policy_ask *policy_asks;
    struct decision *decisions;
    size_t *open; /* which asks are still without a verdict; hold_asks and the rest run along it */
    size_t n, n_open;
    size_t *twins;           /* asks of one key or id: which one above; themselves when none is */
    const struct run **made; /* the run of each ask; NULL: none */
    struct rv_rows clock;    /* Postgres', read under the locks */
    int64_t clock_asked_ms;  /* on the monotonic one */
};

void admission_init(struct admission *admission, struct rv_ctx *cx,
                    struct scheduler_service *service, const struct run_ask *asks,
                    struct run_answer *answers, size_t n);
rv_result admission_find_plans(struct admission *admission);

/* Answers what was made before under an idempotency key, or @also_by_id under its own id (an answer
 * that was lost after the commit). */
rv_result admission_find_known(struct admission *admission, bool also_by_id);

/* Which asks have no verdict yet. Of two that would make one run the second waits for the first. */
void admission_find_open(struct admission *admission);
void admission_answer_twins(struct admission *admission);

/* Policy and budget are asked about those that are open, at once. */
rv_result admission_ask(struct admission *admission);

/* The runs' locks, and those of their idempotency keys: of two with one key, one makes the run. */
rv_result admission_lock(struct admission *admission);
rv_result admission_make(struct admission *admission);

/* Holds that lead to no run are given back: some, or all since no run is made after all. */
void admission_give_back(struct admission *admission, const struct hold_ask *holds, size_t n);
void admission_give_up(struct admission *admission);
