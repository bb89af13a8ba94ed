#pragma once

/* Between the files of a hold: one batch, and the decisions over what it has locked. */

#include "book.h"
#include "budget.h"

/* One batch at work. */
struct holding {
    struct budget_service *service;
    struct rv_rows parents, budgets, found; /* hold_row, budget, hold_row */
    struct hold_index known;  /* hold_id → struct hold_row: asked before, or granted above */
    struct hold_index parent; /* hold_id → struct hold_row: of runs, locked */
    struct booking *bookings;
    size_t n_bookings;
    int64_t grants, refusals;
};

/*
 * Whether the budgets that cover a run, or the hold of a call's run, grant what is asked for. Fills
 * what is wanted of them into @want and the verdict into @answer; what later asks of the batch see
 * is already less.
 */
void decide_run(struct rv_ctx *cx, struct holding *holding, const struct hold_ask *ask,
                struct booking *want, struct hold *answer);
void decide_call(struct rv_ctx *cx, struct holding *holding, const struct hold_ask *ask,
                 struct booking *want, struct hold *answer);
