/* Deciding: which rule speaks about what is asked, and what it says. */

#include <string.h>

#include "base/text.h"
#include "domain/expression.h"
#include "domain/plan.h"
#include "domain/policy.h"

/* One decision on its way. */
struct deciding {
    struct rv_ctx *cx;
    struct policy_ask ask;            /* a tool that says nothing has the worst effect here */
    struct cel_value sees[RULE_SEES]; /* what conditions see of it */
    int64_t cost;                     /* of conditions; 0: none was looked at */
};

static bool matches(const char *pattern, const char *text)
{
    return !pattern || rv_text_glob(pattern, text ? text : "");
}

/* One of several is enough; of none, only a pattern that is not set matches. */
static bool matches_any(const char *pattern, const char *const *texts, size_t n)
{
    for (size_t i = 0; pattern && i < n; i++)
        if (rv_text_glob(pattern, texts[i]))
            return true;
    return !pattern;
}

/* What a tool does that says nothing about it may be anything. */
static const char *effect_of(const struct policy_ask *ask)
{
    if (ask->subject == ABOUT_TOOL && !ask->tool_effect)
        return rv_enum_word(&tool_effect_enum, EFFECT_DESTRUCTIVE);
    return ask->tool_effect;
}

static bool rule_matches(const struct rule *rule, const struct policy_ask *ask)
{
    const struct rule_match *match = rule->match;

    if (!match)
        return true;
    return (!match->subject || match->subject == ask->subject) &&
           (!match->cost_over_microusd || ask->cost_microusd > match->cost_over_microusd) &&
           matches(match->project, ask->project) && matches(match->workflow, ask->workflow) &&
           matches(match->tool_effect, ask->tool_effect) &&
           matches_any(match->agent, ask->agents, ask->n_agents) &&
           matches_any(match->tool, ask->tools, ask->n_tools) &&
           matches_any(match->model, ask->models, ask->n_models);
}

static struct cel_value condition_value(struct deciding *deciding, const struct rule *rule)
{
    int64_t cost;
    struct cel_value value;

    if (deciding->cost == 0)
        expression_rule_values(deciding->cx, &deciding->ask, deciding->sees);
    value = cel_eval_cost(deciding->cx, rule->program, deciding->sees, &cost);
    deciding->cost += cost;
    return value;
}

/* Whether the rule's condition holds; @why it cannot be told, NULL otherwise. */
static bool condition_holds(struct deciding *deciding, const struct rule *rule, const char **why)
{
    struct cel_value value;

    *why = NULL;
    if (!rule->condition)
        return true;
    if (!rule->program) {
        *why = "it was not compiled";
    } else if (deciding->cost >= POLICY_COST_MAX) {
        *why = "the conditions before it cost too much";
    } else {
        value = condition_value(deciding, rule);
        if (value.kind == CEL_BOOL)
            return value.truth;
        *why = value.kind == CEL_ERROR ? cel_error_text(deciding->cx, rule->program, value)
                                       : "it is neither true nor false";
    }
    return rule->effect != EFFECT_ALLOW; /* in doubt, the stricter way */
}

static const char *reason_of(struct rv_ctx *cx, const struct rule *rule, const char *why)
{
    if (!why)
        return rule->reason;
    return rv_printf(cx, "%s%sthe rule's condition failed: %s", rule->reason ? rule->reason : "",
                     rule->reason ? "; " : "", why);
}

static int strictness(enum effect effect)
{
    return effect == EFFECT_ALLOW ? 1 : effect == EFFECT_REQUIRE_APPROVAL ? 2 : 3;
}

static bool outranks(const struct rule *rule, const struct rule *best)
{
    if (!best || strictness(rule->effect) != strictness(best->effect))
        return !best || strictness(rule->effect) > strictness(best->effect);
    return rule->priority > best->priority;
}

static bool policy_applies(const struct policy *policy, const struct policy_ask *ask)
{
    return policy->state == POLICY_ENABLED &&
           (!policy->project_id || rv_text_same(policy->project_id, ask->project_id));
}

static void speak(struct decision *said, const struct policy *policy, const struct rule *rule)
{
    said->effect = rule->effect;
    said->policy_id = policy->policy_id;
    said->policy = policy->name;
    said->policy_version = policy->version;
    said->rule = rule->rule;
    said->approver_role = rule->approver_role;
}

struct decision policy_decide(struct rv_ctx *cx, const struct policy *policies, size_t n_policies,
                              const struct policy_ask *ask)
{
    struct deciding deciding = { .cx = cx, .ask = *ask };
    struct decision said = { .tenant_id = ask->tenant_id,
                             .subject = ask->subject,
                             .run_id = ask->run_id,
                             .task_no = ask->task_no,
                             .call_no = ask->call_no,
                             .effect = EFFECT_ALLOW };
    const struct rule *best = NULL;
    const char *why;

    deciding.ask.tool_effect = effect_of(ask);
    for (size_t p = 0; p < n_policies; p++)
        for (size_t r = 0; policy_applies(&policies[p], ask) && r < policies[p].n_rules; r++) {
            const struct rule *rule = &policies[p].rules[r];

            if (!rule_matches(rule, &deciding.ask) || !outranks(rule, best) ||
                !condition_holds(&deciding, rule, &why))
                continue;
            best = rule;
            speak(&said, &policies[p], rule);
            said.reason = reason_of(cx, rule, why);
        }
    return said;
}

rv_result policy_compile(struct rv_ctx *cx, struct policy *policy)
{
    for (size_t i = 0; i < policy->n_rules; i++) {
        struct rule *rule = &policy->rules[i];

        if (rule->condition)
            RV_TRY(cx, expression_compile(cx, EXPRESSION_RULE, EXPRESSION_CONDITION,
                                          rule->condition, &rule->program));
    }
    return RV_OK;
}
