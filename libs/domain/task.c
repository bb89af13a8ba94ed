#include "domain/task.h"

RV_ENUM_DEFINE(task_state, TASK_STATES)
RV_ENUM_DEFINE(task_event, TASK_EVENTS)

/* clang-format off */
static const struct rv_fsm_step steps[] = {
    /* from                            event              to                              why */
    { TASK_PENDING,                    TASK_RELEASE,      TASK_READY,                     "everything it needs is completed" },
    { TASK_PENDING,                    TASK_ASK_APPROVAL, TASK_AWAITING_APPROVAL,         "a policy wants a human's approval first" },
    { TASK_PENDING,                    TASK_CANCEL,       TASK_CANCELLED,                 "its run was cancelled" },
    { TASK_READY,                      TASK_CLAIM,        TASK_CLAIMED,                   "an executor took it" },
    { TASK_READY,                      TASK_CANCEL,       TASK_CANCELLED,                 "its run was cancelled" },
    { TASK_CLAIMED,                    TASK_START,        TASK_IN_PROGRESS,               "the executor began it" },
    { TASK_CLAIMED,                    TASK_CANCEL,       TASK_CANCELLED,                 "its run was cancelled" },
    { TASK_IN_PROGRESS,                TASK_COMPLETE,     TASK_COMPLETED,                 "its output was accepted" },
    { TASK_IN_PROGRESS,                TASK_FAIL,         TASK_FAILED,                    "it failed and has no retry left" },
    { TASK_IN_PROGRESS,                TASK_ASSESS,       TASK_OUTPUT_PENDING_ASSESSMENT, "its output must be reviewed" },
    { TASK_IN_PROGRESS,                TASK_ESCALATE,     TASK_ESCALATED,                 "the agent asked for help" },
    { TASK_IN_PROGRESS,                TASK_CANCEL,       TASK_CANCELLED,                 "its run was cancelled" },
    { TASK_AWAITING_APPROVAL,          TASK_APPROVE,      TASK_READY,                     "a human approved it" },
    { TASK_AWAITING_APPROVAL,          TASK_CANCEL,       TASK_CANCELLED,                 "refused, or its run was cancelled" },
    { TASK_OUTPUT_PENDING_ASSESSMENT,  TASK_COMPLETE,     TASK_COMPLETED,                 "the review accepted its output" },
    { TASK_OUTPUT_PENDING_ASSESSMENT,  TASK_REWORK,       TASK_READY,                     "the review asked for changes" },
    { TASK_OUTPUT_PENDING_ASSESSMENT,  TASK_FAIL,         TASK_FAILED,                    "the review rejected its output" },
    { TASK_OUTPUT_PENDING_ASSESSMENT,  TASK_CANCEL,       TASK_CANCELLED,                 "its run was cancelled" },
    { TASK_ESCALATED,                  TASK_APPROVE,      TASK_READY,                     "resolved with guidance" },
    { TASK_ESCALATED,                  TASK_FAIL,         TASK_FAILED,                    "dismissed as hopeless" },
    { TASK_ESCALATED,                  TASK_CANCEL,       TASK_CANCELLED,                 "its run was cancelled" },
    { TASK_COMPLETED,                  TASK_OVERTURN,     TASK_FAILED,                    "a later check overturned it" },
    { TASK_FAILED,                     TASK_RETRY,        TASK_READY,                     "an operator tries again" },
    { TASK_FAILED,                     TASK_ESCALATE,     TASK_ESCALATED,                 "the failure was routed to a human" },
    { TASK_FAILED,                     TASK_CANCEL,       TASK_CANCELLED,                 "its run was cancelled" },
};

static const struct rv_fsm_step mending[] = {
    /* from                 event              to                      why */
    { TASK_CLAIMED,         TASK_LOSE,         TASK_READY,             "its lease ran out before it began" },
    { TASK_IN_PROGRESS,     TASK_LOSE,         TASK_READY,             "its lease ran out: the executor is gone or frozen" },
    { TASK_CLAIMED,         TASK_BACK_OFF,     TASK_PENDING,           "handed back or failed for now: tried again later" },
    { TASK_IN_PROGRESS,     TASK_BACK_OFF,     TASK_PENDING,           "failed for now: tried again later" },
    { TASK_IN_PROGRESS,     TASK_ASK_APPROVAL, TASK_AWAITING_APPROVAL, "one of its calls needs a human's approval; the journal keeps what was done" },
    { TASK_CLAIMED,         TASK_FAIL,         TASK_FAILED,            "lost too often" },
    { TASK_CLAIMED,         TASK_ESCALATE,     TASK_ESCALATED,         "the agent asked for help before it began" },
    { TASK_ESCALATED,       TASK_COMPLETE,     TASK_COMPLETED,         "a valid handoff for this attempt was there already" },
    { TASK_COMPLETED,       TASK_REWORK,       TASK_READY,             "an operator forces it again" },
    { TASK_CANCELLED,       TASK_REWORK,       TASK_READY,             "an operator forces it again" },
    { TASK_PENDING,         TASK_OVERRIDE,     TASK_COMPLETED,         "an operator skipped it or gave its output" },
    { TASK_READY,           TASK_OVERRIDE,     TASK_COMPLETED,         "an operator skipped it or gave its output" },
    { TASK_FAILED,          TASK_OVERRIDE,     TASK_COMPLETED,         "an operator skipped it or gave its output" },
};

static const struct rv_field task_fields[] = {
    RV_UUID(task, tenant_id, 0),
    RV_UUID(task, run_id, 0),
    RV_INT(task,  task_no, 0),
    RV_TEXT(task, node_id, 0),
    RV_TEXT(task, kind, 0),
    RV_ENUM(task, state, task_state, 0),
    RV_INT(task,  fence, 0),
    RV_INT(task,  attempt, 0),
    RV_INT(task,  open_needs, 0),
    RV_INT(task,  calls, 0),
    RV_TEXT(task, executor_id, 0),
    RV_UUID(task, approval_id, 0),
    RV_INT(task,  lease_until_ms, 0),
    RV_INT(task,  not_before_ms, 0),
    RV_INT(task,  announced_at_ms, 0),
    RV_INT(task,  ready_at_ms, 0),
    RV_INT(task,  started_at_ms, 0),
    RV_INT(task,  ended_at_ms, 0),
    RV_BOOL(task, skipped, 0),
    RV_JSON(task, output, 0),
    RV_JSON(task, error, 0),
    RV_INT(task,  cost_microusd, 0),
    RV_INT(task,  tokens_in, 0),
    RV_INT(task,  tokens_out, 0),
};
RV_RECORD(task, task_fields);

static const struct rv_field task_view_fields[] = {
    RV_UUID(task, run_id, 0),
    RV_INT(task,  task_no, 0),
    RV_TEXT(task, node_id, 0),
    RV_TEXT(task, kind, 0),
    RV_ENUM(task, state, task_state, 0),
    RV_INT(task,  attempt, 0),
    RV_INT(task,  open_needs, 0),
    RV_INT(task,  calls, 0),
    RV_TEXT(task, executor_id, RV_UNSET),
    RV_UUID(task, approval_id, RV_UNSET),
    RV_INT(task,  ready_at_ms, RV_UNSET),
    RV_INT(task,  started_at_ms, RV_UNSET),
    RV_INT(task,  ended_at_ms, RV_UNSET),
    RV_BOOL(task, skipped, RV_UNSET),
    RV_JSON(task, output, RV_UNSET),
    RV_JSON(task, error, RV_UNSET),
    RV_INT(task,  cost_microusd, 0),
    RV_INT(task,  tokens_in, 0),
    RV_INT(task,  tokens_out, 0),
};
const struct rv_record task_view_record = { "task_view", sizeof(struct task), task_view_fields,
                                            sizeof(task_view_fields) / sizeof(task_view_fields[0]) };
/* clang-format on */

const struct rv_fsm task_machine = { &task_state_enum, &task_event_enum, steps,
                                     sizeof(steps) / sizeof(steps[0]) };
const struct rv_fsm task_recovery = { &task_state_enum, &task_event_enum, mending,
                                      sizeof(mending) / sizeof(mending[0]) };

enum task_state task_next(enum task_state state, enum task_event event)
{
    const struct rv_fsm_step *step = rv_fsm_step(&task_machine, (int)state, (int)event);

    if (!step)
        step = rv_fsm_step(&task_recovery, (int)state, (int)event);
    return step ? (enum task_state)step->to : 0;
}

bool task_is_over(enum task_state state)
{
    return state == TASK_COMPLETED || state == TASK_FAILED || state == TASK_CANCELLED;
}

bool task_is_live(enum task_state state)
{
    return state == TASK_CLAIMED || state == TASK_IN_PROGRESS;
}
