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
};

void admission_init(struct admission *admission, struct rv_ctx *cx,
                    struct scheduler_service *service, const struct run_ask *asks,
                    struct run_answer *answers, size_t n);
rv_result admission_find_plans(struct admission *admission);

/* Answers what was made before under an idempotency key, or @also_by_id under its own id (an answer
 * that was lost after the commit). */
rv_result admission_find_known(struct admission *admission, bool also_by_id);

rv_result admission_ask(struct admission *admission);
rv_result admission_lock(struct admission *admission);
rv_result admission_make(struct admission *admission);
