#pragma once

/*
 * Journal: every outside call of a step is recorded before the step goes on, so that the next
 * attempt goes on after it instead of making it again. Reading and making calls look the same to
 * a step: it asks for the recorded one first.
 */

#include "executor/govern.h"

/* Reads what earlier attempts recorded, and settles all of it once more. */
rv_result journal_open(struct rv_ctx *cx, struct work *work);

/* The next recorded call, which must be of @kind; NULL: there is none, it has to be made. */
rv_result journal_next(struct rv_ctx *cx, struct work *work, enum call_kind kind,
                       const struct task_call **call);

/* What is to be recorded of a call that was made. */
struct made_call {
    enum call_kind kind;
    const char *name, *provider;
    const struct permit *permit;
    struct rv_in frame;             /* the record that the next attempt will need */
    const char *request, *response; /* for people; cut */
    const char *error;              /* NULL: it went well */
    struct used used;
    int64_t started_at_ms, took_ms;
};

/*
 * Records @call and then settles its hold: in this order a crash between the two repeats no call;
 * the next attempt settles it again. Fails when the task is no longer ours; waits for a scheduler
 * that does not answer as long as the lease lasts and this process is not to end. A frame that no
 * page of the journal has room for is not recorded: the step fails.
 */
rv_result journal_add(struct rv_ctx *cx, struct work *work, const struct made_call *call);
