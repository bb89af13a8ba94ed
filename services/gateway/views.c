#include "views.h"

/* clang-format off */
#define OF(KIND_, member, flags_)                                                                  \
    { .name = #member, .kind = RV_KIND_##KIND_, .flags = (flags_),                                 \
      .offset = offsetof(struct budget_view, budget.member) }

static const struct rv_field budget_view_fields[] = {
    OF(UUID, budget_id, 0),
    OF(UUID, project_id, RV_UNSET),
    OF(TEXT, name, 0),
    { .name = "state", .kind = RV_KIND_ENUM, .offset = offsetof(struct budget_view, budget.state),
      .values = &budget_state_enum },
    OF(INT, limit_microusd, 0),
    OF(INT, limit_tokens, 0),
    OF(INT, held_microusd, 0),
    OF(INT, spent_microusd, 0),
    RV_INT(budget_view, left_microusd, 0),
    OF(INT, held_tokens, 0),
    OF(INT, spent_tokens, 0),
    RV_INT(budget_view, left_tokens, 0),
    OF(INT, rev, 0),
    OF(INT, created_at_ms, 0),
    OF(INT, updated_at_ms, 0),
};
const struct rv_record budget_view_record = {
    "budget", sizeof(struct budget_view), budget_view_fields,
    sizeof(budget_view_fields) / sizeof(budget_view_fields[0])
};

static const struct rv_field usage_fields[] = {
    RV_UUID(usage, hold_id, 0),
    RV_INT(usage,  task_no, 0),
    RV_INT(usage,  call_no, 0),
    RV_TEXT(usage, provider, RV_UNSET),
    RV_TEXT(usage, model, RV_UNSET),
    RV_INT(usage,  tokens_in, 0),
    RV_INT(usage,  tokens_cached, 0),
    RV_INT(usage,  tokens_out, 0),
    RV_INT(usage,  cost_microusd, 0),
    RV_BOOL(usage, unconfirmed, RV_UNSET),
    RV_INT(usage,  used_at_ms, 0),
};
RV_RECORD(usage, usage_fields);

static const struct rv_field hold_view_fields[] = {
    RV_UUID(hold_row, hold_id, 0),
    RV_ENUM(hold_row, state, hold_state, 0),
    RV_INT(hold_row,  amount_microusd, 0),
    RV_INT(hold_row,  amount_tokens, 0),
    RV_INT(hold_row,  used_microusd, 0),
    RV_INT(hold_row,  used_tokens, 0),
    RV_INT(hold_row,  drawn_microusd, 0),
    RV_INT(hold_row,  drawn_tokens, 0),
    RV_INT(hold_row,  expires_at_ms, RV_UNSET),
    RV_INT(hold_row,  created_at_ms, 0),
    RV_INT(hold_row,  closed_at_ms, RV_UNSET),
};
const struct rv_record hold_view_record = {
    "hold", sizeof(struct hold_row), hold_view_fields,
    sizeof(hold_view_fields) / sizeof(hold_view_fields[0])
};

static const struct rv_field evaluation_view_fields[] = {
    RV_UUID(evaluation, evaluation_id, 0),
    RV_UUID(evaluation, run_id, 0),
    RV_TEXT(evaluation, scorer, 0),
    RV_ENUM(evaluation, kind, scorer_kind, 0),
    RV_DOUBLE(evaluation, score, 0),
    RV_DOUBLE(evaluation, weight, 0),
    RV_BOOL(evaluation, passed, 0),
    RV_TEXT(evaluation, reason, 0),
    RV_INT(evaluation, created_at_ms, 0),
};
const struct rv_record evaluation_view_record = {
    "evaluation", sizeof(struct evaluation), evaluation_view_fields,
    sizeof(evaluation_view_fields) / sizeof(evaluation_view_fields[0])
};

static const struct rv_field run_budget_fields[] = {
    RV_UUID(run_budget, run_id, 0),
    { .name = "hold", .kind = RV_KIND_RECORD, .offset = offsetof(struct run_budget, hold),
      .element = &hold_view_record },
    RV_LIST(run_budget, usage, usage, 0),
};
RV_RECORD(run_budget, run_budget_fields);
/* clang-format on */

struct budget_view budget_view_of(const struct budget *budget)
{
    return (struct budget_view){ *budget, budget_left_microusd(budget),
                                 budget_left_tokens(budget) };
}
