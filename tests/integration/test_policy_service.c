#include "support/rv_test.h"

#include <pthread.h>
#include <signal.h>

#include "base/id.h"
#include "base/text.h"
#include "base/time.h"
#include "domain/work.h"
#include "look.h"
#include "policy_talk.h"
#include "support/stack.h"

static struct stack stack;
static struct rv_bus *bus;
static struct rv_ctx bus_cx;
static struct {
    pthread_mutex_t lock;
    int n;
} news = { PTHREAD_MUTEX_INITIALIZER, 0 };

static void on_news(void *arg, const struct rv_heard *heard)
{
    (void)arg, (void)heard;
    pthread_mutex_lock(&news.lock);
    news.n++;
    pthread_mutex_unlock(&news.lock);
}

static int start(void **state)
{
    static const char *const env[] = { "REEVE_APPROVAL_TTL=24h", NULL };
    struct rv_bus_options options = { .name = "test" };
    struct stack_service *service;

    if (!stack_start(&stack, STACK_ALL) ||
        !(service = stack_service_start(&stack, "policy", env)) ||
        !stack_service_wait_ready(service))
        return -1;
    rv_ctx_init(&bus_cx);
    options.url = stack.nats_url;
    if (rv_bus_open(&bus_cx, &options, &bus) != RV_OK)
        return -1;
    return rv_bus_listen(&bus_cx, bus, SUBJ_APPROVAL_DECIDED.name, NULL, on_news, NULL) == RV_OK
               ? 0
               : -1;
}

static int stop(void **state)
{
    rv_bus_close(bus);
    rv_ctx_release(&bus_cx);
    stack_stop(&stack);
    return 0;
}

static struct rule_match dear = { .cost_over_microusd = 500 };
static struct rule_match named = { .workflow = "br*", .subject = ABOUT_RUN };

static void allows_what_no_rule_speaks_of_and_keeps_the_decision(void **state)
{
    struct rv_ctx *cx = *state;
    struct policy_ask ask = about_run(cx, rv_id_new(cx));
    struct decision decision = decide(cx, bus, &ask);

    assert_int_equal(decision.effect, EFFECT_ALLOW);
    assert_null(decision.policy_id);
    assert_non_null(strstr(decision.facts, "\"workflow\":\"brief\""));
    assert_int_equal(
        number(rv_printf(cx,
                         "SELECT count(*) AS value FROM decisions WHERE decision_id = '%s'"
                         " AND effect = 'allow' AND facts ->> 'project' = 'demo'",
                         decision.decision_id)),
        1);
}

static void a_change_counts_from_the_next_question_on(void **state)
{
    struct rv_ctx *cx = *state;
    struct policy_ask ask = about_run(cx, rv_id_new(cx));
    struct rule deny = {
        .rule = "too-dear", .match = &dear, .effect = EFFECT_DENY, .reason = "costs too much"
    };
    struct policy policy;
    struct decision decision;

    assert_int_equal(decide(cx, bus, &ask).effect, EFFECT_ALLOW);
    policy = put_policy(cx, bus, ask.tenant_id, "costs", &deny, 1);
    assert_int_equal(policy.version, 1);
    decision = decide(cx, bus, &ask);
    assert_int_equal(decision.effect, EFFECT_DENY);
    assert_string_equal(decision.reason, "costs too much");
    assert_string_equal(decision.policy, "costs");
    assert_string_equal(decision.rule, "too-dear");
    assert_int_equal(decision.policy_version, 1);
    deny.effect = EFFECT_ALLOW;
    policy = put_policy(cx, bus, ask.tenant_id, "costs", &deny, 1);
    assert_int_equal(policy.version, 2);
    assert_int_equal(decide(cx, bus, &ask).effect, EFFECT_ALLOW);
    assert_int_equal(
        number(rv_printf(cx, "SELECT count(*) AS value FROM policy_versions WHERE policy_id = '%s'",
                         policy.policy_id)),
        2);
}

static void changes_a_policy_only_at_the_version_it_expects(void **state)
{
    struct rv_ctx *cx = *state;
    struct rule deny = { .rule = "no", .effect = EFFECT_DENY };
    struct policy policy = put_policy(cx, bus, rv_id_new(cx), "one", &deny, 1), answer;
    struct policy change = policy;

    change.rev = 7;
    assert_int_equal(rv_bus_ask(cx, bus, &SUBJ_POLICY_PUT, &change, &answer, ASK_MS), RV_STALE);
    change.rev = 1;
    change.state = POLICY_DISABLED;
    assert_ok(cx, rv_bus_ask(cx, bus, &SUBJ_POLICY_PUT, &change, &answer, ASK_MS));
    assert_int_equal(answer.version, 2);
    assert_int_equal(answer.rev, 2);
    assert_int_equal(answer.state, POLICY_DISABLED);
    change.policy_id = rv_id_new(cx);
    assert_int_equal(rv_bus_ask(cx, bus, &SUBJ_POLICY_PUT, &change, &answer, ASK_MS), RV_NOT_FOUND);
}

/* A tenant whose runs of brief want a human, and the first question. */
static struct decision park(struct rv_ctx *cx, const char *role, struct policy_ask *ask)
{
    struct rule wait = { .rule = "look-first",
                         .match = &named,
                         .effect = EFFECT_REQUIRE_APPROVAL,
                         .reason = "somebody should look",
                         .approver_role = role };
    struct decision decision;

    *ask = about_run(cx, rv_id_new(cx));
    put_policy(cx, bus, ask->tenant_id, "gate", &wait, 1);
    decision = decide(cx, bus, ask);
    assert_int_equal(decision.effect, EFFECT_REQUIRE_APPROVAL);
    assert_non_null(decision.approval_id);
    return decision;
}

static enum rv_status answer_it(struct rv_ctx *cx, const struct policy_ask *ask,
                                const struct decision *decision, enum approval_event verb,
                                const char *role, struct approval *answer)
{
    struct approval_verb said = { .tenant_id = ask->tenant_id,
                                  .approval_id = decision->approval_id,
                                  .verb = verb,
                                  .decided_by = "ann",
                                  .role = role,
                                  .feedback = "looks right" };

    cx->error = (struct rv_error){ 0 };
    return rv_bus_ask(cx, bus, &SUBJ_APPROVAL_DECIDE, &said, answer, ASK_MS);
}

static void asks_a_human_once_and_takes_the_answer(void **state)
{
    struct rv_ctx *cx = *state;
    struct policy_ask ask;
    struct decision first = park(cx, "operator", &ask), again = decide(cx, bus, &ask);
    struct approval answer = { 0 };
    int heard = news.n;

    assert_string_equal(first.approval_id, again.approval_id);
    assert_string_not_equal(first.decision_id, again.decision_id);
    assert_int_equal(answer_it(cx, &ask, &first, APPROVAL_APPROVE, "viewer", &answer), RV_DENIED);
    assert_int_equal(answer_it(cx, &ask, &first, APPROVAL_APPROVE, NULL, &answer), RV_DENIED);
    assert_ok(cx, answer_it(cx, &ask, &first, APPROVAL_APPROVE, "operator", &answer));
    assert_int_equal(answer.state, APPROVAL_APPROVED);
    assert_string_equal(answer.decided_by, "ann");
    assert_string_equal(answer.title, "run brief");
    assert_true(answer.expires_at_ms - answer.created_at_ms == 24 * 3600 * 1000LL);

    assert_fails(cx, answer_it(cx, &ask, &first, APPROVAL_REJECT, "org_admin", &answer),
                 RV_CONFLICT, "already approved by ann");
    again = decide(cx, bus, &ask);
    assert_int_equal(again.effect, EFFECT_ALLOW);
    assert_string_equal(again.reason, "approved by ann: looks right");
    for (int i = 0; i < 100 && news.n == heard; i++)
        rv_sleep_ms(20);
    assert_true(news.n > heard);
}

static void a_yes_to_one_thing_is_no_yes_to_another(void **state)
{
    struct rv_ctx *cx = *state;
    struct policy_ask ask;
    struct decision decision = park(cx, NULL, &ask);
    struct approval answer;

    assert_ok(cx, answer_it(cx, &ask, &decision, APPROVAL_APPROVE, "operator", &answer));
    assert_int_equal(decide(cx, bus, &ask).effect, EFFECT_ALLOW);
    ask.cost_microusd = 1000000;
    decision = decide(cx, bus, &ask);
    assert_int_equal(decision.effect, EFFECT_DENY);
    assert_string_equal(decision.reason, "approved by ann: looks right, but for something else");
}

/* Two services, many who ask at once. */
static void everybody_who_asks_the_same_waits_for_the_same_answer(void **state)
{
    enum { ASKERS = 40 };
    struct rv_ctx *cx = *state;
    struct stack_service *second = stack_service_start(&stack, "policy", NULL);
    struct rule wait = { .rule = "look-first", .effect = EFFECT_REQUIRE_APPROVAL };
    struct policy_ask ask = about_run(cx, rv_id_new(cx));
    struct rv_pending *pending[ASKERS];
    struct decision answers[ASKERS] = { 0 };

    assert_non_null(second);
    assert_true(stack_service_wait_ready(second));
    put_policy(cx, bus, ask.tenant_id, "gate", &wait, 1);
    for (int i = 0; i < ASKERS; i++)
        assert_ok(cx, rv_bus_begin(cx, bus, &SUBJ_POLICY_DECIDE, &ask, 1, ASK_MS, &pending[i]));
    for (int i = 0; i < ASKERS; i++) {
        assert_ok(cx, rv_bus_await(cx, pending[i], &answers[i]));
        assert_int_equal(answers[i].effect, EFFECT_REQUIRE_APPROVAL);
        assert_string_equal(answers[i].approval_id, answers[0].approval_id);
    }
    assert_int_equal(
        number(rv_printf(cx, "SELECT count(*) AS value FROM approvals WHERE run_id = '%s'",
                         ask.run_id)),
        1);
    assert_true(stack_service_signal(second, SIGTERM));
}

static void a_no_denies_and_so_does_silence(void **state)
{
    struct rv_ctx *cx = *state;
    struct policy_ask ask, late;
    struct decision decision = park(cx, NULL, &ask), again;
    struct approval answer;
    int heard;

    assert_ok(cx, answer_it(cx, &ask, &decision, APPROVAL_REJECT, "operator", &answer));
    again = decide(cx, bus, &ask);
    assert_int_equal(again.effect, EFFECT_DENY);
    assert_string_equal(again.reason, "rejected by ann: looks right");

    decision = park(cx, NULL, &late);
    heard = news.n;
    run_sql(rv_printf(cx, "UPDATE approvals SET expires_at = now() WHERE approval_id = '%s'",
                      decision.approval_id));
    assert_int_equal(answer_it(cx, &late, &decision, APPROVAL_APPROVE, "org_admin", &answer),
                     RV_CONFLICT);
    for (int i = 0; i < 300 && news.n == heard; i++)
        rv_sleep_ms(20);
    assert_true(news.n > heard);
    again = decide(cx, bus, &late);
    assert_int_equal(again.effect, EFFECT_DENY);
    assert_string_equal(again.reason, "the approval is expired");
    assert_fails(cx, answer_it(cx, &late, &decision, APPROVAL_APPROVE, "org_admin", &answer),
                 RV_CONFLICT, "already expired");
}

static void denies_everything_of_a_tenant_whose_policy_cannot_be_read(void **state)
{
    struct rv_ctx *cx = *state;
    struct policy_ask ask = about_run(cx, rv_id_new(cx)), other = about_run(cx, rv_id_new(cx));
    struct policy_ask asks[2] = { ask, other };
    struct decision answers[2] = { 0 };

    put_policy(cx, bus, ask.tenant_id, "fine",
               &(struct rule){ .rule = "yes", .effect = EFFECT_ALLOW }, 1);
    run_sql(rv_printf(
        cx,
        "INSERT INTO policies (tenant_id, policy_id, name, rules) VALUES ('%s', '%s', 'bent',"
        " '[{\"rule\": \"x\", \"effect\": \"perhaps\"}]');"
        " UPDATE policy_epochs SET epoch = epoch + 1 WHERE tenant_id = '%s'",
        ask.tenant_id, rv_id_new(cx), ask.tenant_id));
    assert_ok(cx, rv_bus_ask_many(cx, bus, &SUBJ_POLICY_DECIDE, asks, 2, answers, ASK_MS));
    assert_int_equal(answers[0].effect, EFFECT_DENY);
    assert_true(
        rv_text_starts(answers[0].reason, "policy bent cannot be read, so everything is denied"));
    assert_non_null(answers[0].decision_id);
    assert_int_equal(answers[1].effect, EFFECT_ALLOW); /* the neighbour's */
}

static void a_condition_denies_and_does_so_in_doubt(void **state)
{
    struct rv_ctx *cx = *state;
    struct policy_ask ask = about_run(cx, rv_id_new(cx));
    struct rule rules[] = {
        { .rule = "dear", .effect = EFFECT_DENY, .match = &named, .reason = "costs too much" },
        { .rule = "odd", .effect = EFFECT_ALLOW, .condition = "1 / size(agents) > 0" },
    };
    struct decision decision;

    rules[0].condition = "cost_microusd > 1000 && project == 'demo'";
    put_policy(cx, bus, ask.tenant_id, "costs", rules, 2);
    decision = decide(cx, bus, &ask);
    assert_int_equal(decision.effect, EFFECT_ALLOW);
    assert_null(decision.rule); /* the odd one fails, so it says nothing */
    ask.cost_microusd++;
    decision = decide(cx, bus, &ask);
    assert_int_equal(decision.effect, EFFECT_DENY);
    assert_string_equal(decision.reason, "costs too much");
    rules[0].condition = "cost_microusd / size(agents) > 1000";
    put_policy(cx, bus, ask.tenant_id, "costs", rules, 2);
    decision = decide(cx, bus, &ask);
    assert_int_equal(decision.effect, EFFECT_DENY);
    assert_string_equal(decision.reason,
                        "costs too much; the rule's condition failed: 1:15: division by zero");
}

static void a_condition_that_does_not_compile_is_refused_or_denies(void **state)
{
    struct rv_ctx *cx = *state;
    struct policy_ask ask = about_run(cx, rv_id_new(cx));
    struct rule rule = { .rule = "bent", .effect = EFFECT_ALLOW, .condition = "cost > 5" };
    struct policy bad = { .name = "bad", .tenant_id = ask.tenant_id, .rules = &rule, .n_rules = 1 };
    struct policy policy;

    assert_fails(cx, rv_bus_ask(cx, bus, &SUBJ_POLICY_PUT, &bad, &policy, ASK_MS), RV_INVALID,
                 "rules[0].condition 1:1: there is no variable \"cost\"");
    assert_string_equal(cx->error.details[0].path, "rules[0].condition");
    assert_string_equal(cx->error.details[0].message, "1:1: there is no variable \"cost\"");
    rule.condition = "true";
    put_policy(cx, bus, ask.tenant_id, "bad", &rule, 1);
    run_sql(rv_printf(cx,
                      "UPDATE policies SET rules = jsonb_set(rules, '{0,condition}', '\"cost\"')"
                      " WHERE tenant_id = '%s'; UPDATE policy_epochs SET epoch = epoch + 1"
                      " WHERE tenant_id = '%s'",
                      ask.tenant_id, ask.tenant_id));
    assert_string_equal(decide(cx, bus, &ask).reason,
                        "policy bad cannot be read, so everything is denied: "
                        "rules[0].condition 1:1: there is no variable \"cost\"");
}

static void refuses_garbage_and_changes_nothing(void **state)
{
    struct rv_ctx *cx = *state;
    static const struct rv_subject *const subjects[] = { &SUBJ_POLICY_DECIDE, &SUBJ_POLICY_PUT,
                                                         &SUBJ_APPROVAL_DECIDE };
    struct rule twice[] = { { .rule = "a", .effect = EFFECT_DENY, .approver_role = "king" },
                            { .rule = "a", .effect = EFFECT_ALLOW } };
    struct policy_ask asks[3] = { about_run(cx, rv_id_new(cx)), about_run(cx, rv_id_new(cx)),
                                  about_run(cx, rv_id_new(cx)) };
    struct policy bad = {
        .tenant_id = rv_id_new(cx), .name = "No Name", .rules = twice, .n_rules = 2
    };
    struct approval_verb verb = { .tenant_id = rv_id_new(cx),
                                  .approval_id = rv_id_new(cx),
                                  .verb = APPROVAL_EXPIRE,
                                  .decided_by = "ann",
                                  .role = "org_admin" };
    struct decision answers[3] = { 0 };
    struct policy policy;
    struct approval approval;

    for (size_t i = 0; i < 3; i++) {
        struct rv_subject other = SUBJ_TASK_CLAIM;
        struct task_claim claim = { .task_no = 7 };
        struct task_claimed claimed;

        other.name = subjects[i]->name;
        assert_ok(cx, rv_bus_publish(cx, bus, other.name, "\xff\xff\xff garbage", 11));
        assert_int_equal(rv_bus_ask_many(cx, bus, &other, &claim, 1, &claimed, ASK_MS), RV_INVALID);
    }
    asks[0].run_id = "no uuid";
    asks[1].subject = 0;
    assert_ok(cx, rv_bus_ask_many(cx, bus, &SUBJ_POLICY_DECIDE, asks, 3, answers, ASK_MS));
    assert_int_equal(answers[0].effect, EFFECT_DENY);
    assert_null(answers[0].decision_id);
    assert_int_equal(answers[1].effect, EFFECT_DENY);
    assert_int_equal(answers[2].effect, EFFECT_ALLOW);
    assert_int_equal(rv_bus_ask(cx, bus, &SUBJ_POLICY_PUT, &bad, &policy, ASK_MS), RV_INVALID);
    assert_int_equal(
        number(rv_printf(cx, "SELECT count(*) AS value FROM policy_epochs WHERE tenant_id = '%s'",
                         bad.tenant_id)),
        0);
    assert_int_equal(rv_bus_ask(cx, bus, &SUBJ_APPROVAL_DECIDE, &verb, &approval, ASK_MS),
                     RV_INVALID);
    verb.verb = APPROVAL_APPROVE;
    assert_int_equal(rv_bus_ask(cx, bus, &SUBJ_APPROVAL_DECIDE, &verb, &approval, ASK_MS),
                     RV_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(allows_what_no_rule_speaks_of_and_keeps_the_decision),
        RV_TEST(a_change_counts_from_the_next_question_on),
        RV_TEST(changes_a_policy_only_at_the_version_it_expects),
        RV_TEST(asks_a_human_once_and_takes_the_answer),
        RV_TEST(a_yes_to_one_thing_is_no_yes_to_another),
        RV_TEST(everybody_who_asks_the_same_waits_for_the_same_answer),
        RV_TEST(a_no_denies_and_so_does_silence),
        RV_TEST(denies_everything_of_a_tenant_whose_policy_cannot_be_read),
        RV_TEST(a_condition_denies_and_does_so_in_doubt),
        RV_TEST(a_condition_that_does_not_compile_is_refused_or_denies),
        RV_TEST(refuses_garbage_and_changes_nothing),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
