#include "machine.h"

#include "domain/run.h"

static void a_run_moves_along_these_arrows_only(void **state)
{
    /* clang-format off */
    static const struct arrow arrows[] = {
        { RUN_PENDING, RUN_START,  RUN_RUNNING },
        { RUN_PENDING, RUN_REFUSE, RUN_FAILED },
        { RUN_PENDING, RUN_CANCEL, RUN_CANCELLED },
        { RUN_PENDING, RUN_FINISH, RUN_COMPLETED },
        { RUN_RUNNING, RUN_PAUSE,  RUN_PAUSED },
        { RUN_RUNNING, RUN_FINISH, RUN_COMPLETED },
        { RUN_RUNNING, RUN_BREAK,  RUN_FAILED },
        { RUN_RUNNING, RUN_CANCEL, RUN_CANCELLED },
        { RUN_PAUSED,  RUN_RESUME, RUN_RUNNING },
        { RUN_PAUSED,  RUN_BREAK,  RUN_FAILED },
        { RUN_PAUSED,  RUN_CANCEL, RUN_CANCELLED },
    };
    /* clang-format on */

    assert_arrows(&run_machine, arrows, sizeof(arrows) / sizeof(arrows[0]));
    assert_sound(&run_machine);
}

static void a_run_that_is_over_stays_as_it_is(void **state)
{
    for (size_t s = 0; s < run_state_enum.count; s++)
        for (size_t e = 0; e < run_event_enum.count; e++)
            if (run_is_over((enum run_state)run_state_enum.rows[s].value))
                assert_int_equal(run_next((enum run_state)run_state_enum.rows[s].value,
                                          (enum run_event)run_event_enum.rows[e].value),
                                 0);
}

static void three_of_the_six_states_are_ends(void **state)
{
    assert_int_equal(run_state_enum.count, 6);
    assert_true(run_is_over(RUN_COMPLETED));
    assert_true(run_is_over(RUN_FAILED));
    assert_true(run_is_over(RUN_CANCELLED));
    assert_false(run_is_over(RUN_PENDING));
    assert_false(run_is_over(RUN_RUNNING));
    assert_false(run_is_over(RUN_PAUSED));
}

static void every_run_that_is_not_over_can_be_cancelled(void **state)
{
    for (size_t s = 0; s < run_state_enum.count; s++) {
        enum run_state from = (enum run_state)run_state_enum.rows[s].value;

        assert_int_equal(run_next(from, RUN_CANCEL), run_is_over(from) ? 0 : RUN_CANCELLED);
    }
}

/* A client sees nothing of the row that it may not: who is the tenant, what identified the ask. */
static void a_client_sees_a_part_of_the_row(void **state)
{
    for (size_t i = 0; i < run_view_record.field_count; i++)
        assert_non_null(rv_record_field(&run_record, run_view_record.fields[i].name));
    assert_null(rv_record_field(&run_view_record, "tenant_id"));
    assert_null(rv_record_field(&run_view_record, "request_hash"));
    assert_null(rv_record_field(&run_view_record, "idempotency_key"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(a_run_moves_along_these_arrows_only),
        RV_TEST(a_run_that_is_over_stays_as_it_is),
        RV_TEST(three_of_the_six_states_are_ends),
        RV_TEST(every_run_that_is_not_over_can_be_cancelled),
        RV_TEST(a_client_sees_a_part_of_the_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
