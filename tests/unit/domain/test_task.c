#include "machine.h"

#include "domain/task.h"

static void a_task_moves_along_these_arrows(void **state)
{
    /* clang-format off */
    static const struct arrow arrows[] = {
        { TASK_PENDING,                   TASK_RELEASE,      TASK_READY },
        { TASK_PENDING,                   TASK_ASK_APPROVAL, TASK_AWAITING_APPROVAL },
        { TASK_PENDING,                   TASK_CANCEL,       TASK_CANCELLED },
        { TASK_READY,                     TASK_CLAIM,        TASK_CLAIMED },
        { TASK_READY,                     TASK_CANCEL,       TASK_CANCELLED },
        { TASK_CLAIMED,                   TASK_START,        TASK_IN_PROGRESS },
        { TASK_CLAIMED,                   TASK_CANCEL,       TASK_CANCELLED },
        { TASK_IN_PROGRESS,               TASK_COMPLETE,     TASK_COMPLETED },
        { TASK_IN_PROGRESS,               TASK_FAIL,         TASK_FAILED },
        { TASK_IN_PROGRESS,               TASK_ASSESS,       TASK_OUTPUT_PENDING_ASSESSMENT },
        { TASK_IN_PROGRESS,               TASK_ESCALATE,     TASK_ESCALATED },
        { TASK_IN_PROGRESS,               TASK_CANCEL,       TASK_CANCELLED },
        { TASK_AWAITING_APPROVAL,         TASK_APPROVE,      TASK_READY },
        { TASK_AWAITING_APPROVAL,         TASK_CANCEL,       TASK_CANCELLED },
        { TASK_OUTPUT_PENDING_ASSESSMENT, TASK_COMPLETE,     TASK_COMPLETED },
        { TASK_OUTPUT_PENDING_ASSESSMENT, TASK_REWORK,       TASK_READY },
        { TASK_OUTPUT_PENDING_ASSESSMENT, TASK_FAIL,         TASK_FAILED },
        { TASK_OUTPUT_PENDING_ASSESSMENT, TASK_CANCEL,       TASK_CANCELLED },
        { TASK_ESCALATED,                 TASK_APPROVE,      TASK_READY },
        { TASK_ESCALATED,                 TASK_FAIL,         TASK_FAILED },
        { TASK_ESCALATED,                 TASK_CANCEL,       TASK_CANCELLED },
        { TASK_COMPLETED,                 TASK_OVERTURN,     TASK_FAILED },
        { TASK_FAILED,                    TASK_RETRY,        TASK_READY },
        { TASK_FAILED,                    TASK_ESCALATE,     TASK_ESCALATED },
        { TASK_FAILED,                    TASK_CANCEL,       TASK_CANCELLED },
    };
    /* clang-format on */

    assert_arrows(&task_machine, arrows, sizeof(arrows) / sizeof(arrows[0]));
    assert_sound(&task_machine);
}

static void the_scheduler_mends_along_these_arrows(void **state)
{
    /* clang-format off */
    static const struct arrow arrows[] = {
        { TASK_CLAIMED,     TASK_LOSE,         TASK_READY },
        { TASK_IN_PROGRESS, TASK_LOSE,         TASK_READY },
        { TASK_CLAIMED,     TASK_BACK_OFF,     TASK_PENDING },
        { TASK_IN_PROGRESS, TASK_BACK_OFF,     TASK_PENDING },
        { TASK_IN_PROGRESS, TASK_ASK_APPROVAL, TASK_AWAITING_APPROVAL },
        { TASK_CLAIMED,     TASK_FAIL,         TASK_FAILED },
        { TASK_CLAIMED,     TASK_ESCALATE,     TASK_ESCALATED },
        { TASK_ESCALATED,   TASK_COMPLETE,     TASK_COMPLETED },
        { TASK_COMPLETED,   TASK_REWORK,       TASK_READY },
        { TASK_CANCELLED,   TASK_REWORK,       TASK_READY },
        { TASK_PENDING,     TASK_OVERRIDE,     TASK_COMPLETED },
        { TASK_READY,       TASK_OVERRIDE,     TASK_COMPLETED },
        { TASK_FAILED,      TASK_OVERRIDE,     TASK_COMPLETED },
    };
    /* clang-format on */

    assert_arrows(&task_recovery, arrows, sizeof(arrows) / sizeof(arrows[0]));
    assert_sound(&task_recovery);
}

/* task_next asks both tables: no pair may have an arrow in each. */
static void the_two_tables_never_disagree(void **state)
{
    for (size_t i = 0; i < task_recovery.count; i++) {
        const struct rv_fsm_step *step = &task_recovery.steps[i];

        assert_null(rv_fsm_step(&task_machine, step->from, step->event));
        assert_int_equal(task_next((enum task_state)step->from, (enum task_event)step->event),
                         step->to);
    }
}

static void nothing_happens_that_no_table_lists(void **state)
{
    assert_int_equal(task_next(TASK_PENDING, TASK_CLAIM), 0);
    assert_int_equal(task_next(TASK_READY, TASK_COMPLETE), 0);
    assert_int_equal(task_next(TASK_CANCELLED, TASK_CLAIM), 0);
    assert_int_equal(task_next(TASK_COMPLETED, TASK_COMPLETE), 0);
    assert_int_equal(task_next(0, TASK_RELEASE), 0);
}

static void an_executor_holds_a_task_that_is_claimed_or_in_progress(void **state)
{
    for (size_t s = 0; s < task_state_enum.count; s++) {
        enum task_state at = (enum task_state)task_state_enum.rows[s].value;

        assert_int_equal(task_is_live(at), at == TASK_CLAIMED || at == TASK_IN_PROGRESS);
        assert_false(task_is_live(at) && task_is_over(at));
    }
    assert_true(task_is_over(TASK_COMPLETED));
    assert_true(task_is_over(TASK_FAILED));
    assert_true(task_is_over(TASK_CANCELLED));
    assert_false(task_is_over(TASK_ESCALATED));
}

static void whatever_is_not_over_can_be_cancelled(void **state)
{
    for (size_t s = 0; s < task_state_enum.count; s++) {
        enum task_state at = (enum task_state)task_state_enum.rows[s].value;

        if (!task_is_over(at))
            assert_int_equal(task_next(at, TASK_CANCEL), TASK_CANCELLED);
    }
}

/* The fence is between the scheduler and an executor: no client has a use for it. */
static void a_client_sees_a_part_of_the_row(void **state)
{
    for (size_t i = 0; i < task_view_record.field_count; i++)
        assert_non_null(rv_record_field(&task_record, task_view_record.fields[i].name));
    assert_null(rv_record_field(&task_view_record, "tenant_id"));
    assert_null(rv_record_field(&task_view_record, "fence"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(a_task_moves_along_these_arrows),
        RV_TEST(the_scheduler_mends_along_these_arrows),
        RV_TEST(the_two_tables_never_disagree),
        RV_TEST(nothing_happens_that_no_table_lists),
        RV_TEST(an_executor_holds_a_task_that_is_claimed_or_in_progress),
        RV_TEST(whatever_is_not_over_can_be_cancelled),
        RV_TEST(a_client_sees_a_part_of_the_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
