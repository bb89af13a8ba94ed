#include "support/rv_test.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/time.h"
#include "up_program.h"

static struct program shell(const char *script)
{
    static const char *argv[4];

    argv[0] = "sh";
    argv[1] = "-c";
    argv[2] = script;
    return (struct program){ .name = "sh", .log = "/dev/null", .argv = argv };
}

static void a_program_runs_to_its_end(void **state)
{
    struct program good = shell("exit 0");
    struct program bad;

    assert_true(program_run(&good, 5000));
    bad = shell("exit 3");
    assert_false(program_run(&bad, 5000));
    bad = shell("sleep 30");
    assert_false(program_run(&bad, 50));
    assert_int_equal(bad.pid, 0);
}

static void it_gets_what_it_may_know_and_no_more(void **state)
{
    static const char *const env[] = { "REEVE_GIVEN=yes", "REEVE_HIDDEN", NULL };
    struct program program = shell("test \"$REEVE_GIVEN\" = yes && test -z \"$REEVE_HIDDEN\"");

    setenv("REEVE_HIDDEN", "secret", 1);
    program.env = env;
    assert_true(program_run(&program, 5000));
}

static void what_does_not_stop_is_killed(void **state)
{
    struct program program = shell("trap '' TERM; while :; do sleep 0.05; done");
    int64_t began_ms = rv_monotonic_ms();
    pid_t pid;

    assert_true(program_start(&program));
    pid = program.pid;
    rv_sleep_ms(100);
    program_stop(&program, 200);
    assert_int_equal(program.pid, 0);
    assert_int_equal(kill(pid, 0), -1);
    assert_true(rv_monotonic_ms() - began_ms < 5000);
}

static void back_off_doubles_up_to_five_seconds(void **state)
{
    static const int64_t wanted[] = { 100, 200, 400, 800, 1600, 3200, 5000, 5000 };
    struct program program = { .started_ms = rv_monotonic_ms() };

    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        program_ended(&program, 0);
        assert_int_equal(program.back_off_ms, wanted[i]);
        assert_int_equal(program.restarts, i + 1);
    }
}

static void what_ran_for_long_starts_again_at_once(void **state)
{
    struct program program = { .started_ms = rv_monotonic_ms() - PROGRAM_STEADY_MS - 1,
                               .back_off_ms = 5000 };

    program_ended(&program, 0);
    assert_int_equal(program.back_off_ms, PROGRAM_BACK_OFF_FIRST_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_runs_to_its_end),
        cmocka_unit_test(it_gets_what_it_may_know_and_no_more),
        cmocka_unit_test(what_does_not_stop_is_killed),
        cmocka_unit_test(back_off_doubles_up_to_five_seconds),
        cmocka_unit_test(what_ran_for_long_starts_again_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
