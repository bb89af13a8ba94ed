#pragma once

/*
 * Policies: what may happen, what may not, and what a human must say first. Every run, model call
 * and tool call has a decision before it. Pure.
 */

#include "base/ctx.h"
#include "base/fsm.h"
#include "base/record.h"

struct cel_program;

#define EFFECTS(X)                                                                                 \
    X(EFFECT_ALLOW, 1, "allow")                                                                    \
    X(EFFECT_DENY, 2, "deny")                                                                      \
    X(EFFECT_REQUIRE_APPROVAL, 3, "require_approval")
RV_ENUM_DECLARE(effect, EFFECTS)

#define SUBJECT_KINDS(X)                                                                           \
    X(ABOUT_RUN, 1, "run")                                                                         \
    X(ABOUT_MODEL, 2, "model")                                                                     \
    X(ABOUT_TOOL, 3, "tool")
RV_ENUM_DECLARE(subject_kind, SUBJECT_KINDS)

/* What a rule looks at. Texts are shell-like patterns (* and ?); what is not set matches all. */
struct rule_match {
    enum subject_kind subject;
    const char *project, *workflow, *agent, *tool, *model;
    const char *tool_effect;    /* read, write, destructive */
    int64_t cost_over_microusd; /* matches when the cost asked for is above; 0: any */
};

struct rule {
    const char *rule;         /* its name */
    struct rule_match *match; /* NULL: everything */
    enum effect effect;
    int64_t priority;          /* higher speaks first, among equals of effect */
    const char *reason;        /* told to whoever is refused */
    const char *approver_role; /* for require_approval */
    const char *condition;     /* an expression (expression.h) that must hold too; NULL: none */
    const struct cel_program *program; /* of the condition, by policy_compile; no field */
};

#define POLICY_STATES(X)                                                                           \
    X(POLICY_ENABLED, 1, "enabled")                                                                \
    X(POLICY_DISABLED, 2, "disabled")
RV_ENUM_DECLARE(policy_state, POLICY_STATES)

/* A set of rules of one project, or of all (project_id NULL). Versions are kept for ever. */
struct policy {
    const char *tenant_id, *policy_id, *project_id;
    const char *name, *description;
    int64_t version;
    enum policy_state state;
    struct rule *rules;
    size_t n_rules;
    int64_t created_at_ms, updated_at_ms;
    int64_t rev; /* the version a change expects to find; 0: whatever is there */
};

enum {
    POLICY_RULES_MAX = 500,
    POLICY_PATTERN_MAX = 200,
    POLICY_CONDITION_MAX = 8 * 1024, /* bytes */
    POLICY_COST_MAX = 200 * 1000,    /* of all conditions that one decision looks at */
};

/* Asks whether something may happen. Lists hold every one involved: a run's agents, a call's one.
 */
struct policy_ask {
    const char *tenant_id, *project_id, *project;
    enum subject_kind subject;
    const char *run_id;
    int64_t task_no, call_no;
    const char *workflow;
    const char **agents, **tools, **models;
    size_t n_agents, n_tools, n_models;
    const char *tool_effect;
    int64_t cost_microusd;
    const char *title; /* for the approval, if one is asked for */
};

struct decision {
    const char *tenant_id, *decision_id;
    enum subject_kind subject;
    const char *run_id;
    int64_t task_no, call_no;
    enum effect effect;
    const char *policy_id, *policy, *rule; /* NULL: no rule spoke, so it is allowed */
    int64_t policy_version;
    const char *reason;
    const char *approval_id; /* asked for, with require_approval */
    const char *facts;       /* JSON: what was looked at */
    int64_t decided_at_ms;
    const char *approver_role; /* of the rule, with require_approval; not said, so no row */
};

/* A policy_ask without what identifies it: what a decision keeps as its facts. */
extern const struct rv_record policy_facts_record;

/*
 * The verdict of @policies over @ask: deny wins over require_approval wins over allow; among rules
 * of one effect the highest priority speaks, then the first. Fills effect, policy, rule, reason.
 *
 * The policies were compiled. A condition that fails, or that POLICY_COST_MAX left nothing for, is
 * no reason to allow: a rule that allows is silent then, all others speak and say why.
 */
struct decision policy_decide(struct rv_ctx *cx, const struct policy *policies, size_t n_policies,
                              const struct policy_ask *ask);

/* Makes programs of the rules' conditions; they live as long as @cx. */
rv_result policy_compile(struct rv_ctx *cx, struct policy *policy);

/* Notes what is wrong with the document: doubled names, roles and effects that do not exist,
 * conditions that do not compile. */
void policy_check(struct rv_ctx *cx, const struct policy *policy);

#define APPROVAL_STATES(X)                                                                         \
    X(APPROVAL_PENDING, 1, "pending")                                                              \
    X(APPROVAL_APPROVED, 2, "approved")                                                            \
    X(APPROVAL_REJECTED, 3, "rejected")                                                            \
    X(APPROVAL_CHANGES_REQUESTED, 4, "changes_requested")                                          \
    X(APPROVAL_BLOCKED, 5, "blocked")                                                              \
    X(APPROVAL_EXPIRED, 6, "expired")                                                              \
    X(APPROVAL_CANCELLED, 7, "cancelled")
RV_ENUM_DECLARE(approval_state, APPROVAL_STATES)

#define APPROVAL_EVENTS(X)                                                                         \
    X(APPROVAL_APPROVE, 1, "approve")                                                              \
    X(APPROVAL_REJECT, 2, "reject")                                                                \
    X(APPROVAL_REQUEST_CHANGES, 3, "request_changes")                                              \
    X(APPROVAL_BLOCK, 4, "block")                                                                  \
    X(APPROVAL_EXPIRE, 5, "expire")                                                                \
    X(APPROVAL_CANCEL, 6, "cancel")
RV_ENUM_DECLARE(approval_event, APPROVAL_EVENTS)
extern const struct rv_fsm approval_machine;

/* A question to a human. One decision only. */
struct approval {
    const char *tenant_id, *approval_id, *project_id;
    enum subject_kind subject;
    const char *run_id;
    int64_t task_no, call_no;
    const char *decision_id, *title, *detail; /* detail: JSON, the facts */
    const char *approver_role;
    enum approval_state state;
    const char *decided_by, *feedback;
    int64_t created_at_ms, decided_at_ms, expires_at_ms;
};

/* Who may decide: an org_admin, or the role the rule names; whoever operates if it names none. */
bool approval_may_decide(const struct approval *approval, const char *role);

struct approval_verb {
    const char *tenant_id, *approval_id;
    enum approval_event verb;
    const char *feedback, *decided_by, *role; /* the role of whoever decides */
};

extern const struct rv_record policy_record, policy_ask_record, decision_record, approval_record,
    approval_verb_record, rule_record, rule_match_record;
