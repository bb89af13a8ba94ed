#include "story.h"

/* -- the journal ------------------------------------------------------------------------------- */

static void a_call_counts_once(void **state)
{
    struct progress *p = start(*state, 1);
    struct task_call call = { .fence = 1,
                              .call_no = 1,
                              .kind = CALL_LLM,
                              .cost_microusd = 70,
                              .tokens_in = 5,
                              .tokens_out = 2 };

    assert_int_equal(progress_record(p, &now.tasks[READ], &call), REPORT_RECORDED);
    assert_int_equal(progress_record(p, &now.tasks[READ], &call), REPORT_RECORDED);
    assert_int_equal(now.tasks[READ].calls, 1);
    assert_int_equal(now.tasks[READ].cost_microusd, 70);
    assert_int_equal(now.run.cost_microusd, 70);
    assert_int_equal(now.run.tokens_out, 2);
    ASSERT_TOLD("llm.generation_finished");
    call.fence = 2;
    assert_int_equal(progress_record(p, &now.tasks[READ], &call), REPORT_STALE);
}

static void whoever_calls_is_told_that_the_run_stops(void **state)
{
    struct progress *p = start(*state, 1);
    struct task_call call = { .fence = 1, .call_no = 1, .kind = CALL_TOOL };

    progress_cancel(p, NULL, "ann");
    assert_int_equal(progress_record(p, &now.tasks[READ], &call), REPORT_CANCEL);
    assert_int_equal(progress_record(p, &now.tasks[READ], &call), REPORT_CANCEL);
    ASSERT_TOLD("run.cancel_requested", "tool.call_finished");
}

/* -- mending ----------------------------------------------------------------------------------- */

static void a_lost_task_is_ready_again_under_a_new_fence(void **state)
{
    struct progress *p = start(*state, 1);

    progress_lost(p, &now.tasks[READ]);
    assert_int_equal(now.tasks[READ].state, TASK_READY);
    assert_int_equal(now.tasks[READ].fence, 2);
    assert_int_equal(now.run.tasks_live, 0);
    assert_int_equal(now.outbox.n_ready, 1);
    ASSERT_TOLD("task.lease_expired");
}

static void a_task_that_is_lost_too_often_fails_the_run(void **state)
{
    struct progress *p = start(*state, 1);

    for (int i = 1; i < ATTEMPTS_LOST_MAX; i++) {
        progress_lost(p, &now.tasks[READ]);
        assert_true(progress_claim(p, &now.tasks[READ], "x1"));
    }
    progress_lost(p, &now.tasks[READ]);
    assert_int_equal(now.tasks[READ].state, TASK_FAILED);
    assert_int_equal(now.run.phase, PHASE_WORKER_LOST);
}

static void what_nobody_took_is_said_again(void **state)
{
    struct progress *p = create(*state, 1, true);

    now.run.now_ms = 9000;
    progress_ready(p, &now.tasks[READ]);
    assert_int_equal(now.outbox.n_ready, 2);
    assert_int_equal(now.tasks[READ].announced_at_ms, 9000);
    assert_int_equal(now.tasks[READ].ready_at_ms, 1000);
}

static void what_waits_for_others_is_not_made_ready(void **state)
{
    struct progress *p = start(*state, 3);

    progress_ready(p, &now.tasks[WRITE]);
    assert_int_equal(now.tasks[WRITE].state, TASK_PENDING);
    assert_int_equal(now.outbox.n_ready, 0);
}

static void a_run_past_its_deadline_fails_once(void **state)
{
    struct progress *p = start(*state, 3);

    progress_expired(p);
    progress_expired(p);
    assert_int_equal(now.run.state, RUN_FAILED);
    assert_int_equal(now.run.phase, PHASE_TIMEOUT);
    ASSERT_TOLD("run.failed");
}

/* -- cancelling -------------------------------------------------------------------------------- */

static void a_run_that_nobody_works_on_is_cancelled_at_once(void **state)
{
    struct progress *p = create(*state, 3, true);

    assert_int_equal(progress_cancel(p, "enough", "ann"), CONTROL_DONE);
    assert_int_equal(now.run.state, RUN_CANCELLED);
    assert_int_equal(now.run.phase, PHASE_USER);
    assert_int_equal(progress_cancel(p, "enough", "ann"), CONTROL_ALREADY);
    ASSERT_TOLD("run.created", "run.cancel_requested", "run.cancelled");
}

static void a_run_at_work_is_cancelled_when_its_last_task_has_stopped(void **state)
{
    static const struct {
        enum outcome outcome;
        enum task_state task;
        const char *told;
    } rows[] = {
        { OUTCOME_CANCELLED, TASK_CANCELLED, "task.cancelled" },
        { OUTCOME_COMPLETED, TASK_COMPLETED, "task.completed" },
        { OUTCOME_FAILED, TASK_FAILED, "task.failed" },
        { OUTCOME_HANDED_BACK, TASK_CANCELLED, "task.cancelled" },
        { OUTCOME_NEEDS_APPROVAL, TASK_CANCELLED, "task.cancelled" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        progress_cancel(start(*state, 3), "enough", "ann");
        assert_int_equal(now.run.phase, PHASE_CANCELLING);
        assert_false(run_is_over(now.run.state));
        say((struct task_report){ .outcome = rows[i].outcome, .failure = &broken }, NULL);
        assert_int_equal(now.tasks[READ].state, rows[i].task);
        assert_int_equal(now.run.state, RUN_CANCELLED);
        ASSERT_TOLD("run.cancel_requested", rows[i].told, "run.cancelled");
    }
}

static void a_lost_task_of_a_run_that_stops_is_gone(void **state)
{
    struct progress *p = start(*state, 1);

    progress_cancel(p, NULL, NULL);
    progress_lost(p, &now.tasks[READ]);
    assert_int_equal(now.tasks[READ].state, TASK_CANCELLED);
    assert_int_equal(now.tasks[READ].fence, 2);
    ASSERT_TOLD("run.cancel_requested", "task.lease_expired", "task.cancelled", "run.cancelled");
}

static void a_run_that_is_done_cannot_be_cancelled(void **state)
{
    struct progress *p = start(*state, 1);

    say((struct task_report){ .outcome = OUTCOME_COMPLETED }, NULL);
    assert_int_equal(progress_cancel(p, "late", "ann"), CONTROL_ILLEGAL);
    assert_int_equal(now.run.state, RUN_COMPLETED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(a_call_counts_once),
        RV_TEST(whoever_calls_is_told_that_the_run_stops),
        RV_TEST(a_lost_task_is_ready_again_under_a_new_fence),
        RV_TEST(a_task_that_is_lost_too_often_fails_the_run),
        RV_TEST(what_nobody_took_is_said_again),
        RV_TEST(what_waits_for_others_is_not_made_ready),
        RV_TEST(a_run_past_its_deadline_fails_once),
        RV_TEST(a_run_that_nobody_works_on_is_cancelled_at_once),
        RV_TEST(a_run_at_work_is_cancelled_when_its_last_task_has_stopped),
        RV_TEST(a_lost_task_of_a_run_that_stops_is_gone),
        RV_TEST(a_run_that_is_done_cannot_be_cancelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
