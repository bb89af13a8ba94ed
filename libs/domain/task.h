#pragma once

/*
 * Tasks: the claimable units inside a run (DOMAIN §8.1). A task has at most one live attempt; its
 * fence rises with every claim and every loss, and whoever writes about a task says which fence
 * it has: a stale one changes nothing.
 */

#include "base/fsm.h"
#include "base/record.h"
#include "domain/run.h"

#define TASK_STATES(X)                                                                             \
    X(TASK_PENDING, 1, "pending")                                                                  \
    X(TASK_READY, 2, "ready")                                                                      \
    X(TASK_CLAIMED, 3, "claimed")                                                                  \
    X(TASK_IN_PROGRESS, 4, "in_progress")                                                          \
    X(TASK_AWAITING_APPROVAL, 5, "awaiting_approval")                                              \
    X(TASK_OUTPUT_PENDING_ASSESSMENT, 6, "output_pending_assessment")                              \
    X(TASK_ESCALATED, 7, "escalated")                                                              \
    X(TASK_COMPLETED, 8, "completed")                                                              \
    X(TASK_FAILED, 9, "failed")                                                                    \
    X(TASK_CANCELLED, 10, "cancelled")
RV_ENUM_DECLARE(task_state, TASK_STATES)

#define TASK_EVENTS(X)                                                                             \
    X(TASK_RELEASE, 1, "release")                                                                  \
    X(TASK_CLAIM, 2, "claim")                                                                      \
    X(TASK_START, 3, "start")                                                                      \
    X(TASK_COMPLETE, 4, "complete")                                                                \
    X(TASK_FAIL, 5, "fail")                                                                        \
    X(TASK_CANCEL, 6, "cancel")                                                                    \
    X(TASK_ASK_APPROVAL, 7, "ask_approval")                                                        \
    X(TASK_APPROVE, 8, "approve")                                                                  \
    X(TASK_ASSESS, 9, "assess")                                                                    \
    X(TASK_REWORK, 10, "rework")                                                                   \
    X(TASK_ESCALATE, 11, "escalate")                                                               \
    X(TASK_RETRY, 12, "retry")                                                                     \
    X(TASK_LOSE, 13, "lose")                                                                       \
    X(TASK_BACK_OFF, 14, "back_off")                                                               \
    X(TASK_OVERTURN, 15, "overturn")                                                               \
    X(TASK_OVERRIDE, 16, "override")
RV_ENUM_DECLARE(task_event, TASK_EVENTS)

extern const struct rv_fsm task_machine;  /* what anybody may ask for */
extern const struct rv_fsm task_recovery; /* what only the scheduler does, to mend things */

/* The state that @event leads to from @state by either table, or 0. */
enum task_state task_next(enum task_state state, enum task_event event);
bool task_is_over(enum task_state state);
bool task_is_live(enum task_state state); /* an executor holds it */

struct task {
    const char *tenant_id, *run_id;
    int64_t task_no; /* its place in the plan */
    const char *node_id, *kind;
    enum task_state state;
    int64_t fence;      /* rises with every claim and every loss */
    int64_t attempt;    /* claims so far */
    int64_t open_needs; /* tasks before it that are not completed yet */
    int64_t calls;      /* recorded in its journal */
    const char *executor_id, *approval_id;
    int64_t lease_until_ms, not_before_ms, announced_at_ms; /* Postgres' clock */
    int64_t ready_at_ms, started_at_ms, ended_at_ms;
    bool skipped;               /* completed without having been done */
    const char *output, *error; /* JSON; error is a failure */
    int64_t cost_microusd, tokens_in, tokens_out;
    bool changed; /* not kept: this unit of work must save it */
};
extern const struct rv_record task_record;      /* as it is kept */
extern const struct rv_record task_view_record; /* as a client sees it */
