#include "domain/policy.h"

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
static bool speaks(struct rule_match match, const struct policy_ask *ask)
{
    struct rule rule = { .rule = "r", .match = &match, .effect = EFFECT_DENY };
    struct policy policy = { .name = "p", .state = POLICY_ENABLED, .rules = &rule, .n_rules = 1 };

    return policy_decide(&policy, 1, ask).effect == EFFECT_DENY;
}

static void allows_when_no_rule_speaks(void **state)
{
    struct decision decision = policy_decide(NULL, 0, &run);

    assert_int_equal(decision.effect, EFFECT_ALLOW);
    assert_null(decision.rule);
}

static void matches_by_every_field_that_is_set(void **state)
{
    assert_true(speaks((struct rule_match){ 0 }, &run));
    assert_true(speaks((struct rule_match){ .workflow = "br*" }, &run));
    assert_false(speaks((struct rule_match){ .workflow = "br" }, &run));
    assert_true(speaks((struct rule_match){ .agent = "check??" }, &run)); /* one of several */
    assert_false(speaks((struct rule_match){ .agent = "reader" }, &run));
    assert_false(speaks((struct rule_match){ .tool = "*" }, &run)); /* there is none */
    assert_true(speaks((struct rule_match){ .cost_over_microusd = 999 }, &run));
    assert_false(speaks((struct rule_match){ .cost_over_microusd = 1000 }, &run));
    assert_false(speaks((struct rule_match){ .subject = ABOUT_MODEL }, &run));
    assert_false(speaks((struct rule_match){ .project = "demo", .workflow = "other" }, &run));
}

static void a_tool_that_says_nothing_of_its_effect_may_do_anything(void **state)
{
    struct policy_ask tool = { .subject = ABOUT_TOOL };

    assert_true(speaks((struct rule_match){ .tool_effect = "destructive" }, &tool));
    tool.tool_effect = "read";
    assert_false(speaks((struct rule_match){ .tool_effect = "destructive" }, &tool));
    assert_false(speaks((struct rule_match){ .tool_effect = "destructive" }, &run));
}

static void deny_wins_over_approval_over_allow(void **state)
{
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
    struct decision decision = policy_decide(policies, 2, &run);

    assert_int_equal(decision.effect, EFFECT_DENY);
    assert_string_equal(decision.rule, "high");
    assert_string_equal(decision.reason, "no");
    assert_int_equal(decision.policy_version, 4);
    policies[1].state = POLICY_DISABLED;
    decision = policy_decide(policies, 2, &run);
    assert_string_equal(decision.rule, "ask");
    assert_string_equal(decision.approver_role, "operator");
    policies[0].project_id = "another";
    assert_int_equal(policy_decide(policies, 2, &run).effect, EFFECT_ALLOW);
}

static void an_effect_nobody_knows_is_the_strictest(void **state)
{
    struct rule rules[] = { { .rule = "ask", .effect = EFFECT_REQUIRE_APPROVAL },
                            { .rule = "odd" } };
    struct policy policy = { .name = "p", .state = POLICY_ENABLED, .rules = rules, .n_rules = 2 };

    assert_string_equal(policy_decide(&policy, 1, &run).rule, "odd");
    assert_int_not_equal(policy_decide(&policy, 1, &run).effect, EFFECT_ALLOW);
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
        RV_TEST(says_where_a_policy_is_wrong),
        RV_TEST(an_approval_is_for_its_role_and_for_the_org_admin),
        RV_TEST(an_approval_is_decided_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
