#pragma once

/*
 * Runs at hand: what this scheduler has saved of runs that are at work, so that the next claim or
 * report of theirs need not read it back. A run is at hand as of its version; whoever saves it
 * says which version it had seen (runs_save), and is undone when somebody was faster: another
 * scheduler, or an operator, who raises the version too. Small runs only.
 */

#include "domain/run.h"
#include "domain/task.h"
#include "domain/work.h"

struct hand;

struct hand *hand_new(size_t most); /* keeps up to @most runs */
void hand_free(struct hand *hand);

/* One run, as it was saved. */
struct at_hand {
    struct run run;
    size_t n_tasks;
    struct task tasks[]; /* all of the run, by task_no */
};

/*
 * Takes the run of @ref out of the hand; it lives as long as the ctx. NULL: it is not at hand.
 * run.now_ms is Postgres' clock as last heard, gone on.
 */
struct at_hand *hand_take(struct hand *hand, struct rv_ctx *cx, const struct task_ref *ref);

/* Puts in what was committed, unless a newer one is there; @n tasks, which are all the run has. */
void hand_put(struct hand *hand, const struct run *run, struct task *const *tasks, size_t n);

/* Throws out what somebody is going to change who does not take. */
void hand_drop(struct hand *hand, const struct task_ref *ref);

/* Gives nothing for a while: somebody else saves runs too, and what is at hand is often old. */
void hand_rest(struct hand *hand);

/* Postgres has said what time it is, to a question of @asked_ms on the monotonic clock. */
void hand_heard(struct hand *hand, int64_t now_ms, int64_t asked_ms);
