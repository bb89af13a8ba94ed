#include "support/rv_test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/failpoint.h"

static bool arm(const char *text)
{
    char *words = NULL;
    size_t len;
    FILE *errors = open_memstream(&words, &len);
    bool ok;

    setenv("REEVE_FAILPOINTS", text, 1);
    ok = rv_failpoints_read(errors);
    fclose(errors);
    assert_true(ok == (len == 0));
    free(words);
    return ok;
}

static void costs_nothing_when_nobody_asks(void **state)
{
    assert_true(arm(""));
    assert_false(rv_failpoints_armed);
    assert_ok((struct rv_ctx *)*state, rv_failpoint(*state, "a.b"));
}

static void fails_the_work_once_at_the_third_time(void **state)
{
    struct rv_ctx *cx = *state;

    assert_true(arm("other=exit,a.b:3=error"));
    assert_ok(cx, rv_failpoint(cx, "a.b"));
    assert_ok(cx, rv_failpoint(cx, "a.b.c"));
    assert_ok(cx, rv_failpoint(cx, "a"));
    assert_ok(cx, rv_failpoint(cx, "a.b"));
    assert_fails(cx, rv_failpoint(cx, "a.b"), RV_UNAVAILABLE, "failpoint a.b");
    assert_ok(cx, rv_failpoint(cx, "a.b"));
}

static void knows_the_sides_of_a_unit_of_work(void **state)
{
    struct rv_ctx *cx = *state;

    assert_true(arm("reeve.x.y.commit.after=error"));
    for (const char *const *side = rv_failpoint_sides; *side; side++)
        assert_int_equal(rv_failpoint_at(cx, "reeve.x.y", *side),
                         strcmp(*side, "commit.after") == 0 ? RV_UNAVAILABLE : RV_OK);
}

static void dies_without_a_word(void **state)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        if (!arm("a.b") || rv_failpoint(*state, "a.b") != RV_OK)
            _exit(1);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void stalls_for_ever(void **state)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        if (!arm("a.b=stall") || rv_failpoint(*state, "a.b") != RV_OK)
            _exit(1);
        _exit(0);
    }
    usleep(100000);
    assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void refuses_what_it_does_not_understand(void **state)
{
    static const char *const bad[] = { "a=explode", "a:0=exit", "a:x", "a:-1", ":3=exit", "=exit" };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(arm(bad[i]));
        assert_false(rv_failpoints_armed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(costs_nothing_when_nobody_asks),
        RV_TEST(fails_the_work_once_at_the_third_time),
        RV_TEST(knows_the_sides_of_a_unit_of_work),
        RV_TEST(dies_without_a_word),
        RV_TEST(stalls_for_ever),
        RV_TEST(refuses_what_it_does_not_understand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
