/* What the executor does when something breaks: itself, the scheduler, the policy, NATS. */

#include <signal.h>

#include "base/id.h"
#include "base/time.h"
#include "executor_talk.h"

static void what_was_recorded_is_not_called_again(void **state)
{
    static const char *const points[] = { "REEVE_FAILPOINTS=executor.record.after",
                                          "REEVE_FAILPOINTS=executor.record.after:2",
                                          "REEVE_FAILPOINTS=executor.settle.before",
                                          "REEVE_FAILPOINTS=executor.report.before" };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        struct stack_service *broken = start_executor(points[i]), *executor;
        const char *run_id;

        fake_llm_page(fake, "/look/q", 200, "A fact.");
        fake_llm_script(
            fake,
            (const struct fake_turn[]){ { .tool = "look", .arguments = "{\"q\":\"q\"}" },
                                        { .content = "{\"answer\":42}" } },
            2);
        run_id = create(cx, PLAN_AGENT, "{\"topic\":\"life\"}");
        for (int j = 0; j < 300 && stack_service_wait_ready(broken); j++)
            rv_sleep_ms(20); /* until it is dead */
        executor = start_executor(NULL);
        wait_for(cx, run_id, RUN_COMPLETED);
        assert_int_equal(fake_llm_asked(fake), 2);
        assert_int_equal(calls_of(cx, run_id), 3);
        assert_true(stack_service_signal(executor, SIGTERM));
    }
}

static void a_run_ends_wherever_the_executor_breaks(void **state)
{
    static const char *const points[] = {
        "REEVE_FAILPOINTS=executor.claim.after",
        "REEVE_FAILPOINTS=executor.step.before",
        "REEVE_FAILPOINTS=executor.call.before",
        "REEVE_FAILPOINTS=executor.settle.before",
        "REEVE_FAILPOINTS=executor.record.before",
        "REEVE_FAILPOINTS=executor.report.after",
        "REEVE_FAILPOINTS=executor.call.after=error,executor.report.before=error",
    };
    struct rv_ctx *cx = *state;

    fake_llm_page(fake, "/look/a b", 200, "A fact.");
    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        struct stack_service *broken = start_executor(points[i]), *executor;
        const char *agent_run, *chain_run;

        fake_llm_script(fake, two_turns, 2);
        agent_run = create(cx, PLAN_AGENT, "{\"topic\":\"life\"}");
        chain_run = create(cx, PLAN_CHAIN, "{\"who\":\"Ada\"}");
        rv_sleep_ms(500);
        executor = start_executor(NULL);
        wait_for(cx, agent_run, RUN_COMPLETED);
        wait_for(cx, chain_run, RUN_COMPLETED);
        assert_true(stack_service_signal(executor, SIGTERM));
        stack_service_signal(broken, SIGKILL);
    }
}

static void a_call_whose_record_was_lost_is_made_again_under_a_new_hold(void **state)
{
    struct rv_ctx *cx = *state;
    struct stack_service *broken = start_executor("REEVE_FAILPOINTS=executor.call.after"),
                         *executor;
    const char *run_id;

    fake_llm_script(fake, &two_turns[1], 1);
    run_id = create(cx, PLAN_AGENT, "{\"topic\":\"life\"}");
    for (int j = 0; j < 300 && stack_service_wait_ready(broken); j++)
        rv_sleep_ms(20);
    executor = start_executor(NULL);
    wait_for(cx, run_id, RUN_COMPLETED);
    assert_int_equal(fake_llm_asked(fake), 2);
    assert_int_equal(calls_of(cx, run_id), 1);
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void a_long_call_keeps_its_lease(void **state)
{
    static const struct fake_turn slow = { .content = "{\"answer\": \"after a while\"}",
                                           .slow_ms = 400,
                                           .piece = 100 };
    struct rv_ctx *cx = *state;
    struct stack_service *executor = start_executor(NULL);
    const char *run_id;

    fake_llm_script(fake, &slow, 1);
    run_id = create(cx, PLAN_AGENT, "{\"topic\":\"life\"}");
    wait_for(cx, run_id, RUN_COMPLETED); /* it took longer than a lease */
    assert_int_equal(fake_llm_asked(fake), 1);
    assert_int_equal(number(cx, rv_printf(cx,
                                          "SELECT max(attempt) AS task_no FROM tasks WHERE "
                                          "run_id = '%s'",
                                          run_id)),
                     1);
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void an_executor_that_ends_hands_its_work_back(void **state)
{
    static const struct fake_turn turns[] = {
        { .content = "x y z x y z x y z", .slow_ms = 1000, .piece = 10 },
        { .content = "{\"answer\":42}" }
    };
    struct rv_ctx *cx = *state;
    struct stack_service *ending = start_executor(NULL), *executor = start_executor(NULL);
    struct stack_service *idle = NULL;
    const char *run_id;
    int64_t start_ms;

    assert_true(stack_service_signal(executor, SIGTERM));
    fake_llm_script(fake, turns, 2);
    run_id = create(cx, PLAN_AGENT, "{\"topic\":\"life\"}");
    wait_asked(1);
    start_ms = rv_monotonic_ms();
    assert_true(stack_service_signal(ending, SIGTERM));
    assert_true(rv_monotonic_ms() - start_ms < 8000);
    idle = start_executor(NULL);
    wait_for(cx, run_id, RUN_COMPLETED);
    assert_true(stack_service_signal(idle, SIGTERM));
}

static void an_executor_that_ends_does_not_wait_for_a_journal_for_ever(void **state)
{
    struct rv_ctx *cx = *state;
    struct stack_service *executor = start_executor("REEVE_EXECUTOR_ASK_TIMEOUT=1s");
    const char *run_id;
    int64_t start_ms;

    script_sql(cx, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                   "RAISE EXCEPTION 'not now' USING ERRCODE = '40001'; END $$;"
                   "CREATE TRIGGER refuse BEFORE INSERT ON run_steps FOR EACH ROW EXECUTE "
                   "FUNCTION refuse()");
    fake_llm_script(fake, &two_turns[1], 1);
    run_id = create(cx, PLAN_AGENT, "{\"topic\":\"life\"}");
    wait_asked(1);
    rv_sleep_ms(2500); /* longer than its lease: it is renewed */
    start_ms = rv_monotonic_ms();
    assert_true(stack_service_signal(executor, SIGTERM));
    assert_in_range(rv_monotonic_ms() - start_ms, 2500, 7000);
    assert_int_equal(fake_llm_asked(fake), 1);
    script_sql(cx, "DROP FUNCTION refuse() CASCADE");
    executor = start_executor(NULL);
    wait_for(cx, run_id, RUN_COMPLETED);
    assert_true(stack_service_signal(executor, SIGTERM));
}

/* Dies with @failpoints at work on the agent's run, which another executor ends. */
static const char *resume(struct rv_ctx *cx, const char *failpoints, int64_t limit_microusd)
{
    struct stack_service *broken = start_executor(failpoints), *executor;
    struct run_ask ask = { .tenant_id = TENANT_DEFAULT,
                           .run_id = rv_id_new(cx),
                           .project_id = PROJECT,
                           .plan_id = PLAN_AGENT,
                           .limit_microusd = limit_microusd,
                           .input = "{\"topic\":\"life\"}" };
    struct run_answer answer = { 0 };

    assert_ok(cx, rv_bus_ask_many(cx, bus, &SUBJ_RUN_CREATE, &ask, 1, &answer, 5000));
    assert_int_equal(answer.verdict, ADMIT_CREATED);
    for (int i = 0; i < 300 && stack_service_wait_ready(broken); i++)
        rv_sleep_ms(20); /* until it is dead */
    executor = start_executor(NULL);
    wait_for(cx, ask.run_id, RUN_COMPLETED);
    assert_true(stack_service_signal(executor, SIGTERM));
    return ask.run_id;
}

static void a_journal_that_no_message_can_carry_is_read_in_pages(void **state)
{
    enum { LARGE = 200 * 1024 };
    struct rv_ctx *cx = *state;
    char *pad = rv_arena_alloc(cx->arena, LARGE + 1);
    struct fake_turn turns[5] = { [4] = { .content = "{\"answer\":42}" } };

    memset(pad, 'a', LARGE);
    pad[LARGE] = '\0';
    for (size_t i = 0; i < 4; i++)
        turns[i] =
            (struct fake_turn){ .tool = "look",
                                .arguments = rv_printf(cx, "{\"q\":\"q\",\"pad\":\"%s\"}", pad),
                                .whole = true };
    fake_llm_page(fake, "/look/q", 200, "A fact.");
    fake_llm_script(fake, turns, 5);
    assert_int_equal(calls_of(cx, resume(cx, "REEVE_FAILPOINTS=executor.report.before", 50000000)),
                     9);
    assert_int_equal(fake_llm_asked(fake), 5);
    fake_llm_script(fake, NULL, 0);
}

static void a_settlement_that_was_lost_is_made_up_for(void **state)
{
    struct rv_ctx *cx = *state;
    const char *run_id;

    fake_llm_page(fake, "/look/a b", 200, "A fact.");
    fake_llm_script(fake, two_turns, 2);
    run_id = resume(cx, "REEVE_FAILPOINTS=executor.settle.before=error,executor.report.before", 0);
    assert_int_equal(fake_llm_asked(fake), 2);
    assert_int_equal(
        number_of(cx, "SELECT count(*) AS task_no FROM usage WHERE unconfirmed AND", run_id), 0);
}

static void what_was_held_while_the_policy_is_away_is_given_back(void **state)
{
    static const char spent[] = "SELECT sum(spent_microusd)::bigint AS task_no FROM budgets";
    struct rv_ctx *cx = *state;
    struct stack_service *policy = &stack.services[0], *executor;
    int64_t before = number(cx, spent);
    const char *run_id;
    struct run run;

    fake_llm_script(fake, &two_turns[1], 1);
    run_id = create(cx, PLAN_SHORT, "{}");
    assert_true(stack_service_signal(policy, SIGSTOP));
    executor = start_executor("REEVE_EXECUTOR_ASK_TIMEOUT=200ms");
    run = wait_for(cx, run_id, RUN_FAILED);
    assert_true(stack_service_signal(policy, SIGCONT));
    assert_non_null(strstr(run.error, "governance_unavailable"));
    assert_int_equal(fake_llm_asked(fake), 0);
    for (int i = 0; i < 200 && number_of(cx,
                                         "SELECT count(*) AS task_no FROM holds WHERE closed_at IS "
                                         "NULL AND",
                                         run_id) > 0;
         i++)
        rv_sleep_ms(50);
    assert_int_equal(number(cx, spent), before);
    assert_int_equal(number_of(cx, "SELECT count(*) AS task_no FROM usage WHERE", run_id), 0);
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void nothing_is_called_while_the_policy_is_frozen(void **state)
{
    struct rv_ctx *cx = *state;
    struct stack_service *policy = &stack.services[0], *executor;
    const char *run_id;

    fake_llm_script(fake, &two_turns[1], 1);
    run_id = create(cx, PLAN_AGENT, "{\"topic\":\"life\"}");
    assert_true(stack_service_signal(policy, SIGSTOP));
    executor = start_executor(NULL);
    rv_sleep_ms(1000);
    assert_int_equal(fake_llm_asked(fake), 0);
    assert_true(stack_service_signal(policy, SIGCONT));
    wait_for(cx, run_id, RUN_COMPLETED);
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void a_report_is_kept_while_the_scheduler_does_not_answer(void **state)
{
    static const struct fake_turn slow = { .content = "{\"answer\": 42}", .slow_ms = 100 };
    struct rv_ctx *cx = *state;
    struct stack_service *scheduler = &stack.services[2], *executor = start_executor(NULL);
    const char *run_id;

    fake_llm_script(fake, &slow, 1);
    run_id = create(cx, PLAN_AGENT, "{\"topic\":\"life\"}");
    wait_asked(1);
    assert_true(stack_service_signal(scheduler, SIGSTOP));
    rv_sleep_ms(900);
    assert_true(stack_service_signal(scheduler, SIGCONT));
    wait_for(cx, run_id, RUN_COMPLETED);
    assert_int_equal(calls_of(cx, run_id), 1);
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void an_executor_that_was_frozen_changes_nothing_any_more(void **state)
{
    static const struct fake_turn turns[] = { { .content = "{\"answer\":1}", .slow_ms = 300 },
                                              { .content = "{\"answer\":2}" } };
    struct rv_ctx *cx = *state;
    struct stack_service *frozen = start_executor(NULL), *executor;
    const char *run_id;
    struct run run;

    fake_llm_script(fake, turns, 2);
    run_id = create(cx, PLAN_AGENT, "{\"topic\":\"life\"}");
    wait_asked(1);
    assert_true(stack_service_signal(frozen, SIGSTOP));
    executor = start_executor(NULL);
    run = wait_for(cx, run_id, RUN_COMPLETED);
    assert_string_equal(run.output, "{\"answer\": 2}");
    assert_true(stack_service_signal(frozen, SIGCONT));
    rv_sleep_ms(1500);
    run = read_run(cx, run_id);
    assert_string_equal(run.output, "{\"answer\": 2}");
    assert_int_equal(calls_of(cx, run_id), 1);
    assert_true(stack_service_signal(frozen, SIGTERM));
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void work_goes_on_when_nats_comes_back_empty(void **state)
{
    struct rv_ctx *cx = *state;
    struct stack_service *executor = start_executor(NULL);

    wait_for(cx, create(cx, PLAN_CHAIN, "{\"who\":\"Ada\"}"), RUN_COMPLETED);
    assert_true(stack_nats_restart(&stack, true));
    for (int i = 0; i < 200 && !rv_bus_connected(bus); i++)
        rv_sleep_ms(50);
    rv_sleep_ms(2500); /* the others come back by themselves */
    wait_for(cx, create(cx, PLAN_CHAIN, "{\"who\":\"Ada\"}"), RUN_COMPLETED);
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void all_is_well(void **state)
{
    stack.failed = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(what_was_recorded_is_not_called_again),
        RV_TEST(a_run_ends_wherever_the_executor_breaks),
        RV_TEST(a_call_whose_record_was_lost_is_made_again_under_a_new_hold),
        RV_TEST(a_long_call_keeps_its_lease),
        RV_TEST(an_executor_that_ends_hands_its_work_back),
        RV_TEST(an_executor_that_ends_does_not_wait_for_a_journal_for_ever),
        RV_TEST(a_journal_that_no_message_can_carry_is_read_in_pages),
        RV_TEST(a_settlement_that_was_lost_is_made_up_for),
        RV_TEST(what_was_held_while_the_policy_is_away_is_given_back),
        RV_TEST(nothing_is_called_while_the_policy_is_frozen),
        RV_TEST(a_report_is_kept_while_the_scheduler_does_not_answer),
        RV_TEST(an_executor_that_was_frozen_changes_nothing_any_more),
        RV_TEST(work_goes_on_when_nats_comes_back_empty),
        cmocka_unit_test(all_is_well),
    };

    return cmocka_run_group_tests(tests, open_suite, close_suite);
}
