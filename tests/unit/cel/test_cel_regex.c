#include "unit/cel/cel_test.h"

#include "cel/regex.h"

static void patterns_mean_what_they_mean_in_re2(void **state)
{
    static const struct {
        const char *text, *value;
    } rows[] = {
        { "'abc'.matches('b')", "true" },     { "'abc'.matches('^b')", "false" },
        { "'a\\n'.matches('a$')", "false" },  { "'a\\nb'.matches('(?m)^b$')", "true" },
        { "'ü'.matches('^.$')", "true" },     { "'ü'.matches(r'^\\w$')", "false" },
        { "'\\v'.matches(r'\\s')", "false" }, { "'\\v'.matches(r'[\\S]')", "true" },
        { "'x'.matches('(?i)X')", "true" },   { "'a.b'.matches(r'^\\Qa.b')", "true" },
        { "''.matches('')", "true" },         { "'ab'.matches('^(?P<n>a)(b)$')", "true" },
    };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(eval(cx, rows[i].text), rows[i].value);
}

static void what_re2_does_not_have_is_refused(void **state)
{
    static const struct {
        const char *pattern, *why;
    } rows[] = {
        { "(a)\\1", "back references are not allowed" },
        { "a(?=b)", "lookahead is not allowed" },
        { "(?<!a)b", "lookbehind is not allowed" },
        { "a++", "a repetition of a repetition is not allowed" },
        { "a{2}{3}", "a repetition of a repetition is not allowed" },
        { "a{1001}", "a repetition is over 1000" },
        { "(?>a)", "there is no such group" },
        { "(?R)", "there is no such group" },
        { "(*LIMIT_MATCH=1)a", "verbs are not allowed" },
        { "\\K", "there is no such escape" },
        { "[\\b]", "there is no such escape" },
        { "\\x1", "\\x lacks digits" },
        { "a)(b", "a ) closes nothing" },
        { "(a", "a ( is not closed" },
        { "a\\", "a backslash at the end" },
        { "[a", "the pattern is wrong: missing terminating ] for character class" },
        { "\xff", "the pattern is not UTF-8" },
    };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *why = "";
        size_t bytes;

        assert_null(cel_regex_compile(cx, rows[i].pattern, strlen(rows[i].pattern), &bytes, &why));
        assert_string_equal(why, rows[i].why);
    }
}

static void a_long_text_is_matched_within_the_budget(void **state)
{
    struct rv_ctx *cx = *state;

    assert_string_equal(eval(cx, "lists.range(10000).map(x, 'ab').join().matches('^(ab|cd)+$')"),
                        "true");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(patterns_mean_what_they_mean_in_re2),
        RV_TEST(what_re2_does_not_have_is_refused),
        RV_TEST(a_long_text_is_matched_within_the_budget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
