#include "domain/work.h"

RV_ENUM_DEFINE(admit_verdict, ADMIT_VERDICTS)
RV_ENUM_DEFINE(control_verdict, CONTROL_VERDICTS)
RV_ENUM_DEFINE(claim_verdict, CLAIM_VERDICTS)
RV_ENUM_DEFINE(outcome, OUTCOMES)
RV_ENUM_DEFINE(report_verdict, REPORT_VERDICTS)
RV_ENUM_DEFINE(call_kind, CALL_KINDS)

/* clang-format off */
static const struct rv_field run_ask_fields[] = {
    RV_UUID(run_ask, tenant_id, 0),
    RV_UUID(run_ask, run_id, 0),
    RV_UUID(run_ask, project_id, 0),
    RV_UUID(run_ask, plan_id, 0),
    RV_ENUM(run_ask, priority, priority, 0),
    RV_JSON(run_ask, input, 0),
    RV_JSON(run_ask, labels, 0),
    RV_INT(run_ask,  limit_microusd, 0),
    RV_INT(run_ask,  limit_tokens, 0),
    RV_TEXT(run_ask, idempotency_key, 0),
    RV_TEXT(run_ask, request_hash, 0),
    RV_TEXT(run_ask, created_by, 0),
    RV_TEXT(run_ask, trace_id, 0),
};
RV_RECORD(run_ask, run_ask_fields);

static const struct rv_field run_answer_fields[] = {
    RV_ENUM(run_answer, verdict, admit_verdict, 0),
    RV_UUID(run_answer, run_id, 0),
    RV_TEXT(run_answer, reason, RV_UNSET),
    RV_UUID(run_answer, decision_id, RV_UNSET),
    RV_TEXT(run_answer, policy, RV_UNSET),
    RV_TEXT(run_answer, rule, RV_UNSET),
    RV_UUID(run_answer, approval_id, RV_UNSET),
    RV_TEXT(run_answer, budget, RV_UNSET),
    RV_INT(run_answer,  left_microusd, RV_UNSET),
    RV_INT(run_answer,  left_tokens, RV_UNSET),
};
RV_RECORD(run_answer, run_answer_fields);

static const struct rv_field run_control_fields[] = {
    RV_UUID(run_control, tenant_id, 0),
    RV_UUID(run_control, run_id, 0),
    RV_ENUM(run_control, verb, run_event, 0),
    RV_TEXT(run_control, reason, 0),
    RV_TEXT(run_control, by, 0),
};
RV_RECORD(run_control, run_control_fields);

static const struct rv_field run_controlled_fields[] = {
    RV_ENUM(run_controlled, verdict, control_verdict, 0),
    RV_ENUM(run_controlled, state, run_state, 0),
    RV_ENUM(run_controlled, phase, run_phase, 0),
};
RV_RECORD(run_controlled, run_controlled_fields);

static const struct rv_field task_ref_fields[] = {
    RV_UUID(task_ref, tenant_id, 0),
    RV_UUID(task_ref, run_id, 0),
    RV_INT(task_ref,  task_no, 0),
};
RV_RECORD(task_ref, task_ref_fields);

static const struct rv_field task_bundle_fields[] = {
    RV_LIST(task_bundle, items, task_ref, 0),
};
RV_RECORD(task_bundle, task_bundle_fields);

static const struct rv_field task_claim_fields[] = {
    RV_UUID(task_claim, tenant_id, 0),
    RV_UUID(task_claim, run_id, 0),
    RV_INT(task_claim,  task_no, 0),
    RV_TEXT(task_claim, executor_id, 0),
};
RV_RECORD(task_claim, task_claim_fields);

static const struct rv_field task_claimed_fields[] = {
    RV_ENUM(task_claimed, verdict, claim_verdict, 0),
    RV_UUID(task_claimed, tenant_id, 0),
    RV_UUID(task_claimed, run_id, 0),
    RV_INT(task_claimed,  task_no, 0),
    RV_INT(task_claimed,  fence, 0),
    RV_INT(task_claimed,  attempt, 0),
    RV_INT(task_claimed,  calls, 0),
    RV_INT(task_claimed,  lease_ms, 0),
    RV_UUID(task_claimed, plan_id, 0),
    RV_UUID(task_claimed, project_id, 0),
    RV_UUID(task_claimed, hold_id, 0),
    RV_TEXT(task_claimed, trace_id, 0),
    RV_JSON(task_claimed, input, 0),
    RV_JSON(task_claimed, outputs, 0),
    RV_TEXTS(task_claimed, skipped, 0),
};
RV_RECORD(task_claimed, task_claimed_fields);

static const struct rv_field task_offer_fields[] = {
    RV_TEXT(task_offer,  executor_id, 0),
    RV_TEXTS(task_offer, classes, 0),
    RV_TEXTS(task_offer, at_once, 0),
    RV_INT(task_offer,   places, 0),
};
RV_RECORD(task_offer, task_offer_fields);

static const struct rv_field task_grants_fields[] = {
    RV_LIST(task_grants, items, task_claimed, 0),
};
RV_RECORD(task_grants, task_grants_fields);

static const struct rv_field task_report_fields[] = {
    RV_UUID(task_report, tenant_id, 0),
    RV_UUID(task_report, run_id, 0),
    RV_INT(task_report,  task_no, 0),
    RV_INT(task_report,  fence, 0),
    RV_TEXT(task_report, executor_id, 0),
    RV_ENUM(task_report, outcome, outcome, 0),
    RV_JSON(task_report, output, 0),
    RV_SUB(task_report,  failure, failure, 0),
    RV_UUID(task_report, approval_id, 0),
    RV_INT(task_report,  retry_after_ms, 0),
    RV_BOOL(task_report, wants_next, 0),
};
RV_RECORD(task_report, task_report_fields);

static const struct rv_field task_reported_fields[] = {
    RV_ENUM(task_reported, verdict, report_verdict, 0),
    RV_SUB(task_reported,  next, task_claimed, 0),
};
RV_RECORD(task_reported, task_reported_fields);

static const struct rv_field task_renew_fields[] = {
    RV_UUID(task_renew, tenant_id, 0),
    RV_UUID(task_renew, run_id, 0),
    RV_INT(task_renew,  task_no, 0),
    RV_INT(task_renew,  fence, 0),
    RV_TEXT(task_renew, executor_id, 0),
};
RV_RECORD(task_renew, task_renew_fields);

static const struct rv_field task_renewed_fields[] = {
    RV_ENUM(task_renewed, verdict, report_verdict, 0),
    RV_INT(task_renewed,  lease_ms, 0),
};
RV_RECORD(task_renewed, task_renewed_fields);

static const struct rv_field task_call_fields[] = {
    RV_UUID(task_call,  tenant_id, 0),
    RV_UUID(task_call,  run_id, 0),
    RV_INT(task_call,   task_no, 0),
    RV_INT(task_call,   fence, 0),
    RV_INT(task_call,   call_no, 0),
    RV_ENUM(task_call,  kind, call_kind, 0),
    RV_TEXT(task_call,  name, 0),
    RV_TEXT(task_call,  provider, 0),
    RV_BYTES(task_call, frame, 0),
    RV_JSON(task_call,  request, 0),
    RV_JSON(task_call,  response, 0),
    RV_BOOL(task_call,  ok, 0),
    RV_TEXT(task_call,  error, 0),
    RV_INT(task_call,   cost_microusd, 0),
    RV_INT(task_call,   tokens_in, 0),
    RV_INT(task_call,   tokens_cached, 0),
    RV_INT(task_call,   tokens_out, 0),
    RV_UUID(task_call,  decision_id, 0),
    RV_UUID(task_call,  hold_id, 0),
    RV_INT(task_call,   started_at_ms, 0),
    RV_INT(task_call,   took_ms, 0),
};
RV_RECORD(task_call, task_call_fields);

/* A recorded call as a client sees it: GET /v1/runs/{run_id}/steps. */
static const struct rv_field task_call_view_fields[] = {
    RV_UUID(task_call,  run_id, 0),
    RV_INT(task_call,   task_no, 0),
    RV_INT(task_call,   call_no, 0),
    RV_ENUM(task_call,  kind, call_kind, 0),
    RV_TEXT(task_call,  name, 0),
    RV_TEXT(task_call,  provider, RV_UNSET),
    RV_JSON(task_call,  request, 0),
    RV_JSON(task_call,  response, 0),
    RV_BOOL(task_call,  ok, 0),
    RV_TEXT(task_call,  error, RV_UNSET),
    RV_INT(task_call,   cost_microusd, 0),
    RV_INT(task_call,   tokens_in, 0),
    RV_INT(task_call,   tokens_cached, 0),
    RV_INT(task_call,   tokens_out, 0),
    RV_UUID(task_call,  decision_id, 0),
    RV_UUID(task_call,  hold_id, 0),
    RV_INT(task_call,   started_at_ms, 0),
    RV_INT(task_call,   took_ms, 0),
};
const struct rv_record task_call_view_record = {
    "step_view", sizeof(struct task_call), task_call_view_fields,
    sizeof(task_call_view_fields) / sizeof(task_call_view_fields[0])
};

static const struct rv_field task_recorded_fields[] = {
    RV_ENUM(task_recorded, verdict, report_verdict, 0),
};
RV_RECORD(task_recorded, task_recorded_fields);

static const struct rv_field journal_ask_fields[] = {
    RV_UUID(journal_ask, tenant_id, 0),
    RV_UUID(journal_ask, run_id, 0),
    RV_INT(journal_ask,  task_no, 0),
    RV_INT(journal_ask,  after_call_no, 0),
};
RV_RECORD(journal_ask, journal_ask_fields);

static const struct rv_field journal_fields[] = {
    RV_LIST(journal, calls, task_call, 0),
};
RV_RECORD(journal, journal_fields);

static const struct rv_field plan_ask_fields[] = {
    RV_UUID(plan_ask, tenant_id, 0),
    RV_UUID(plan_ask, plan_id, 0),
};
RV_RECORD(plan_ask, plan_ask_fields);

static const struct rv_field plan_text_fields[] = {
    RV_JSON(plan_text, spec, 0),
};
RV_RECORD(plan_text, plan_text_fields);

static const struct rv_field approval_ref_fields[] = {
    RV_UUID(approval_ref, tenant_id, 0),
    RV_UUID(approval_ref, approval_id, 0),
};
RV_RECORD(approval_ref, approval_ref_fields);
/* clang-format on */
