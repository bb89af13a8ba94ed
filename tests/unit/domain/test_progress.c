#include "story.h"

/* -- admission --------------------------------------------------------------------------------- */

static void a_new_run_has_its_first_tasks_ready(void **state)
{
    create(*state, 3, true);
    assert_int_equal(now.run.state, RUN_PENDING);
    assert_int_equal(now.run.phase, PHASE_QUEUED);
    assert_int_equal(now.run.tasks_open, 3);
    assert_int_equal(now.tasks[READ].state, TASK_READY);
    assert_int_equal(now.tasks[WRITE].state, TASK_PENDING);
    assert_int_equal(now.tasks[WRITE].open_needs, 1);
    assert_int_equal(now.outbox.n_ready, 1);
    assert_string_equal(now.outbox.ready[0].class_name, "any");
    assert_int_equal(now.outbox.ready[0].priority, PRIORITY_HIGH);
    ASSERT_TOLD("run.created");
}

static void a_parked_run_begins_when_a_human_says_yes(void **state)
{
    struct progress *p = create(*state, 3, false);

    progress_parked(p, &(struct decision){ .approval_id = "a", .rule = "big" });
    assert_int_equal(now.run.phase, PHASE_AWAITING_APPROVAL);
    assert_false(progress_claim(p, &now.tasks[READ], "x1"));
    assert_int_equal(now.outbox.n_ready, 0);
    progress_approved(p, now.tasks, 3, "ann");
    progress_approved(p, now.tasks, 3, "ann"); /* twice is once */
    assert_int_equal(now.outbox.n_ready, 1);
    assert_true(progress_claim(p, &now.tasks[READ], "x1"));
    ASSERT_TOLD("run.created", "run.approval_required", "run.approved", "run.started",
                "task.started");
}

static void a_refused_run_has_failed_and_says_why(void **state)
{
    struct progress *p = create(*state, 1, false);

    progress_refused(p, PHASE_REJECTED, "policy_denied", "not \"today\"", &(struct decision){ 0 });
    assert_int_equal(now.run.state, RUN_FAILED);
    assert_int_equal(now.run.phase, PHASE_REJECTED);
    assert_int_equal(now.run.ended_at_ms, 1000);
    assert_int_equal(now.run.tasks_open, 0);
    assert_string_equal(now.run.error,
                        "{\"code\":\"policy_denied\",\"message\":\"not \\\"today\\\"\","
                        "\"retryable\":false}");
    assert_int_equal(now.outbox.n_over, 1);
    ASSERT_TOLD("run.created", "run.denied");
}

static void a_run_that_goes_on_is_not_refused(void **state)
{
    struct progress *p = start(*state, 1);

    progress_refused(p, PHASE_REJECTED, "approval_refused", NULL, &(struct decision){ 0 });
    assert_int_equal(now.run.state, RUN_RUNNING);
    assert_int_equal(now.outbox.n_events, 0);
}

/* -- claims ------------------------------------------------------------------------------------ */

static void the_first_claim_starts_the_run(void **state)
{
    struct progress *p = create(*state, 3, true);

    now.run.now_ms = 4000;
    assert_true(progress_claim(p, &now.tasks[READ], "x1"));
    assert_int_equal(now.run.state, RUN_RUNNING);
    assert_int_equal(now.run.started_at_ms, 4000);
    assert_int_equal(now.run.tasks_live, 1);
    assert_int_equal(now.tasks[READ].state, TASK_IN_PROGRESS);
    assert_int_equal(now.tasks[READ].fence, 1);
    assert_int_equal(now.tasks[READ].lease_until_ms, 34000);
    assert_int_equal(now.outbox.n_attempts, 1);
    ASSERT_TOLD("run.created", "run.started", "task.started");
    assert_string_equal(now.outbox.events[2].data,
                        "{\"task_no\":0,\"attempt\":1,\"executor_id\":\"x1\","
                        "\"waited_ms\":3000}");
}

static void nobody_claims_what_is_held_or_waits(void **state)
{
    struct progress *p = start(*state, 3);

    assert_false(progress_claim(p, &now.tasks[READ], "x2"));
    assert_false(progress_claim(p, &now.tasks[WRITE], "x2"));
    assert_int_equal(now.tasks[READ].fence, 1);
    assert_string_equal(now.tasks[READ].executor_id, "x1");
    assert_int_equal(now.outbox.n_attempts, 0);
}

/* -- reports ----------------------------------------------------------------------------------- */

static void a_completed_task_releases_those_that_wait(void **state)
{
    start(*state, 3);
    assert_int_equal(say((struct task_report){ .outcome = OUTCOME_COMPLETED, .output = "7" }, NULL),
                     REPORT_RECORDED);
    assert_string_equal(now.tasks[READ].output, "7");
    assert_int_equal(now.tasks[WRITE].state, TASK_READY);
    assert_int_equal(now.tasks[DRAW].state, TASK_READY);
    assert_int_equal(now.outbox.n_ready, 2);
    assert_string_equal(now.outbox.ready[1].class_name, "gpu");
    assert_int_equal(now.run.tasks_open, 2);
    assert_int_equal(now.run.tasks_live, 0);
}

static void a_skipped_task_is_completed_without_an_output(void **state)
{
    start(*state, 3);
    say((struct task_report){ .outcome = OUTCOME_SKIPPED, .output = "7" }, NULL);
    assert_int_equal(now.tasks[READ].state, TASK_COMPLETED);
    assert_true(now.tasks[READ].skipped);
    assert_null(now.tasks[READ].output);
    assert_int_equal(now.tasks[WRITE].state,
                     TASK_READY); /* it says for itself whether it is done */
    assert_int_equal(now.run.tasks_open, 2);
    ASSERT_TOLD("task.skipped");
}

static void whoever_asks_gets_the_next_task_of_its_class_at_once(void **state)
{
    struct task *next;

    start(*state, 3);
    say((struct task_report){ .outcome = OUTCOME_COMPLETED, .wants_next = true }, &next);
    assert_ptr_equal(next, &now.tasks[WRITE]);
    assert_int_equal(next->state, TASK_IN_PROGRESS);
    assert_int_equal(next->fence, 1);
    assert_string_equal(next->executor_id, "x1");
    assert_int_equal(now.outbox.n_ready, 1); /* the other one is for a GPU */
    assert_string_equal(now.outbox.ready[0].class_name, "gpu");
    ASSERT_TOLD("task.completed", "task.started");
}

static void the_last_task_completes_the_run_with_its_output(void **state)
{
    start(*state, 1);
    now.run.now_ms = 3000;
    say((struct task_report){ .outcome = OUTCOME_COMPLETED, .output = "{\"n\":1}" }, NULL);
    assert_int_equal(now.run.state, RUN_COMPLETED);
    assert_int_equal(now.run.phase, PHASE_DONE);
    assert_string_equal(now.run.output, "{\"n\":1}");
    assert_int_equal(now.run.ended_at_ms, 3000);
    assert_int_equal(now.outbox.n_over, 1);
    ASSERT_TOLD("task.completed", "run.completed");
}

static void a_stale_report_changes_nothing(void **state)
{
    struct progress *p = start(*state, 3);
    struct task before;

    progress_lost(p, &now.tasks[READ]);
    assert_true(progress_claim(p, &now.tasks[READ], "x2"));
    memcpy(&before, &now.tasks[READ], sizeof(before));
    now.outbox = (struct outbox){ 0 };
    assert_int_equal(say((struct task_report){ .fence = 1, .outcome = OUTCOME_COMPLETED }, NULL),
                     REPORT_STALE);
    assert_memory_equal(&before, &now.tasks[READ], sizeof(before));
    assert_int_equal(now.outbox.n_events, 0);
}

static void the_same_report_twice_is_stale_the_second_time(void **state)
{
    const struct task_report done = { .outcome = OUTCOME_COMPLETED, .output = "1" };

    start(*state, 3);
    assert_int_equal(say(done, NULL), REPORT_RECORDED);
    assert_int_equal(say(done, NULL), REPORT_STALE);
    assert_int_equal(now.run.tasks_open, 2);
}

/* -- failures ---------------------------------------------------------------------------------- */

static void a_failure_is_tried_again_a_little_later(void **state)
{
    start(*state, 1);
    say((struct task_report){ .outcome = OUTCOME_FAILED, .failure = &broken }, NULL);
    assert_int_equal(now.tasks[READ].state, TASK_PENDING);
    assert_int_equal(now.tasks[READ].not_before_ms, 1500);
    assert_int_equal(now.run.state, RUN_RUNNING);
    ASSERT_TOLD("task.retry_scheduled");
    now.run.now_ms = 1500;
    progress_ready(&now.progress, &now.tasks[READ]);
    assert_int_equal(now.tasks[READ].state, TASK_READY);
    assert_int_equal(now.outbox.n_ready, 1);
}

static void a_server_may_ask_for_more_time_up_to_an_hour(void **state)
{
    static const struct {
        int64_t retry_after_ms, waits_ms;
    } rows[] = { { 0, 500 }, { 100, 500 }, { -5, 500 }, { 20000, 20000 }, { INT64_MAX, 3600000 } };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        start(*state, 1);
        say((struct task_report){ .outcome = OUTCOME_FAILED,
                                  .failure = &broken,
                                  .retry_after_ms = rows[i].retry_after_ms },
            NULL);
        assert_int_equal(now.tasks[READ].not_before_ms, 1000 + rows[i].waits_ms);
    }
}

static void a_wait_doubles_up_to_a_minute(void **state)
{
    assert_int_equal(back_off_ms(NULL, 1), 1000);
    assert_int_equal(back_off_ms(&thrice, 1), 500);
    assert_int_equal(back_off_ms(&thrice, 2), 1000);
    assert_int_equal(back_off_ms(&thrice, 4), 4000);
    assert_int_equal(back_off_ms(&thrice, 8), 60000);
    assert_int_equal(back_off_ms(&thrice, INT64_MAX), 60000);
    assert_int_equal(back_off_ms(&(struct retry_spec){ .initial_ms = 3600000 }, 1), 60000);
}

static void a_failure_without_a_way_on_fails_the_run(void **state)
{
    static struct {
        struct failure failure;
        int64_t attempt;
        enum run_phase phase;
    } rows[] = {
        { { "tool_failed", "it broke", false }, 1, PHASE_ERROR },
        { { "tool_failed", "it broke", true }, 3, PHASE_ERROR },
        { { "over_budget", NULL, false }, 1, PHASE_BUDGET_EXCEEDED },
        { { "timeout", "too slow", true }, 3, PHASE_TIMEOUT },
        { { NULL, NULL, false }, 1, PHASE_ERROR },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        start(*state, 3);
        now.tasks[READ].attempt = rows[i].attempt;
        say((struct task_report){ .outcome = OUTCOME_FAILED, .failure = &rows[i].failure }, NULL);
        assert_int_equal(now.tasks[READ].state, TASK_FAILED);
        assert_int_equal(now.run.state, RUN_FAILED);
        assert_int_equal(now.run.phase, rows[i].phase);
        ASSERT_TOLD("task.failed", "run.failed");
    }
}

static void a_task_that_was_handed_back_was_not_tried(void **state)
{
    start(*state, 1);
    say((struct task_report){ .outcome = OUTCOME_HANDED_BACK }, NULL);
    assert_int_equal(now.tasks[READ].state, TASK_PENDING);
    assert_int_equal(now.tasks[READ].attempt, 0);
    assert_int_equal(now.tasks[READ].fence, 1);
    assert_int_equal(now.tasks[READ].not_before_ms, 1100);
    ASSERT_TOLD("task.handed_back");
}

static void a_call_that_names_no_approval_has_failed(void **state)
{
    start(*state, 1);
    say((struct task_report){ .outcome = OUTCOME_NEEDS_APPROVAL }, NULL);
    assert_int_equal(now.tasks[READ].state, TASK_FAILED);
    assert_int_equal(now.run.state, RUN_FAILED);
}

static void a_call_that_needs_a_human_waits_for_one(void **state)
{
    struct progress *p = start(*state, 1);

    say((struct task_report){ .outcome = OUTCOME_NEEDS_APPROVAL, .approval_id = "a" }, NULL);
    assert_int_equal(now.tasks[READ].state, TASK_AWAITING_APPROVAL);
    assert_string_equal(now.tasks[READ].approval_id, "a");
    assert_int_equal(now.run.tasks_live, 0);
    progress_task_decided(p, &now.tasks[READ], true, "ann");
    progress_task_decided(p, &now.tasks[READ], true, "ann"); /* twice is once */
    assert_int_equal(now.tasks[READ].state, TASK_READY);
    ASSERT_TOLD("task.approval_requested", "task.approved");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(a_new_run_has_its_first_tasks_ready),
        RV_TEST(a_parked_run_begins_when_a_human_says_yes),
        RV_TEST(a_refused_run_has_failed_and_says_why),
        RV_TEST(a_run_that_goes_on_is_not_refused),
        RV_TEST(the_first_claim_starts_the_run),
        RV_TEST(nobody_claims_what_is_held_or_waits),
        RV_TEST(a_completed_task_releases_those_that_wait),
        RV_TEST(a_skipped_task_is_completed_without_an_output),
        RV_TEST(whoever_asks_gets_the_next_task_of_its_class_at_once),
        RV_TEST(the_last_task_completes_the_run_with_its_output),
        RV_TEST(a_stale_report_changes_nothing),
        RV_TEST(the_same_report_twice_is_stale_the_second_time),
        RV_TEST(a_failure_is_tried_again_a_little_later),
        RV_TEST(a_server_may_ask_for_more_time_up_to_an_hour),
        RV_TEST(a_wait_doubles_up_to_a_minute),
        RV_TEST(a_failure_without_a_way_on_fails_the_run),
        RV_TEST(a_task_that_was_handed_back_was_not_tried),
        RV_TEST(a_call_that_names_no_approval_has_failed),
        RV_TEST(a_call_that_needs_a_human_waits_for_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
