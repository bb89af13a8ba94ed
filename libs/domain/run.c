#include "domain/run.h"

RV_ENUM_DEFINE(run_state, RUN_STATES)
RV_ENUM_DEFINE(run_phase, RUN_PHASES)
RV_ENUM_DEFINE(run_event, RUN_EVENTS)
RV_ENUM_DEFINE(priority, PRIORITIES)

/* clang-format off */
static const struct rv_fsm_step steps[] = {
    /* from        event       to             why */
    { RUN_PENDING, RUN_START,  RUN_RUNNING,   "its first task was claimed" },
    { RUN_PENDING, RUN_REFUSE, RUN_FAILED,    "policy or budget said no, an approval was refused, or it expired" },
    { RUN_PENDING, RUN_CANCEL, RUN_CANCELLED, "asked to stop before it began" },
    { RUN_PENDING, RUN_FINISH, RUN_COMPLETED, "there was nothing to do" },
    { RUN_RUNNING, RUN_PAUSE,  RUN_PAUSED,    "an operator, a soft budget or a question stopped it for now" },
    { RUN_RUNNING, RUN_FINISH, RUN_COMPLETED, "every task is done" },
    { RUN_RUNNING, RUN_BREAK,  RUN_FAILED,    "a task failed and has no way on" },
    { RUN_RUNNING, RUN_CANCEL, RUN_CANCELLED, "asked to stop, and nothing of it is live any more" },
    { RUN_PAUSED,  RUN_RESUME, RUN_RUNNING,   "resumed, topped up or answered" },
    { RUN_PAUSED,  RUN_BREAK,  RUN_FAILED,    "its deadline passed while it was paused" },
    { RUN_PAUSED,  RUN_CANCEL, RUN_CANCELLED, "asked to stop while it was paused" },
};

static const struct rv_field failure_fields[] = {
    RV_TEXT(failure, code, 0),
    RV_TEXT(failure, message, 0),
    RV_BOOL(failure, retryable, 0),
};
RV_RECORD(failure, failure_fields);

static const struct rv_field run_fields[] = {
    RV_UUID(run, tenant_id, 0),
    RV_UUID(run, run_id, 0),
    RV_UUID(run, project_id, 0),
    RV_UUID(run, plan_id, 0),
    RV_TEXT(run, name, 0),
    RV_ENUM(run, state, run_state, 0),
    RV_ENUM(run, phase, run_phase, 0),
    RV_ENUM(run, priority, priority, 0),
    RV_JSON(run, input, 0),
    RV_JSON(run, output, 0),
    RV_JSON(run, error, 0),
    RV_JSON(run, labels, 0),
    RV_UUID(run, decision_id, 0),
    RV_UUID(run, hold_id, 0),
    RV_UUID(run, approval_id, 0),
    RV_INT(run,  limit_microusd, 0),
    RV_INT(run,  limit_tokens, 0),
    RV_INT(run,  cost_microusd, 0),
    RV_INT(run,  tokens_in, 0),
    RV_INT(run,  tokens_out, 0),
    RV_INT(run,  run_seq, 0),
    RV_INT(run,  version, 0),
    RV_INT(run,  seen_seq, 0),
    RV_INT(run,  tasks_total, 0),
    RV_INT(run,  tasks_open, 0),
    RV_INT(run,  tasks_live, 0),
    RV_TEXT(run, idempotency_key, 0),
    RV_TEXT(run, request_hash, 0),
    RV_TEXT(run, created_by, 0),
    RV_TEXT(run, trace_id, 0),
    RV_INT(run,  created_at_ms, 0),
    RV_INT(run,  started_at_ms, 0),
    RV_INT(run,  ended_at_ms, 0),
    RV_INT(run,  cancel_requested_at_ms, 0),
    RV_INT(run,  deadline_at_ms, 0),
    RV_INT(run,  now_ms, 0),
};
RV_RECORD(run, run_fields);

static const struct rv_field run_view_fields[] = {
    RV_UUID(run, run_id, 0),
    RV_UUID(run, project_id, 0),
    RV_TEXT(run, name, 0),
    RV_ENUM(run, state, run_state, 0),
    RV_ENUM(run, phase, run_phase, 0),
    RV_ENUM(run, priority, priority, 0),
    RV_JSON(run, input, RV_UNSET),
    RV_JSON(run, output, RV_UNSET),
    RV_JSON(run, error, RV_UNSET),
    RV_JSON(run, labels, RV_UNSET),
    RV_UUID(run, plan_id, 0),
    RV_UUID(run, decision_id, 0),
    RV_UUID(run, hold_id, 0),
    RV_UUID(run, approval_id, RV_UNSET),
    RV_INT(run,  limit_microusd, RV_UNSET),
    RV_INT(run,  limit_tokens, RV_UNSET),
    RV_INT(run,  cost_microusd, 0),
    RV_INT(run,  tokens_in, 0),
    RV_INT(run,  tokens_out, 0),
    RV_INT(run,  run_seq, 0),
    RV_INT(run,  tasks_total, 0),
    RV_INT(run,  tasks_open, 0),
    RV_TEXT(run, created_by, RV_UNSET),
    RV_TEXT(run, trace_id, RV_UNSET),
    RV_INT(run,  created_at_ms, 0),
    RV_INT(run,  started_at_ms, RV_UNSET),
    RV_INT(run,  ended_at_ms, RV_UNSET),
    RV_INT(run,  cancel_requested_at_ms, RV_UNSET),
};
const struct rv_record run_view_record = { "run_view", sizeof(struct run), run_view_fields,
                                           sizeof(run_view_fields) / sizeof(run_view_fields[0]) };
/* clang-format on */

const struct rv_fsm run_machine = { &run_state_enum, &run_event_enum, steps,
                                    sizeof(steps) / sizeof(steps[0]) };

enum run_state run_next(enum run_state state, enum run_event event)
{
    const struct rv_fsm_step *step = rv_fsm_step(&run_machine, (int)state, (int)event);

    return step ? (enum run_state)step->to : 0;
}

bool run_is_over(enum run_state state)
{
    return state == RUN_COMPLETED || state == RUN_FAILED || state == RUN_CANCELLED;
}
