#include "domain/policy.h"

#include "domain/expression.h"
#include "support/rv_test.h"

static const char *agents[] = { "writer", "checker" };
static const struct policy_ask run = { .project_id = "p1",
                                       .project = "demo",
                                       .subject = ABOUT_RUN,
                                       .workflow = "brief",
                                       .agents = agents,
                                       .n_agents = 2,
                                       .cost_microusd = 1000 };

/* The effect of one rule over @ask: deny when it speaks, else the default. */
static bool speaks(struct rv_ctx *cx, struct rule_match match, const struct policy_ask *ask)
{
    struct rule rule = { .rule = "r", .match = &match, .effect = EFFECT_DENY };
    struct policy policy = { .name = "p", .state = POLICY_ENABLED, .rules = &rule, .n_rules = 1 };

    return policy_decide(cx, &policy, 1, ask).effect == EFFECT_DENY;
}

static void allows_when_no_rule_speaks(void **state)
{
    struct rv_ctx *cx = *state;
    struct decision decision = policy_decide(cx, NULL, 0, &run);

    assert_int_equal(decision.effect, EFFECT_ALLOW);
    assert_null(decision.rule);
}

static void matches_by_every_field_that_is_set(void **state)
{
    struct rv_ctx *cx = *state;

    assert_true(speaks(cx, (struct rule_match){ 0 }, &run));
    assert_true(speaks(cx, (struct rule_match){ .workflow = "br*" }, &run));
    assert_false(speaks(cx, (struct rule_match){ .workflow = "br" }, &run));
    assert_true(speaks(cx, (struct rule_match){ .agent = "check??" }, &run)); /* one of several */
    assert_false(speaks(cx, (struct rule_match){ .agent = "reader" }, &run));
    assert_false(speaks(cx, (struct rule_match){ .tool = "*" }, &run)); /* there is none */
    assert_true(speaks(cx, (struct rule_match){ .cost_over_microusd = 999 }, &run));
    assert_false(speaks(cx, (struct rule_match){ .cost_over_microusd = 1000 }, &run));
    assert_false(speaks(cx, (struct rule_match){ .subject = ABOUT_MODEL }, &run));
    assert_false(speaks(cx, (struct rule_match){ .project = "demo", .workflow = "other" }, &run));
}

static void a_tool_that_says_nothing_of_its_effect_may_do_anything(void **state)
{
    struct rv_ctx *cx = *state;
    struct policy_ask tool = { .subject = ABOUT_TOOL };

    assert_true(speaks(cx, (struct rule_match){ .tool_effect = "destructive" }, &tool));
    tool.tool_effect = "read";
    assert_false(speaks(cx, (struct rule_match){ .tool_effect = "destructive" }, &tool));
    assert_false(speaks(cx, (struct rule_match){ .tool_effect = "destructive" }, &run));
}

static void deny_wins_over_approval_over_allow(void **state)
{
    struct rv_ctx *cx = *state;
    struct rule first[] = { { .rule = "yes", .effect = EFFECT_ALLOW, .priority = 100 },
                            { .rule = "ask",
                              .effect = EFFECT_REQUIRE_APPROVAL,
                              .priority = 50,
                              .approver_role = "operator" } };
    struct rule second[] = {
        { .rule = "low", .effect = EFFECT_DENY, .priority = 1 },
        { .rule = "high", .effect = EFFECT_DENY, .priority = 2, .reason = "no" },
        { .rule = "late", .effect = EFFECT_DENY, .priority = 2 }
    };
    struct policy policies[] = {
        { .name = "a", .version = 3, .state = POLICY_ENABLED, .rules = first, .n_rules = 2 },
        { .name = "b", .version = 4, .state = POLICY_ENABLED, .rules = second, .n_rules = 3 },
    };
    struct decision decision = policy_decide(cx, policies, 2, &run);

    assert_int_equal(decision.effect, EFFECT_DENY);
    assert_string_equal(decision.rule, "high");
    assert_string_equal(decision.reason, "no");
    assert_int_equal(decision.policy_version, 4);
    policies[1].state = POLICY_DISABLED;
    decision = policy_decide(cx, policies, 2, &run);
    assert_string_equal(decision.rule, "ask");
    assert_string_equal(decision.approver_role, "operator");
    policies[0].project_id = "another";
    assert_int_equal(policy_decide(cx, policies, 2, &run).effect, EFFECT_ALLOW);
}

static void an_effect_nobody_knows_is_the_strictest(void **state)
{
    struct rv_ctx *cx = *state;
    struct rule rules[] = { { .rule = "ask", .effect = EFFECT_REQUIRE_APPROVAL },
                            { .rule = "odd" } };
    struct policy policy = { .name = "p", .state = POLICY_ENABLED, .rules = rules, .n_rules = 2 };

    assert_string_equal(policy_decide(cx, &policy, 1, &run).rule, "odd");
    assert_int_not_equal(policy_decide(cx, &policy, 1, &run).effect, EFFECT_ALLOW);
}

/* What the policy of one rule with this condition decides over @ask. */
static struct decision decide_if(struct rv_ctx *cx, const char *condition, enum effect effect,
                                 const struct policy_ask *ask)
{
    struct rule rule = { .rule = "r", .effect = effect, .condition = condition, .reason = "no" };
    struct policy policy = { .name = "p", .state = POLICY_ENABLED, .rules = &rule, .n_rules = 1 };

    assert_ok(cx, policy_compile(cx, &policy));
    return policy_decide(cx, &policy, 1, ask);
}

static bool denies_if(struct rv_ctx *cx, const char *condition, const struct policy_ask *ask)
{
    return decide_if(cx, condition, EFFECT_DENY, ask).effect == EFFECT_DENY;
}

static void a_condition_sees_the_facts_of_a_decision(void **state)
{
    const struct cel_variable *sees = expression_sees(EXPRESSION_RULE);

    assert_string_equal(sees[0].name, "subject");
    assert_int_equal(policy_facts_record.field_count + 1, RULE_SEES);
    for (size_t i = 1; i < RULE_SEES; i++)
        assert_string_equal(sees[i].name, policy_facts_record.fields[i - 1].name);
    assert_null(sees[RULE_SEES].name);
}

static void a_condition_decides_over_what_is_asked(void **state)
{
    struct rv_ctx *cx = *state;
    static const char *tools[] = { "shell-run" };
    const struct policy_ask tool = {
        .subject = ABOUT_TOOL, .tools = tools, .n_tools = 1, .cost_microusd = 5
    };

    assert_true(denies_if(cx, "subject == 'run' && cost_microusd > 999", &run));
    assert_false(denies_if(cx, "cost_microusd > 1000", &run));
    assert_true(denies_if(cx, "'checker' in agents && size(agents) == 2", &run));
    assert_true(denies_if(cx, "project.matches('^de') && workflow != 'other'", &run));
    assert_true(denies_if(cx, "tools.exists(t, t.startsWith('shell'))", &tool));
    assert_true(denies_if(cx, "models == [] && project == '' && workflow == ''", &tool));
    assert_true(denies_if(cx, "tool_effect == 'destructive'", &tool)); /* it says nothing */
    assert_true(denies_if(cx, "tool_effect == ''", &run));
    assert_string_equal(decide_if(cx, "true", EFFECT_DENY, &run).reason, "no");
}

static void a_condition_holds_beside_the_match(void **state)
{
    struct rv_ctx *cx = *state;
    struct rule_match brief = { .workflow = "brief" }, other = { .workflow = "other" };
    struct rule rules[] = {
        { .rule = "a", .effect = EFFECT_DENY, .match = &other, .condition = "true" },
        { .rule = "b", .effect = EFFECT_DENY, .match = &brief, .condition = "false" },
        { .rule = "c", .effect = EFFECT_REQUIRE_APPROVAL, .match = &brief, .condition = "true" },
    };
    struct policy policy = { .name = "p", .state = POLICY_ENABLED, .rules = rules, .n_rules = 3 };

    assert_ok(cx, policy_compile(cx, &policy));
    assert_string_equal(policy_decide(cx, &policy, 1, &run).rule, "c");
}

static void a_condition_that_fails_never_allows(void **state)
{
    struct rv_ctx *cx = *state;
    static const char fails[] = "1000 / (cost_microusd - 1000) > 1";
    struct decision decision = decide_if(cx, fails, EFFECT_DENY, &run);
    struct rule raw = { .rule = "r", .effect = EFFECT_DENY, .condition = "true" };
    struct policy policy = { .name = "p", .state = POLICY_ENABLED, .rules = &raw, .n_rules = 1 };

    assert_int_equal(decision.effect, EFFECT_DENY);
    assert_string_equal(decision.reason, "no; the rule's condition failed: 1:6: division by zero");
    decision = decide_if(cx, fails, EFFECT_REQUIRE_APPROVAL, &run);
    assert_int_equal(decision.effect, EFFECT_REQUIRE_APPROVAL);
    assert_null(decide_if(cx, fails, EFFECT_ALLOW, &run).rule);
    assert_true(denies_if(cx, "dyn(1)", &run));
    decision = policy_decide(cx, &policy, 1, &run);
    assert_string_equal(decision.reason, "the rule's condition failed: it was not compiled");
}

/* What takes long is stopped: each condition by itself, and all of a decision together. */
static void conditions_have_an_end(void **state)
{
    enum { RULES = 100 };
    struct rv_ctx *cx = *state;
    static const char busy[] = "[1,2,3,4].exists(a, [1,2,3,4,5,6,7,8,9].exists(b,"
                               " [1,2,3,4,5,6,7,8,9].exists(c, cost_microusd + a + b + c < 0)))";
    const char *busier = rv_printf(cx, "[1,2,3,4,5,6,7,8,9].exists(d, %s)", busy);
    struct rule rules[RULES] = { 0 };
    struct policy policy = { .name = "p", .state = POLICY_ENABLED, .rules = rules };

    assert_false(denies_if(cx, busy, &run));
    assert_non_null(strstr(decide_if(cx, busier, EFFECT_DENY, &run).reason,
                           "the expression costs more than it may"));
    for (policy.n_rules = 0; policy.n_rules < RULES; policy.n_rules++)
        rules[policy.n_rules] =
            (struct rule){ .rule = "r", .effect = EFFECT_DENY, .condition = busy };
    assert_ok(cx, policy_compile(cx, &policy));
    assert_string_equal(policy_decide(cx, &policy, 1, &run).reason,
                        "the rule's condition failed: the conditions before it cost too much");
}

static void a_bad_condition_is_refused_with_its_place(void **state)
{
    struct rv_ctx *cx = *state;
    static const struct {
        const char *condition, *why;
    } rows[] = {
        { "cost_microusd >", "1:16: the expression ends before an expression" },
        { "true &&\n  cost > 5", "2:3: there is no variable \"cost\"" },
        { "cost_microusd", "1:1: the expression gives int where bool is wanted" },
        { "project == 5", "1:9: no such overload: _==_(string, int)" },
        { "subject", "1:1: the expression gives string where bool is wanted" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rule rules[] = {
            { .rule = "a", .effect = EFFECT_DENY, .condition = "true" },
            { .rule = "b", .effect = EFFECT_DENY, .condition = rows[i].condition },
        };
        struct policy policy = { .name = "p", .rules = rules, .n_rules = 2 };

        cx->error = (struct rv_error){ 0 };
        policy_check(cx, &policy);
        assert_int_equal(cx->error.n_details, 1);
        assert_string_equal(cx->error.details[0].path, "rules[1].condition");
        assert_string_equal(cx->error.details[0].message, rows[i].why);
        assert_int_equal(policy_compile(cx, &policy), RV_INVALID);
    }
}

static void says_where_a_policy_is_wrong(void **state)
{
    struct rv_ctx *cx = *state;
    struct rule_match never = { .tool_effect = "destructiv", .cost_over_microusd = -1 };
    struct rule rules[] = {
        { .rule = "a", .effect = EFFECT_DENY, .approver_role = "operator" },
        { .rule = "a", .effect = EFFECT_REQUIRE_APPROVAL, .approver_role = "king" },
        { .rule = "b", .effect = EFFECT_DENY, .match = &never },
    };
    struct policy policy = { .name = "Bad Name", .rules = rules, .n_rules = 3 };
    static const char *const paths[] = {
        "name",          "rules[0].approver_role",     "rules[1].approver_role",
        "rules[1].rule", "rules[2].match.tool_effect", "rules[2].match.cost_over_microusd"
    };

    policy_check(cx, &policy);
    assert_int_equal(cx->error.n_details, 6);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(cx->error.details[i].path, paths[i]);
}

static void an_approval_is_for_its_role_and_for_the_org_admin(void **state)
{
    struct approval mine = { .approver_role = "agent_admin" }, open = { 0 };

    assert_true(approval_may_decide(&mine, "agent_admin"));
    assert_true(approval_may_decide(&mine, "org_admin"));
    assert_false(approval_may_decide(&mine, "workflow_admin"));
    assert_true(approval_may_decide(&open, "operator"));
    assert_false(approval_may_decide(&open, "viewer"));
    assert_false(approval_may_decide(&open, NULL));
    assert_false(approval_may_decide(&open, "king"));
}

static void an_approval_is_decided_once(void **state)
{
    for (int from = APPROVAL_PENDING; from <= APPROVAL_CANCELLED; from++)
        for (int event = APPROVAL_APPROVE; event <= APPROVAL_CANCEL; event++)
            assert_int_equal(rv_fsm_step(&approval_machine, from, event) != NULL,
                             from == APPROVAL_PENDING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(allows_when_no_rule_speaks),
        RV_TEST(matches_by_every_field_that_is_set),
        RV_TEST(a_tool_that_says_nothing_of_its_effect_may_do_anything),
        RV_TEST(deny_wins_over_approval_over_allow),
        RV_TEST(an_effect_nobody_knows_is_the_strictest),
        RV_TEST(a_condition_sees_the_facts_of_a_decision),
        RV_TEST(a_condition_decides_over_what_is_asked),
        RV_TEST(a_condition_holds_beside_the_match),
        RV_TEST(a_condition_that_fails_never_allows),
        RV_TEST(conditions_have_an_end),
        RV_TEST(a_bad_condition_is_refused_with_its_place),
        RV_TEST(says_where_a_policy_is_wrong),
        RV_TEST(an_approval_is_for_its_role_and_for_the_org_admin),
        RV_TEST(an_approval_is_decided_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
