#include "support/rv_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/config.h"

/* clang-format off */
#define OVEN_SETTINGS(X)                                                             \
    X(TEXT,     name,    "OVEN_NAME",    NULL,    "what it is called")               \
    X(SECRET,   key,     "OVEN_KEY",     "none",  "opens it")                        \
    X(INT,      trays,   "OVEN_TRAYS",   "4",     "trays")                           \
    X(BOOL,     hot,     "OVEN_HOT",     "false", "whether it is hot")               \
    X(DURATION, bake_ms, "OVEN_BAKE",    "5m",    "how long it bakes")               \
    X(BYTES,    room,    "OVEN_ROOM",    "1MiB",  "how much fits")                   \
    X(CHOICE,   mode,    "OVEN_MODE",    "air",   "air|grill|both: how it bakes")
/* clang-format on */
RV_SETTINGS_STRUCT(oven, OVEN_SETTINGS)
RV_SETTINGS_TABLE(oven_settings, oven, OVEN_SETTINGS)

static char words[4096]; /* what was printed last */

static bool read_oven(struct oven *oven)
{
    FILE *errors = fmemopen(words, sizeof(words), "w");
    bool good = rv_config_read(oven_settings(), oven, errors);

    fclose(errors);
    return good;
}

static void clear(void)
{
    for (const struct rv_setting *s = oven_settings(); s->env; s++)
        unsetenv(s->env);
    unsetenv("OVEN_KEY_FILE");
    memset(words, 0, sizeof(words));
}

static int forget_environment(void **state)
{
    clear();
    return open_ctx(state);
}

static void takes_the_default_of_what_is_not_set(void **state)
{
    struct oven oven;

    setenv("OVEN_NAME", "big", 1);
    assert_true(read_oven(&oven));
    assert_string_equal(oven.name, "big");
    assert_string_equal(oven.key, "none");
    assert_int_equal(oven.trays, 4);
    assert_false(oven.hot);
    assert_int_equal(oven.bake_ms, 300000);
    assert_int_equal(oven.room, 1 << 20);
    assert_string_equal(oven.mode, "air");
}

static void says_everything_that_is_wrong_at_once(void **state)
{
    struct oven oven;

    setenv("OVEN_TRAYS", "four", 1);
    setenv("OVEN_MODE", "steam", 1);
    assert_false(read_oven(&oven));
    assert_non_null(strstr(words, "OVEN_NAME is not set: what it is called\n"));
    assert_non_null(strstr(words, "OVEN_TRAYS has a value that does not fit (\"four\"): trays\n"));
    assert_non_null(strstr(words, "OVEN_MODE has a value that does not fit (\"steam\")"));
}

static void refuses_values_of_the_wrong_form(void **state)
{
    static const struct {
        const char *env, *text;
    } bad[] = {
        { "OVEN_TRAYS", "" },
        { "OVEN_TRAYS", "4 " },
        { "OVEN_TRAYS", "99999999999999999999" },
        { "OVEN_HOT", "yes" },
        { "OVEN_HOT", "TRUE" },
        { "OVEN_BAKE", "5" },
        { "OVEN_BAKE", "-5m" },
        { "OVEN_BAKE", "5 m" },
        { "OVEN_BAKE", "5y" },
        { "OVEN_ROOM", "1MB" },
        { "OVEN_ROOM", "-1" },
        { "OVEN_ROOM", "KiB" },
        { "OVEN_ROOM", "9000000000000GiB" },
        { "OVEN_MODE", "" },
        { "OVEN_MODE", "gril" },
        { "OVEN_MODE", "air|grill" },
        { "OVEN_MODE", " how it bakes" },
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct oven oven;

        clear();
        setenv("OVEN_NAME", "big", 1);
        setenv(bad[i].env, bad[i].text, 1);
        if (read_oven(&oven))
            fail_msg("%s=\"%s\" was taken", bad[i].env, bad[i].text);
    }
}

static void reads_a_secret_from_a_file(void **state)
{
    char path[] = "/tmp/test_config.XXXXXX";
    int file = mkstemp(path);
    struct oven oven;

    assert_int_equal(write(file, "sesame\n", 7), 7);
    close(file);
    setenv("OVEN_NAME", "big", 1);
    setenv("OVEN_KEY_FILE", path, 1);
    assert_true(read_oven(&oven));
    assert_string_equal(oven.key, "sesame");
    unlink(path);
    assert_false(read_oven(&oven));
    assert_string_equal(words, "OVEN_KEY_FILE names a file that cannot be read\n");
}

static void never_says_a_secret(void **state)
{
    struct oven oven;
    FILE *out;

    setenv("OVEN_NAME", "big", 1);
    setenv("OVEN_KEY", "sesame", 1);
    assert_true(read_oven(&oven));
    out = fmemopen(words, sizeof(words), "w");
    rv_config_print(oven_settings(), &oven, out);
    fclose(out);
    assert_string_equal(words, "OVEN_NAME=big\nOVEN_KEY=***\nOVEN_TRAYS=4\nOVEN_HOT=false\n"
                               "OVEN_BAKE=300000ms\nOVEN_ROOM=1048576\nOVEN_MODE=air\n");
}

static void describes_every_setting_in_a_line(void **state)
{
    FILE *out = fmemopen(words, sizeof(words), "w");

    rv_config_describe(oven_settings(), out);
    fclose(out);
    assert_non_null(strstr(words, "OVEN_NAME"));
    assert_non_null(strstr(words, "(required)"));
    assert_non_null(strstr(words, "air|grill|both: how it bakes\n"));
}

#define OVEN_TEST(function) cmocka_unit_test_setup_teardown(function, forget_environment, close_ctx)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVEN_TEST(takes_the_default_of_what_is_not_set),
        OVEN_TEST(says_everything_that_is_wrong_at_once),
        OVEN_TEST(refuses_values_of_the_wrong_form),
        OVEN_TEST(reads_a_secret_from_a_file),
        OVEN_TEST(never_says_a_secret),
        OVEN_TEST(describes_every_setting_in_a_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
