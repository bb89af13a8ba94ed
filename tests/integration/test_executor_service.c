/* Long because an executor does many kinds of things. */

/* The executor, from outside: real processes of scheduler, policy, budget and executor; the test
 * is gateway, model and web server at once. */

#include <signal.h>
#include <stdatomic.h>

#include "base/id.h"
#include "base/time.h"
#include "domain/budget.h"
#include "executor_talk.h"

static const char doc[] = "A lease says how long a worker may keep a task. Cats sleep all day. "
                          "When a lease has run out the task is free again. Leases are short.";

static void pure_steps_are_done_one_after_the_other(void **state)
{
    struct rv_ctx *cx = *state;
    struct stack_service *executor = start_executor(NULL);
    const char *run_id = create(cx, PLAN_CHAIN, "{\"who\":\"Ada\"}");
    struct run run = wait_for(cx, run_id, RUN_COMPLETED);

    assert_string_equal(run.output, "{\"all\": \"Hello Ada\", \"who\": \"Ada\"}");
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void many_runs_are_done(void **state)
{
    enum { RUNS = 100 };
    struct rv_ctx *cx = *state;
    struct stack_service *executor = start_executor(NULL);
    const char *run_ids[RUNS];

    for (size_t i = 0; i < RUNS; i++)
        run_ids[i] = create(cx, PLAN_CHAIN, "{\"who\":\"Ada\"}");
    for (size_t i = 0; i < RUNS; i++)
        wait_for(cx, run_ids[i], RUN_COMPLETED);
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void a_check_that_does_not_hold_fails_the_step(void **state)
{
    struct rv_ctx *cx = *state;
    struct stack_service *executor = start_executor(NULL);
    struct run run = wait_for(cx, create(cx, PLAN_CHECK, "{\"n\":3}"), RUN_FAILED);

    assert_non_null(strstr(run.error, "check_failed"));
    assert_non_null(strstr(run.error, "is_two"));
    run = wait_for(cx, create(cx, PLAN_CHECK, "{\"n\":2}"), RUN_COMPLETED);
    assert_string_equal(run.output, "{\"checks\": [{\"name\": \"is_two\", \"holds\": true}]}");
    run = wait_for(cx, create(cx, PLAN_LOST, "{}"), RUN_FAILED);
    assert_non_null(strstr(run.error, "expression_failed"));
    assert_non_null(strstr(run.error, "nowhere"));
    assert_true(stack_service_signal(executor, SIGTERM));
}

static int64_t skipped_of(struct rv_ctx *cx, const char *run_id)
{
    return number_of(cx, "SELECT count(*) AS task_no FROM tasks WHERE skipped AND", run_id);
}

/* Small or large: the tasks of a small run are in memory, those of a large one are looked up. */
static void steps_that_no_edge_leads_to_are_skipped(void **state)
{
    static const char *const forks[] = { PLAN_FORK, PLAN_LARGE };
    struct rv_ctx *cx = *state;
    struct stack_service *executor = start_executor(NULL);

    fake_llm_page(fake, "/beyond", 200, "reached");
    for (size_t i = 0; i < sizeof(forks) / sizeof(forks[0]); i++) {
        const char *left = create(cx, forks[i], "{\"left\":true}");
        const char *right = create(cx, forks[i], "{\"left\":false}");
        struct run run = wait_for(cx, left, RUN_COMPLETED);

        assert_non_null(strstr(run.output, "\"left\": \"went left\""));
        assert_non_null(strstr(run.output, "\"beyond\": true"));
        assert_int_equal(skipped_of(cx, left), 3); /* right, beyond, never */
        run = wait_for(cx, right, RUN_COMPLETED);
        assert_non_null(strstr(run.output, "\"left\": null"));
        assert_non_null(strstr(run.output, "\"beyond\": false"));
        assert_non_null(strstr(run.output, "\"never\": true"));
        assert_int_equal(skipped_of(cx, right), 2); /* left, never */
    }
    assert_int_equal(fake_llm_read(fake, "/never"), 0);
    assert_int_equal(fake_llm_read(fake, "/beyond"), 2); /* of the two that went right */
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void http_steps_are_retried_with_the_same_key(void **state)
{
    struct rv_ctx *cx = *state;
    struct stack_service *executor = start_executor(NULL);
    const char *run_id;
    struct run run;

    fake_llm_page(fake, "/page", 200, "what it says");
    fake_llm_page(fake, "/store", 503, "not now");
    run_id = create(cx, PLAN_HTTP, "{}");
    for (int i = 0; i < 200 && fake_llm_read(fake, "/store") < 1; i++)
        rv_sleep_ms(20);
    fake_llm_page(fake, "/store", 200, "{\"kept\":true}");
    run = wait_for(cx, run_id, RUN_COMPLETED);
    assert_non_null(strstr(run.output, "\"body\": {\"kept\": true}"));
    assert_true(fake_llm_read(fake, "/store") >= 2);
    assert_int_equal(fake_llm_read(fake, "/page"), 1);
    assert_true(fake_llm_key_seen(fake, rv_printf(cx, "reeve-%s-1-1", run_id)));
    assert_int_equal(calls_of(cx, run_id), 2);
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void words_that_are_cut_within_a_letter_are_reported(void **state)
{
    static const char *const pages[] = { "\xc3\xa4", "x\xc3\xa4" };
    struct rv_ctx *cx = *state;
    struct stack_service *executor = start_executor(NULL);

    fake_llm_page(fake, "/page", 200, "what it says");
    for (size_t i = 0; i < 2; i++) {
        size_t read = fake_llm_read(fake, "/store");
        char *page = rv_printf(cx, "%s", pages[i]);
        struct run run;

        for (int j = 0; j < 8; j++)
            page = rv_printf(cx, "%s%s", page, page + i);
        fake_llm_page(fake, "/store", 503, page);
        run = wait_for(cx, create(cx, PLAN_HTTP, "{}"), RUN_FAILED);
        assert_non_null(strstr(run.error, "http_status"));
        assert_non_null(strstr(run.error, "the server answered 503: "));
        assert_non_null(strstr(run.error, "\xc3\xa4\xc3\xa4"));
        assert_int_equal(fake_llm_read(fake, "/store") - read, 3);
    }
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void an_output_that_no_later_step_can_read_fails_its_step(void **state)
{
    enum { DEEP = 61 };
    struct rv_ctx *cx = *state;
    struct stack_service *executor = start_executor(NULL);
    char page[2 * DEEP + 1] = "";
    struct run run;

    memset(page, '[', DEEP);
    memset(page + DEEP, ']', DEEP);
    fake_llm_page(fake, "/page", 200, "what it says");
    fake_llm_page(fake, "/store", 200, page);
    run = wait_for(cx, create(cx, PLAN_HTTP, "{}"), RUN_FAILED);
    assert_non_null(strstr(run.error, "output_too_deep"));
    fake_llm_page(fake, "/store", 503, "");
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void an_answer_that_is_no_json_is_asked_for_twice_only(void **state)
{
    static const struct fake_turn words = { .content = "no JSON at all" };
    struct rv_ctx *cx = *state;
    struct stack_service *executor = start_executor(NULL);
    const char *run_id;
    struct run run;

    fake_llm_script(fake, &words, 1);
    run_id = create(cx, PLAN_AGENT, "{\"topic\":\"life\"}");
    run = wait_for(cx, run_id, RUN_FAILED);
    assert_non_null(strstr(run.error, "output_not_json"));
    assert_int_equal(fake_llm_asked(fake), 2);
    assert_int_equal(number_of(cx, "SELECT max(attempt) AS task_no FROM tasks WHERE", run_id), 1);
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void an_answer_that_no_journal_can_keep_fails_the_step_and_is_paid(void **state)
{
    enum { LARGE = 720 * 1024 };
    struct rv_ctx *cx = *state;
    struct stack_service *executor = start_executor(NULL);
    char *content = rv_arena_alloc(cx->arena, LARGE + 1);
    struct fake_turn large = { .content = content, .whole = true };
    const char *run_id;
    struct run run;

    memset(content, 'a', LARGE);
    content[LARGE] = '\0';
    fake_llm_script(fake, &large, 1);
    run_id = create(cx, PLAN_AGENT, "{\"topic\":\"life\"}");
    run = wait_for(cx, run_id, RUN_FAILED);
    fake_llm_script(fake, NULL, 0);
    assert_non_null(strstr(run.error, "call_too_large"));
    assert_int_equal(calls_of(cx, run_id), 0);
    assert_int_equal(
        number_of(cx, "SELECT count(*) AS task_no FROM usage WHERE NOT unconfirmed AND", run_id),
        1);
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void work_that_cannot_be_read_is_parked(void **state)
{
    static const char garbage[] = "\xff\xff no bundle";
    struct rv_publish item = { .subject = "reeve.work.any.normal",
                               .bytes = garbage,
                               .len = sizeof(garbage) };
    static const char parked[] = "SELECT count(*) AS task_no FROM dead_letters WHERE service = "
                                 "'executor' AND subject = 'reeve.work.any.normal'";
    struct rv_ctx *cx = *state;
    struct stack_service *executor = start_executor(NULL);

    assert_ok(cx, rv_stream_publish(cx, bus, &item, 1, 5000));
    for (int i = 0; i < 200 && number(cx, parked) == 0; i++)
        rv_sleep_ms(50);
    assert_int_equal(number(cx, parked), 1);
    wait_for(cx, create(cx, PLAN_CHAIN, "{\"who\":\"Ada\"}"), RUN_COMPLETED);
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void an_agent_uses_its_tool_and_answers(void **state)
{
    struct rv_ctx *cx = *state;
    struct stack_service *executor = start_executor(NULL);
    const char *run_id;
    struct run run;

    fake_llm_page(fake, "/look/a b", 200, "never");
    fake_llm_script(fake, two_turns, 2);
    run_id = create(cx, PLAN_AGENT, "{\"topic\":\"life\"}");
    run = wait_for(cx, run_id, RUN_COMPLETED);
    assert_string_equal(run.output, "{\"answer\": 42}");
    assert_int_equal(fake_llm_asked(fake), 2);
    assert_true(fake_llm_was_told(fake, "What about life?"));
    assert_true(fake_llm_was_told(fake, "error: the tool answered"));
    assert_int_equal(calls_of(cx, run_id), 3);
    assert_int_equal(run.tokens_in, 100);
    assert_int_equal(run.tokens_out, 18);
    assert_true(run.cost_microusd > 0);
    rv_sleep_ms(300);
    assert_int_equal(number(cx, "SELECT count(*) AS task_no FROM holds WHERE closed_at IS NULL"),
                     0);
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void a_denied_tool_is_told_to_the_model(void **state)
{
    struct rv_ctx *cx = *state;
    struct stack_service *executor = start_executor(NULL);
    const char *run_id;

    script_sql(cx, "UPDATE policies SET rules = '[{\"rule\":\"no\",\"effect\":\"deny\",\"match\":"
                   "{\"subject\":\"tool\",\"tool\":\"look\"},\"reason\":\"never here\"}]', "
                   "version = version + 1;"
                   "UPDATE policy_epochs SET epoch = epoch + 1;");
    rv_sleep_ms(1500);
    fake_llm_script(fake, two_turns, 2);
    run_id = create(cx, PLAN_AGENT, "{\"topic\":\"life\"}");
    wait_for(cx, run_id, RUN_COMPLETED);
    assert_true(fake_llm_was_told(fake, "denied by policy: never here"));
    assert_int_equal(calls_of(cx, run_id), 3);
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void a_tool_that_needs_approval_waits_for_a_human(void **state)
{
    static const struct rv_sql pending = {
        .name = "test_approval",
        .text = "SELECT approval_id FROM approvals WHERE state = 'pending' LIMIT 1",
    };
    struct rv_ctx *cx = *state;
    struct stack_service *executor = start_executor(NULL);
    struct approval found = { 0 }, decided = { 0 };
    struct approval_verb verb;
    const char *run_id;

    script_sql(cx,
               "UPDATE policies SET rules = '[{\"rule\":\"ask\",\"effect\":\"require_approval\","
               "\"match\":{\"subject\":\"tool\",\"tool\":\"look\"},\"reason\":\"look first\"}]', "
               "version = version + 1;"
               "UPDATE policy_epochs SET epoch = epoch + 1;");
    rv_sleep_ms(1500);
    fake_llm_script(fake, two_turns, 2);
    run_id = create(cx, PLAN_AGENT, "{\"topic\":\"life\"}");
    for (int i = 0; i < 200 && !found.approval_id; i++, rv_sleep_ms(50)) {
        assert_ok(cx, rv_db_open(cx, &db));
        if (rv_db_one(cx, &pending, rv_nothing, rv_out(approval, &found)) != RV_OK)
            found.approval_id = NULL;
        rv_db_rollback(cx);
        rv_db_close(cx);
    }
    assert_non_null(found.approval_id);
    rv_sleep_ms(500);
    assert_int_equal(fake_llm_asked(fake), 1);
    verb = (struct approval_verb){ TENANT_DEFAULT, found.approval_id, APPROVAL_APPROVE, "fine",
                                   "me",           "org_admin" };
    assert_ok(cx, rv_bus_ask(cx, bus, &SUBJ_APPROVAL_DECIDE, &verb, &decided, 5000));
    assert_int_equal(decided.state, APPROVAL_APPROVED);
    wait_for(cx, run_id, RUN_COMPLETED);
    assert_int_equal(fake_llm_asked(fake), 2);
    assert_int_equal(calls_of(cx, run_id), 3);
    script_sql(cx, "UPDATE policies SET rules = '[{\"rule\":\"all\",\"effect\":\"allow\"}]', "
                   "version = version + 1;"
                   "UPDATE policy_epochs SET epoch = epoch + 1;");
    rv_sleep_ms(1500);
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void a_cancelled_run_stops_its_call_at_once(void **state)
{
    static const struct fake_turn slow = { .content = "a b c d e f g h i j k l",
                                           .slow_ms = 1000,
                                           .piece = 10 };
    struct rv_ctx *cx = *state;
    struct stack_service *executor = start_executor(NULL);
    struct run_controlled controlled = { 0 };
    struct run_control control = { TENANT_DEFAULT, NULL, RUN_CANCEL, "enough", "me" };
    int64_t start_ms;

    fake_llm_script(fake, &slow, 1);
    control.run_id = create(cx, PLAN_AGENT, "{\"topic\":\"life\"}");
    wait_asked(1);
    start_ms = rv_monotonic_ms();
    assert_ok(cx, rv_bus_ask(cx, bus, &SUBJ_RUN_CONTROL, &control, &controlled, 5000));
    wait_for(cx, control.run_id, RUN_CANCELLED);
    assert_true(rv_monotonic_ms() - start_ms < 3000);
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void count_news(void *arg, const struct rv_heard *heard)
{
    atomic_fetch_add((atomic_int *)arg, 1);
}

static void a_generation_is_told_while_it_is_written(void **state)
{
    static const struct fake_turn slow = { .content = "{\"answer\": \"one two three four\"}",
                                           .slow_ms = 60,
                                           .piece = 150 };
    static atomic_int heard;
    struct rv_ctx *cx = *state;
    struct stack_service *executor = start_executor(NULL);

    assert_ok(cx, rv_bus_listen(cx, bus, "reeve.live." PROJECT ".>", NULL, count_news, &heard));
    fake_llm_script(fake, &slow, 1);
    wait_for(cx, create(cx, PLAN_AGENT, "{\"topic\":\"life\"}"), RUN_COMPLETED);
    assert_in_range(atomic_load(&heard), 2, 12);
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void the_built_in_model_reads_and_quotes(void **state)
{
    struct rv_ctx *cx = *state;
    struct stack_service *executor = start_executor(NULL);
    const char *run_id;

    fake_llm_page(fake, "/doc", 200, doc);
    run_id = create(cx, PLAN_SIM, rv_printf(cx, "{\"page\":\"%s\"}", doc));
    wait_for(cx, run_id, RUN_COMPLETED);
    assert_int_equal(fake_llm_read(fake, "/doc"), 1);
    assert_int_equal(calls_of(cx, run_id), 4);
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void a_run_that_may_spend_nothing_calls_no_model(void **state)
{
    struct rv_ctx *cx = *state;
    struct stack_service *executor = start_executor(NULL);
    struct run_ask ask = { .tenant_id = TENANT_DEFAULT,
                           .run_id = rv_id_new(cx),
                           .project_id = PROJECT,
                           .plan_id = PLAN_AGENT,
                           .limit_microusd = 10,
                           .input = "{\"topic\":\"life\"}" };
    struct run_answer answer = { 0 };
    struct run run;

    fake_llm_script(fake, &two_turns[1], 1);
    assert_ok(cx, rv_bus_ask_many(cx, bus, &SUBJ_RUN_CREATE, &ask, 1, &answer, 5000));
    assert_int_equal(answer.verdict, ADMIT_CREATED);
    run = wait_for(cx, ask.run_id, RUN_FAILED);
    assert_non_null(strstr(run.error, "over_budget"));
    assert_int_equal(fake_llm_asked(fake), 0);
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void a_fan_out_waits_for_free_slots(void **state)
{
    static const struct fake_turn slow = { .content = "said", .slow_ms = 60, .piece = 150 };
    struct rv_ctx *cx = *state;
    struct stack_service *executor = start_executor(NULL);
    const char *run_id;

    fake_llm_script(fake, &slow, 1);
    run_id = create(cx, PLAN_FAN, "{}");
    wait_for(cx, run_id, RUN_COMPLETED);
    assert_int_equal(fake_llm_asked(fake), 12);
    assert_int_equal(calls_of(cx, run_id), 12);
    assert_int_equal(number(cx, rv_printf(cx,
                                          "SELECT max(attempt) AS task_no FROM tasks WHERE "
                                          "run_id = '%s'",
                                          run_id)),
                     1); /* none was claimed that had to be handed back */
    assert_true(stack_service_signal(executor, SIGTERM));
}

static void all_is_well(void **state)
{
    stack.failed = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(pure_steps_are_done_one_after_the_other),
        RV_TEST(many_runs_are_done),
        RV_TEST(a_check_that_does_not_hold_fails_the_step),
        RV_TEST(steps_that_no_edge_leads_to_are_skipped),
        RV_TEST(http_steps_are_retried_with_the_same_key),
        RV_TEST(words_that_are_cut_within_a_letter_are_reported),
        RV_TEST(an_output_that_no_later_step_can_read_fails_its_step),
        RV_TEST(an_answer_that_is_no_json_is_asked_for_twice_only),
        RV_TEST(an_answer_that_no_journal_can_keep_fails_the_step_and_is_paid),
        RV_TEST(work_that_cannot_be_read_is_parked),
        RV_TEST(an_agent_uses_its_tool_and_answers),
        RV_TEST(a_denied_tool_is_told_to_the_model),
        RV_TEST(a_tool_that_needs_approval_waits_for_a_human),
        RV_TEST(a_cancelled_run_stops_its_call_at_once),
        RV_TEST(a_generation_is_told_while_it_is_written),
        RV_TEST(the_built_in_model_reads_and_quotes),
        RV_TEST(a_run_that_may_spend_nothing_calls_no_model),
        RV_TEST(a_fan_out_waits_for_free_slots),
        cmocka_unit_test(all_is_well),
    };

    return cmocka_run_group_tests(tests, open_suite, close_suite);
}
