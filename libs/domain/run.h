#pragma once

/*
 * Runs: one execution of a workflow or an agent, and the only ways its state may change
 * (DOMAIN §8.2). The phase says more about a state and never changes what is legal.
 */

#include "base/fsm.h"
#include "base/record.h"

#define RUN_STATES(X)                                                                              \
    X(RUN_PENDING, 1, "pending")                                                                   \
    X(RUN_RUNNING, 2, "running")                                                                   \
    X(RUN_PAUSED, 3, "paused")                                                                     \
    X(RUN_COMPLETED, 4, "completed")                                                               \
    X(RUN_FAILED, 5, "failed")                                                                     \
    X(RUN_CANCELLED, 6, "cancelled")
RV_ENUM_DECLARE(run_state, RUN_STATES)

#define RUN_PHASES(X)                                                                              \
    X(PHASE_ADMISSION, 1, "admission")                                                             \
    X(PHASE_AWAITING_APPROVAL, 2, "awaiting_approval")                                             \
    X(PHASE_QUEUED, 3, "queued")                                                                   \
    X(PHASE_EXECUTING, 4, "executing")                                                             \
    X(PHASE_WAITING, 5, "waiting")                                                                 \
    X(PHASE_CANCELLING, 6, "cancelling")                                                           \
    X(PHASE_OPERATOR, 7, "operator")                                                               \
    X(PHASE_BUDGET, 8, "budget")                                                                   \
    X(PHASE_INTERRUPT, 9, "interrupt")                                                             \
    X(PHASE_DONE, 10, "done")                                                                      \
    X(PHASE_ERROR, 11, "error")                                                                    \
    X(PHASE_TIMEOUT, 12, "timeout")                                                                \
    X(PHASE_REJECTED, 13, "rejected")                                                              \
    X(PHASE_BUDGET_EXCEEDED, 14, "budget_exceeded")                                                \
    X(PHASE_EXPIRED, 15, "expired")                                                                \
    X(PHASE_WORKER_LOST, 16, "worker_lost")                                                        \
    X(PHASE_STUCK, 17, "stuck")                                                                    \
    X(PHASE_USER, 18, "user")                                                                      \
    X(PHASE_PARENT, 19, "parent")                                                                  \
    X(PHASE_POLICY, 20, "policy")                                                                  \
    X(PHASE_ESTOP, 21, "estop")
RV_ENUM_DECLARE(run_phase, RUN_PHASES)

#define RUN_EVENTS(X)                                                                              \
    X(RUN_START, 1, "start")                                                                       \
    X(RUN_REFUSE, 2, "refuse")                                                                     \
    X(RUN_PAUSE, 3, "pause")                                                                       \
    X(RUN_RESUME, 4, "resume")                                                                     \
    X(RUN_FINISH, 5, "finish")                                                                     \
    X(RUN_BREAK, 6, "break")                                                                       \
    X(RUN_CANCEL, 7, "cancel")
RV_ENUM_DECLARE(run_event, RUN_EVENTS)

#define PRIORITIES(X)                                                                              \
    X(PRIORITY_CRITICAL, 1, "critical")                                                            \
    X(PRIORITY_HIGH, 2, "high")                                                                    \
    X(PRIORITY_NORMAL, 3, "normal")                                                                \
    X(PRIORITY_LOW, 4, "low")
RV_ENUM_DECLARE(priority, PRIORITIES)

extern const struct rv_fsm run_machine;

/* The state that @event leads to from @state, or 0 when it leads nowhere. */
enum run_state run_next(enum run_state state, enum run_event event);
bool run_is_over(enum run_state state);

/* Why a run or a task did not work, for people and for retries. */
struct failure {
    const char *code;    /* a short word: timeout, policy_denied, over_budget, tool_failed, … */
    const char *message; /* what happened, in words */
    bool retryable;
};
extern const struct rv_record failure_record;

struct run {
    const char *tenant_id, *run_id, *project_id, *plan_id;
    const char *name; /* of the workflow or agent */
    enum run_state state;
    enum run_phase phase;
    enum priority priority;
    const char *input, *output, *error, *labels; /* JSON; error is a failure */
    const char *decision_id, *hold_id, *approval_id;
    int64_t limit_microusd, limit_tokens; /* what it may spend at most */
    int64_t cost_microusd, tokens_in, tokens_out;
    int64_t run_seq;                 /* number of its last event */
    int64_t version;                 /* rises with every change of it or of its tasks */
    int64_t tasks_total, tasks_open; /* open: not over yet */
    int64_t tasks_live;              /* claimed or in progress */
    const char *idempotency_key, *request_hash, *created_by, *trace_id;
    int64_t created_at_ms, started_at_ms, ended_at_ms, cancel_requested_at_ms, deadline_at_ms;
    int64_t seen_seq; /* run_seq as it was before this unit of work */
    int64_t now_ms;   /* Postgres' clock when the row was read */
    bool changed;     /* not kept: this unit of work must save it */
};
extern const struct rv_record run_record;      /* as it is kept */
extern const struct rv_record run_view_record; /* as a client sees it */
