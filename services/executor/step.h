#pragma once

/*
 * Steps: what each kind of node does. A step is one function over the work at hand; it leaves its
 * output there, or says why not.
 */

#include "executor/executor.h"
#include "executor/expr.h"

struct slot;

/* One attempt at one task. */
struct work {
    struct executor *executor;
    struct job *job;
    struct slot *slot; /* NULL: a step that touches nothing outside */
    const struct plan *plan;
    const struct node *node;
    struct expr expr;   /* ready after step_facts */
    int64_t cost_left;  /* what its expressions may still cost */
    const char *output; /* JSON; what the step came to */
    bool skipped;       /* it was not to be done */

    /* The journal: what earlier attempts recorded, and how far it has been read. */
    const struct task_call *calls;
    size_t n_calls, read;
    int64_t call_no; /* of the last call, recorded or new */

    const char *code; /* why it failed; NULL: by the status */
    bool retryable;
    int64_t retry_after_ms;
    const char *approval_id; /* it waits for a human */
};

typedef enum rv_status step_fn(struct rv_ctx *cx, struct work *work);

bool step_is_pure(enum step_kind kind);

/* Does the step of @job and writes what came out into it. */
void step_do(struct rv_ctx *cx, struct executor *executor, struct slot *slot, struct job *job);

/* Makes the facts that templates look at; once is enough. */
rv_result step_facts(struct rv_ctx *cx, struct work *work);

/* The step has failed: return step_fails(cx, work, "http_status", true, "…"). */
rv_result step_fails(struct rv_ctx *cx, struct work *work, const char *code, bool retryable,
                     const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Waits, but not beyond the deadline; fails when the job is to stop or time is up. */
rv_result step_wait(struct rv_ctx *cx, struct work *work, int64_t ms);

/* Before an effect outside: waits until the lease is fresh enough for it. */
rv_result step_may_act(struct rv_ctx *cx, struct work *work);

/* For the http client: whether the call should be given up. */
bool step_is_over(void *work);

step_fn step_noop, step_map, step_http, step_llm, step_agent;
