#include "asks.h"

#include "base/ctx.h"

/* clang-format off */
#define OURS (RV_SECRET | RV_READONLY)
#define WHO(tag) RV_UUID(tag, tenant_id, OURS), RV_UUID(tag, key_project, OURS)
#define ID(name_)                                                                                  \
    { .name = name_, .kind = RV_KIND_UUID, .offset = offsetof(struct ask, id) }
#define ONE(tag, id_)                                                                              \
    static const struct rv_field tag##_fields[] = { WHO(ask), ID(id_) };                           \
    ASK(tag)
#define ASK(tag)                                                                                   \
    const struct rv_record tag##_record = {                                                        \
        #tag, sizeof(struct ask), tag##_fields, sizeof(tag##_fields) / sizeof(tag##_fields[0])     \
    };

ONE(project_ref, "project_id")
ONE(agent_ref, "agent_id")
ONE(tool_ref, "tool_id")
ONE(workflow_ref, "workflow_id")
ONE(policy_ref, "policy_id")
ONE(budget_ref, "budget_id")
ONE(run_ref, "run_id")
ONE(approval_ref_ask, "approval_id")

static const struct rv_field key_ref_fields[] = {
    WHO(ask),
    { .name = "key_id", .kind = RV_KIND_TEXT, .offset = offsetof(struct ask, id) },
};
ASK(key_ref)

static const struct rv_field key_page_fields[] = {
    WHO(ask), RV_INT(ask, limit, 0), RV_TEXT(ask, cursor, 0),
};
ASK(key_page)

static const struct rv_field project_new_fields[] = {
    WHO(ask), RV_UUID(ask, project_id, OURS), RV_TEXT(ask, name, RV_REQUIRED),
    RV_TEXT(ask, description, 0), RV_BOOL(ask, upsert, 0),
};
ASK(project_new)

static const struct rv_field project_change_fields[] = {
    WHO(ask), RV_UUID(ask, project_id, 0), RV_TEXT(ask, name, 0), RV_TEXT(ask, description, 0),
};
ASK(project_change)

static const struct rv_field project_page_fields[] = {
    WHO(ask), RV_TEXT(ask, name, 0), RV_INT(ask, limit, 0), RV_UUID(ask, cursor, 0),
};
ASK(project_page)

static const struct rv_field definition_page_fields[] = {
    WHO(ask), RV_ENUM(ask, kind, definition_kind, OURS), RV_UUID(ask, project_id, 0),
    RV_TEXT(ask, project, 0), RV_TEXT(ask, name, 0), RV_INT(ask, limit, 0), RV_UUID(ask, cursor, 0),
};
ASK(definition_page)

static const struct rv_field run_page_fields[] = {
    WHO(ask), RV_UUID(ask, project_id, 0), RV_TEXT(ask, project, 0), RV_ENUM(ask, state, run_state, 0),
    RV_INT(ask, limit, 0), RV_UUID(ask, cursor, 0),
};
ASK(run_page)

static const struct rv_field run_part_fields[] = {
    WHO(ask), ID("run_id"), RV_INT(ask, limit, 0),
    { .name = "cursor", .kind = RV_KIND_INT, .offset = offsetof(struct ask, number) },
};
ASK(run_part)

static const struct rv_field run_cancel_fields[] = {
    WHO(ask), ID("run_id"), RV_TEXT(ask, reason, 0),
};
ASK(run_cancel)

static const struct rv_field run_log_fields[] = {
    WHO(ask), ID("run_id"), RV_INT(ask, limit, 0),
    { .name = "after", .kind = RV_KIND_INT, .offset = offsetof(struct ask, number) },
    { .name = "cursor", .kind = RV_KIND_INT, .offset = offsetof(struct ask, number) },
    RV_TEXT(ask, last_event_id, 0),
};
ASK(run_log)

static const struct rv_field event_log_fields[] = {
    WHO(ask), RV_UUID(ask, project_id, 0), RV_TEXT(ask, project, 0), RV_TEXT(ask, type, 0),
    RV_INT(ask, limit, 0), RV_TEXT(ask, after, 0),
    { .name = "cursor", .kind = RV_KIND_TEXT, .offset = offsetof(struct ask, after) },
    RV_TEXT(ask, last_event_id, 0),
};
ASK(event_log)

static const struct rv_field approval_page_fields[] = {
    WHO(ask), RV_UUID(ask, project_id, 0), RV_TEXT(ask, project, 0), RV_UUID(ask, run_id, 0),
    { .name = "state", .kind = RV_KIND_ENUM, .offset = offsetof(struct ask, approval_state),
      .values = &approval_state_enum },
    RV_INT(ask, limit, 0), RV_UUID(ask, cursor, 0),
};
ASK(approval_page)

static const struct rv_field approval_word_fields[] = {
    WHO(ask), ID("approval_id"), RV_TEXT(ask, feedback, 0),
};
ASK(approval_word)

/* The cursor is a dead_letter_id; the statement knows it by that name. */
static const struct rv_field dead_letter_page_fields[] = {
    WHO(ask), RV_INT(ask, limit, 0), RV_UUID(ask, cursor, 0),
    { .name = "dead_letter_id", .kind = RV_KIND_UUID, .flags = OURS, .offset = offsetof(struct ask, id) },
};
ASK(dead_letter_page)
ONE(dead_letter_ask, "dead_letter_id")

static const struct rv_field run_new_fields[] = {
    WHO(run_new),
    RV_TEXT(run_new, workflow, 0),
    RV_UUID(run_new, workflow_id, 0),
    RV_TEXT(run_new, agent, 0),
    RV_UUID(run_new, agent_id, 0),
    RV_TEXT(run_new, project, 0),
    RV_UUID(run_new, project_id, 0),
    RV_JSON(run_new, input, 0),
    RV_JSON(run_new, labels, 0),
    RV_ENUM(run_new, priority, priority, 0),
    RV_SUB(run_new,  limits, limits_spec, 0),
    RV_TEXT(run_new, wait, 0),
};
RV_RECORD(run_new, run_new_fields);

/* Fields of the struct inside. */
#define OF(tag, in, KIND_, member, flags_)                                                         \
    { .name = #member, .kind = KIND_, .flags = (flags_), .offset = offsetof(struct tag, in.member) }
#define POLICY_BODY                                                                                \
    OF(policy_new, policy, RV_KIND_TEXT, description, 0),                                          \
    { .name = "state", .kind = RV_KIND_ENUM, .offset = offsetof(struct policy_new, policy.state),  \
      .values = &policy_state_enum }
#define POLICY_RULES(flags_)                                                                       \
    { .name = "rules", .kind = RV_KIND_LIST, .flags = (flags_),                                    \
      .offset = offsetof(struct policy_new, policy.rules),                                         \
      .count_offset = offsetof(struct policy_new, policy.n_rules), .element = &rule_record }

static const struct rv_field policy_new_fields[] = {
    OF(policy_new, policy, RV_KIND_UUID, tenant_id, OURS), RV_UUID(policy_new, key_project, OURS),
    OF(policy_new, policy, RV_KIND_UUID, project_id, 0), RV_TEXT(policy_new, project, 0),
    OF(policy_new, policy, RV_KIND_TEXT, name, RV_REQUIRED), POLICY_BODY,
    POLICY_RULES(RV_REQUIRED), RV_BOOL(policy_new, upsert, 0),
};
RV_RECORD(policy_new, policy_new_fields);

static const struct rv_field policy_change_fields[] = {
    OF(policy_new, policy, RV_KIND_UUID, tenant_id, OURS), RV_UUID(policy_new, key_project, OURS),
    OF(policy_new, policy, RV_KIND_UUID, policy_id, 0),
    OF(policy_new, policy, RV_KIND_TEXT, name, 0), POLICY_BODY, POLICY_RULES(0),
};
const struct rv_record policy_change_record = {
    "policy_change", sizeof(struct policy_new), policy_change_fields,
    sizeof(policy_change_fields) / sizeof(policy_change_fields[0])
};

#define BUDGET_BODY                                                                                \
    { .name = "state", .kind = RV_KIND_ENUM, .offset = offsetof(struct budget_new, budget.state),  \
      .values = &budget_state_enum },                                                              \
    OF(budget_new, budget, RV_KIND_INT, limit_microusd, 0),                                        \
    OF(budget_new, budget, RV_KIND_INT, limit_tokens, 0)

static const struct rv_field budget_new_fields[] = {
    OF(budget_new, budget, RV_KIND_UUID, tenant_id, OURS), RV_UUID(budget_new, key_project, OURS),
    OF(budget_new, budget, RV_KIND_UUID, project_id, 0), RV_TEXT(budget_new, project, 0),
    OF(budget_new, budget, RV_KIND_TEXT, name, RV_REQUIRED), BUDGET_BODY,
    RV_BOOL(budget_new, upsert, 0),
};
RV_RECORD(budget_new, budget_new_fields);

static const struct rv_field budget_change_fields[] = {
    OF(budget_new, budget, RV_KIND_UUID, tenant_id, OURS), RV_UUID(budget_new, key_project, OURS),
    OF(budget_new, budget, RV_KIND_UUID, budget_id, 0),
    OF(budget_new, budget, RV_KIND_TEXT, name, 0), BUDGET_BODY,
};
const struct rv_record budget_change_record = {
    "budget_change", sizeof(struct budget_new), budget_change_fields,
    sizeof(budget_change_fields) / sizeof(budget_change_fields[0])
};
/* clang-format on */

rv_result ask_page(struct rv_ctx *cx, const struct ask *asked, int64_t usual, int64_t most,
                   struct ask *ask)
{
    *ask = *asked;
    if (ask->limit == 0)
        ask->limit = usual;
    if (ask->limit < 0 || ask->limit > most)
        rv_wrong(cx, "limit", "is not from 1 to %lld", (long long)most);
    return rv_refuse(cx);
}
