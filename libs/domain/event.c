#include "domain/event.h"

/* clang-format off */
static const struct rv_field event_fields[] = {
    RV_INT(event,  seq, 0),
    RV_UUID(event, tenant_id, 0),
    RV_UUID(event, project_id, 0),
    RV_UUID(event, run_id, 0),
    RV_INT(event,  run_seq, 0),
    RV_TEXT(event, type, 0),
    RV_TEXT(event, node_id, 0),
    RV_JSON(event, data, 0),
    RV_TEXT(event, trace_id, 0),
    RV_INT(event,  at_ms, 0),
};
RV_RECORD(event, event_fields);

static const struct rv_field event_row_fields[] = {
    RV_TEXT(event, xid, 0),
    RV_INT(event,  seq, 0),
    RV_UUID(event, tenant_id, 0),
    RV_UUID(event, project_id, 0),
    RV_UUID(event, run_id, 0),
    RV_INT(event,  run_seq, 0),
    RV_TEXT(event, type, 0),
    RV_TEXT(event, node_id, 0),
    RV_JSON(event, data, 0),
    RV_TEXT(event, trace_id, 0),
    RV_INT(event,  at_ms, 0),
};
const struct rv_record event_row_record = { "event_row", sizeof(struct event), event_row_fields,
                                            sizeof(event_row_fields) / sizeof(event_row_fields[0]) };

static const struct rv_field event_view_fields[] = {
    RV_INT(event,  seq, 0),
    RV_UUID(event, project_id, 0),
    RV_UUID(event, run_id, 0),
    RV_INT(event,  run_seq, 0),
    RV_TEXT(event, type, 0),
    RV_TEXT(event, node_id, RV_UNSET),
    RV_JSON(event, data, 0),
    RV_TEXT(event, trace_id, RV_UNSET),
    RV_INT(event,  at_ms, 0),
};
const struct rv_record event_view_record = { "event_view", sizeof(struct event), event_view_fields,
                                             sizeof(event_view_fields) / sizeof(event_view_fields[0]) };

static const struct rv_field event_add_fields[] = {
    RV_UUID(event_add, tenant_id, 0),
    RV_UUID(event_add, run_id, 0),
    RV_TEXT(event_add, type, 0),
    RV_TEXT(event_add, key, 0),
    RV_JSON(event_add, data, 0),
};
RV_RECORD(event_add, event_add_fields);

static const struct rv_field event_added_fields[] = {
    RV_UUID(event_added, run_id, 0),
    RV_INT(event_added,  run_seq, 0),
};
RV_RECORD(event_added, event_added_fields);

static const struct rv_field live_delta_fields[] = {
    RV_UUID(live_delta, tenant_id, 0),
    RV_UUID(live_delta, run_id, 0),
    RV_TEXT(live_delta, node_id, 0),
    RV_TEXT(live_delta, kind, 0),
    RV_TEXT(live_delta, delta, 0),
    RV_INT(live_delta,  call_no, 0),
    RV_INT(live_delta,  index, 0),
};
RV_RECORD(live_delta, live_delta_fields);
/* clang-format on */

const char *const event_types[] = {
    "run.created",
    "run.approval_required",
    "run.approved",
    "run.denied",
    "run.started",
    "run.cancel_requested",
    "run.completed",
    "run.failed",
    "run.cancelled",
    "task.started",
    "task.completed",
    "task.skipped",
    "task.failed",
    "task.retry_scheduled",
    "task.lease_expired",
    "task.approval_requested",
    "task.approved",
    "task.approval_refused",
    "task.cancelled",
    "task.handed_back",
    "llm.generation_finished",
    "tool.call_finished",
    "evaluation.completed",
    NULL,
};
