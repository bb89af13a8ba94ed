#include "domain/policy.h"

#include <string.h>

#include "base/text.h"
#include "domain/expression.h"
#include "domain/identity.h"
#include "domain/plan.h"

RV_ENUM_DEFINE(effect, EFFECTS)
RV_ENUM_DEFINE(subject_kind, SUBJECT_KINDS)
RV_ENUM_DEFINE(policy_state, POLICY_STATES)
RV_ENUM_DEFINE(approval_state, APPROVAL_STATES)
RV_ENUM_DEFINE(approval_event, APPROVAL_EVENTS)

/* clang-format off */
static const struct rv_field rule_match_fields[] = {
    RV_ENUM(rule_match, subject, subject_kind, RV_UNSET),
    RV_TEXT(rule_match, project, RV_UNSET),
    RV_TEXT(rule_match, workflow, RV_UNSET),
    RV_TEXT(rule_match, agent, RV_UNSET),
    RV_TEXT(rule_match, tool, RV_UNSET),
    RV_TEXT(rule_match, model, RV_UNSET),
    RV_TEXT(rule_match, tool_effect, RV_UNSET),
    RV_INT(rule_match, cost_over_microusd, RV_UNSET),
};
RV_RECORD(rule_match, rule_match_fields);

static const struct rv_field rule_fields[] = {
    RV_TEXT(rule, rule, RV_REQUIRED),
    RV_SUB(rule, match, rule_match, RV_UNSET),
    RV_ENUM(rule, effect, effect, RV_REQUIRED),
    RV_INT(rule, priority, RV_UNSET),
    RV_TEXT(rule, reason, RV_UNSET),
    RV_TEXT(rule, approver_role, RV_UNSET),
    RV_TEXT(rule, condition, RV_UNSET),
};
RV_RECORD(rule, rule_fields);

static const struct rv_field policy_fields[] = {
    RV_UUID(policy, tenant_id, RV_SECRET | RV_READONLY),
    RV_UUID(policy, policy_id, 0),
    RV_UUID(policy, project_id, RV_UNSET),
    RV_TEXT(policy, name, RV_REQUIRED),
    RV_TEXT(policy, description, RV_UNSET),
    RV_INT(policy, version, RV_READONLY),
    RV_ENUM(policy, state, policy_state, 0),
    RV_LIST(policy, rules, rule, RV_REQUIRED),
    RV_INT(policy, created_at_ms, RV_READONLY),
    RV_INT(policy, updated_at_ms, RV_READONLY),
    RV_INT(policy, rev, RV_UNSET),
};
RV_RECORD(policy, policy_fields);

static const struct rv_field policy_ask_fields[] = {
    RV_UUID(policy_ask, tenant_id, 0),
    RV_UUID(policy_ask, project_id, 0),
    RV_TEXT(policy_ask, project, 0),
    RV_ENUM(policy_ask, subject, subject_kind, 0),
    RV_UUID(policy_ask, run_id, 0),
    RV_INT(policy_ask, task_no, 0),
    RV_INT(policy_ask, call_no, 0),
    RV_TEXT(policy_ask, workflow, 0),
    RV_TEXTS(policy_ask, agents, 0),
    RV_TEXTS(policy_ask, tools, 0),
    RV_TEXTS(policy_ask, models, 0),
    RV_TEXT(policy_ask, tool_effect, 0),
    RV_INT(policy_ask, cost_microusd, 0),
    RV_TEXT(policy_ask, title, 0),
};
RV_RECORD(policy_ask, policy_ask_fields);

static const struct rv_field policy_facts_fields[] = {
    RV_TEXT(policy_ask, project, RV_UNSET),
    RV_TEXT(policy_ask, workflow, RV_UNSET),
    RV_TEXTS(policy_ask, agents, RV_UNSET),
    RV_TEXTS(policy_ask, tools, RV_UNSET),
    RV_TEXTS(policy_ask, models, RV_UNSET),
    RV_TEXT(policy_ask, tool_effect, RV_UNSET),
    RV_INT(policy_ask, cost_microusd, 0),
};
const struct rv_record policy_facts_record = {
    "policy_facts", sizeof(struct policy_ask), policy_facts_fields,
    sizeof(policy_facts_fields) / sizeof(policy_facts_fields[0]),
};

static const struct rv_field decision_fields[] = {
    RV_UUID(decision, tenant_id, RV_SECRET),
    RV_UUID(decision, decision_id, 0),
    RV_ENUM(decision, subject, subject_kind, 0),
    RV_UUID(decision, run_id, 0),
    RV_INT(decision, task_no, 0),
    RV_INT(decision, call_no, 0),
    RV_ENUM(decision, effect, effect, 0),
    RV_UUID(decision, policy_id, 0),
    RV_TEXT(decision, policy, 0),
    RV_TEXT(decision, rule, 0),
    RV_INT(decision, policy_version, 0),
    RV_TEXT(decision, reason, 0),
    RV_UUID(decision, approval_id, 0),
    RV_JSON(decision, facts, 0),
    RV_INT(decision, decided_at_ms, 0),
};
RV_RECORD(decision, decision_fields);

static const struct rv_field approval_fields[] = {
    RV_UUID(approval, tenant_id, RV_SECRET),
    RV_UUID(approval, approval_id, 0),
    RV_UUID(approval, project_id, 0),
    RV_ENUM(approval, subject, subject_kind, 0),
    RV_UUID(approval, run_id, 0),
    RV_INT(approval, task_no, 0),
    RV_INT(approval, call_no, 0),
    RV_UUID(approval, decision_id, 0),
    RV_TEXT(approval, title, 0),
    RV_JSON(approval, detail, 0),
    RV_TEXT(approval, approver_role, 0),
    RV_ENUM(approval, state, approval_state, 0),
    RV_TEXT(approval, decided_by, 0),
    RV_TEXT(approval, feedback, 0),
    RV_INT(approval, created_at_ms, 0),
    RV_INT(approval, decided_at_ms, 0),
    RV_INT(approval, expires_at_ms, 0),
};
RV_RECORD(approval, approval_fields);

static const struct rv_field approval_verb_fields[] = {
    RV_UUID(approval_verb, tenant_id, 0),
    RV_UUID(approval_verb, approval_id, 0),
    RV_ENUM(approval_verb, verb, approval_event, 0),
    RV_TEXT(approval_verb, feedback, 0),
    RV_TEXT(approval_verb, decided_by, 0),
    RV_TEXT(approval_verb, role, 0),
};
RV_RECORD(approval_verb, approval_verb_fields);

static const struct rv_fsm_step approval_steps[] = {
    /* from             event                     to                          why */
    { APPROVAL_PENDING, APPROVAL_APPROVE,         APPROVAL_APPROVED,          "a human said yes" },
    { APPROVAL_PENDING, APPROVAL_REJECT,          APPROVAL_REJECTED,          "a human said no" },
    { APPROVAL_PENDING, APPROVAL_REQUEST_CHANGES, APPROVAL_CHANGES_REQUESTED, "a human wants it otherwise" },
    { APPROVAL_PENDING, APPROVAL_BLOCK,           APPROVAL_BLOCKED,           "a human stops it for good" },
    { APPROVAL_PENDING, APPROVAL_EXPIRE,          APPROVAL_EXPIRED,           "nobody answered in time" },
    { APPROVAL_PENDING, APPROVAL_CANCEL,          APPROVAL_CANCELLED,         "what it asked about is over" },
};
/* clang-format on */

const struct rv_fsm approval_machine = { &approval_state_enum, &approval_event_enum, approval_steps,
                                         sizeof(approval_steps) / sizeof(approval_steps[0]) };

static void check_pattern(struct rv_ctx *cx, const char *path, const char *field, const char *text)
{
    if (text && strlen(text) > POLICY_PATTERN_MAX)
        rv_wrong(cx, rv_printf(cx, "%s.%s", path, field), "is longer than %d bytes",
                 POLICY_PATTERN_MAX);
}

static bool names_an_effect(const char *pattern)
{
    for (size_t i = 0; i < tool_effect_enum.count; i++)
        if (rv_text_glob(pattern, tool_effect_enum.rows[i].word))
            return true;
    return false;
}

/* A rule that can never match is a hole that looks like a fence. */
static void check_match(struct rv_ctx *cx, const char *path, const struct rule_match *match)
{
    check_pattern(cx, path, "project", match->project);
    check_pattern(cx, path, "workflow", match->workflow);
    check_pattern(cx, path, "agent", match->agent);
    check_pattern(cx, path, "tool", match->tool);
    check_pattern(cx, path, "model", match->model);
    if (match->tool_effect && !names_an_effect(match->tool_effect))
        rv_wrong(cx, rv_printf(cx, "%s.tool_effect", path),
                 "matches none of read, write, destructive");
    if (match->cost_over_microusd < 0)
        rv_wrong(cx, rv_printf(cx, "%s.cost_over_microusd", path), "is below 0");
}

static void check_approver(struct rv_ctx *cx, const char *path, const struct rule *rule)
{
    if (rule->approver_role && rule->effect != EFFECT_REQUIRE_APPROVAL)
        rv_wrong(cx, rv_printf(cx, "%s.approver_role", path),
                 "goes with the effect require_approval only");
    else if (rule->approver_role && !rv_enum_parse(&role_enum, rule->approver_role))
        rv_wrong(cx, rv_printf(cx, "%s.approver_role", path), "is not a role");
}

static void check_condition(struct rv_ctx *cx, const char *path, const char *condition)
{
    if (condition && strlen(condition) > POLICY_CONDITION_MAX)
        rv_wrong(cx, path, "is longer than %d bytes", POLICY_CONDITION_MAX);
    else
        expression_check(cx, EXPRESSION_RULE, EXPRESSION_CONDITION, path, condition);
}

void policy_check(struct rv_ctx *cx, const struct policy *policy)
{
    if (policy->name && !rv_text_is_name(policy->name))
        rv_wrong(cx, "name", "is not a name: a-z, 0-9, - and _, at most 63");
    if (policy->n_rules > POLICY_RULES_MAX) {
        rv_wrong(cx, "rules", "are more than %d", POLICY_RULES_MAX);
        return;
    }
    for (size_t i = 0; i < policy->n_rules; i++) {
        const struct rule *rule = &policy->rules[i];
        const char *path = rv_printf(cx, "rules[%zu]", i);

        check_approver(cx, path, rule);
        if (rule->match)
            check_match(cx, rv_printf(cx, "%s.match", path), rule->match);
        check_condition(cx, rv_printf(cx, "%s.condition", path), rule->condition);
        for (size_t k = 0; rule->rule && k < i; k++)
            if (rv_text_same(policy->rules[k].rule, rule->rule))
                rv_wrong(cx, rv_printf(cx, "%s.rule", path), "is the name of another rule");
    }
}

bool approval_may_decide(const struct approval *approval, const char *role)
{
    int who = rv_enum_parse(&role_enum, role ? role : "");

    if (who == 0)
        return false;
    if (who == ROLE_ORG_ADMIN)
        return true;
    if (approval->approver_role)
        return rv_text_same(approval->approver_role, role);
    return role_may((enum role)who, MAY_OPERATE);
}
