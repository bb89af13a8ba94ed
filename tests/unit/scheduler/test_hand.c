#include "support/rv_test.h"

#include "base/id.h"
#include "base/time.h"
#include "scheduler/hand.h"

#define TENANT  "01990000-0000-7000-8000-000000000001"
#define TENANT2 "01990000-0000-7000-8000-000000000002"
#define RUN     "01990000-0000-7000-8000-0000000000a1"

static const struct task_ref ref = { TENANT, RUN, 0 };
static struct hand *hand;

static int open_hand(void **state)
{
    hand = hand_new(100);
    hand_heard(hand, 5000000, rv_monotonic_ms());
    return open_ctx(state);
}

static int close_hand(void **state)
{
    int closed = close_ctx(state); /* gives back what was taken */

    hand_free(hand);
    return closed;
}
#define HAND_TEST(function) cmocka_unit_test_setup_teardown(function, open_hand, close_hand)

static void put_run(const char *tenant_id, const char *run_id, int64_t version)
{
    struct run run = { .tenant_id = tenant_id,
                       .run_id = run_id,
                       .input = "{\"x\":1}",
                       .output = "1",
                       .tasks_total = 2,
                       .version = version,
                       .changed = true };
    struct task a = { tenant_id, run_id, 0, "a", .output = "2", .executor_id = "one", .fence = 3 };
    struct task b = { tenant_id, run_id, 1, "b", .state = TASK_READY, .changed = true };

    hand_put(hand, &run, (struct task *[]){ &a, &b }, 2);
}

static void put(int64_t version)
{
    put_run(TENANT, RUN, version);
}

static void gives_a_copy_of_what_was_put_in_as_it_would_be_read(void **state)
{
    struct at_hand *found;

    put(7);
    found = hand_take(hand, *state, &ref);
    assert_non_null(found);
    assert_string_equal(found->run.run_id, RUN);
    assert_string_equal(found->run.input, "{\"x\":1}");
    assert_int_equal(found->run.version, 7);
    assert_int_equal(found->n_tasks, 2);
    assert_string_equal(found->tasks[0].node_id, "a");
    assert_string_equal(found->tasks[0].executor_id, "one");
    assert_int_equal(found->tasks[0].fence, 3);
    assert_string_equal(found->tasks[1].run_id, RUN);
    assert_int_equal(found->tasks[1].state, TASK_READY);
    assert_null(found->run.output); /* nobody reads these to move a run on */
    assert_null(found->tasks[0].output);
    assert_false(found->run.changed || found->tasks[1].changed);
}

static void gives_it_once(void **state)
{
    put(1);
    assert_non_null(hand_take(hand, *state, &ref));
    assert_null(hand_take(hand, *state, &ref));
    put(2);
    hand_drop(hand, &ref);
    assert_null(hand_take(hand, *state, &ref));
    hand_drop(hand, &ref);
}

static void keeps_the_newer_of_two(void **state)
{
    struct at_hand *found;

    put(3);
    put(2);
    found = hand_take(hand, *state, &ref);
    assert_int_equal(found->run.version, 3);
}

static void does_not_take_one_tenant_s_run_for_another_s(void **state)
{
    put_run(TENANT2, RUN, 1);
    assert_null(hand_take(hand, *state, &ref));
}

static void tells_the_time_that_has_passed_since_it_was_heard(void **state)
{
    struct at_hand *found;

    put(1);
    rv_sleep_ms(20);
    found = hand_take(hand, *state, &ref);
    assert_in_range(found->run.now_ms, 5000020, 5001000);
}

static void gives_nothing_while_it_rests(void **state)
{
    put(1);
    hand_rest(hand);
    assert_null(hand_take(hand, *state, &ref));
    rv_sleep_ms(1100);
    assert_non_null(hand_take(hand, *state, &ref));
}

static void does_not_trust_a_clock_that_was_long_under_way(void **state)
{
    struct at_hand *found;

    put(1);
    hand_heard(hand, 9000000, rv_monotonic_ms() - 600);
    found = hand_take(hand, *state, &ref);
    assert_in_range(found->run.now_ms, 5000000, 5001000);
}

static void gives_nothing_when_the_clock_was_not_heard_for_long(void **state)
{
    put(1);
    rv_sleep_ms(2100);
    assert_null(hand_take(hand, *state, &ref));
    hand_heard(hand, 5002100, rv_monotonic_ms());
    assert_non_null(hand_take(hand, *state, &ref));
}

static void forgets_what_is_not_put_in_again(void **state)
{
    put(1);
    for (int i = 0; i < 110; i++)
        put_run(TENANT, rv_id_new(*state), 1);
    assert_null(hand_take(hand, *state, &ref));
}

static void leaves_out_what_is_large(void **state)
{
    char *input = rv_new_array((struct rv_ctx *)*state, char, 20000);
    struct run run = { .tenant_id = TENANT, .run_id = RUN };

    memset(input, 'x', 19999);
    run.input = input;
    hand_put(hand, &run, NULL, 0);
    assert_null(hand_take(hand, *state, &ref));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HAND_TEST(gives_a_copy_of_what_was_put_in_as_it_would_be_read),
        HAND_TEST(gives_it_once),
        HAND_TEST(keeps_the_newer_of_two),
        HAND_TEST(does_not_take_one_tenant_s_run_for_another_s),
        HAND_TEST(tells_the_time_that_has_passed_since_it_was_heard),
        HAND_TEST(gives_nothing_while_it_rests),
        HAND_TEST(does_not_trust_a_clock_that_was_long_under_way),
        HAND_TEST(gives_nothing_when_the_clock_was_not_heard_for_long),
        HAND_TEST(forgets_what_is_not_put_in_again),
        HAND_TEST(leaves_out_what_is_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
