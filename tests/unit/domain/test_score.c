#include "domain/score.h"

#include "base/text.h"
#include "support/rv_test.h"

static char why[200];

static struct match_value text(const char *const *one)
{
    return (struct match_value){ one, *one != NULL, false };
}

static bool holds(enum match_op op, const char *left, const char *right)
{
    return match_holds(op, text(&left), text(&right), why, sizeof(why));
}

static void compares_texts_and_numbers(void **state)
{
    assert_true(holds(MATCH_EQUALS, "a", "a"));
    assert_true(holds(MATCH_EQUALS, "1.0", "1"));
    assert_false(holds(MATCH_EQUALS, "a", "b"));
    assert_string_equal(why, "\"a\" does not equal \"b\"");
    assert_false(holds(MATCH_EQUALS, NULL, ""));
    assert_true(holds(MATCH_NOT_EQUALS, "a", "b"));
    assert_true(holds(MATCH_CONTAINS, "green tea", "tea"));
    assert_false(holds(MATCH_NOT_CONTAINS, "green tea", "tea"));
    assert_true(holds(MATCH_AT_LEAST, "2", "2"));
    assert_false(holds(MATCH_AT_MOST, "2.5", "2"));
    assert_string_equal(why, "2.5 is above 2");
    assert_false(holds(MATCH_AT_LEAST, "many", "2"));
    assert_string_equal(why, "\"many\" is not a number");
    assert_false(holds(MATCH_AT_LEAST, "2", "few"));
    assert_string_equal(why, "the bound \"few\" is not a number");
    assert_true(holds(MATCH_LENGTH_AT_LEAST, " three little words ", "3"));
    assert_false(holds(MATCH_LENGTH_AT_MOST, "three little words", "2"));
    assert_false(match_holds(0, text(&(const char *){ "a" }), text(&(const char *){ "a" }), why,
                             sizeof(why)));
}

static void compares_lists(void **state)
{
    static const char *const fruits[] = { "apple", "pear" }, *const lines[] = { "the  quick\nfox",
                                                                                "lazy dog" };
    struct match_value list = { fruits, 2, true }, quotes = { lines, 2, true };
    const char *one = "apple", *part = "app", *two = "2",
               *source = "See the quick \t fox and the lazy\ndog.";

    assert_true(match_holds(MATCH_CONTAINS, list, text(&one), why, sizeof(why)));
    assert_false(match_holds(MATCH_CONTAINS, list, text(&part), why, sizeof(why)));
    assert_true(match_holds(MATCH_LENGTH_AT_MOST, list, text(&two), why, sizeof(why)));
    assert_true(match_holds(MATCH_ALL_WITHIN, quotes, text(&source), why, sizeof(why)));
    assert_false(match_holds(MATCH_ALL_WITHIN, list, text(&source), why, sizeof(why)));
    assert_string_equal(why, "\"apple\" does not occur in the text");
    list.n = 0;
    assert_false(match_holds(MATCH_ALL_WITHIN, list, text(&source), why, sizeof(why)));
    assert_false(match_holds(MATCH_ALL_WITHIN,
                             (struct match_value){ (const char *const[]){ " \n" }, 1, true },
                             text(&source), why, sizeof(why)));
}

static void takes_patterns_that_end_in_time(void **state)
{
    static const struct {
        const char *pattern;
        bool ok;
    } rows[] = {
        { "^On [a-z]+$", true },
        { "(a|b){1,5}", true },
        { "a{1000}", true },
        { "\\{[^}]*\\}", true },
        { "(", false },
        { "a{1001}", false },
        { "((a{1,100}){1,100}){1,100}", false },
        { "(a*)\\1", false },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (match_pattern_ok(rows[i].pattern, why, sizeof(why)) != rows[i].ok)
            fail_msg("%s", rows[i].pattern);
    assert_true(holds(MATCH_REGEX, "On tea", "^On [a-z]+$"));
    assert_false(holds(MATCH_REGEX, "Off tea", "^On"));
    assert_string_equal(why, "\"Off tea\" does not match \"^On\"");
}

static void never_cuts_a_character_in_two(void **state)
{
    char small[20], longer[300];

    memset(longer, 'x', sizeof(longer));
    memcpy(longer + 79, "\xe2\x82\xac", 4); /* a euro sign across the 80th byte */
    for (size_t size = 3; size < sizeof(small); size++) {
        const char *left = "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac", *right = "b", *over = longer;

        match_holds(MATCH_EQUALS, text(&left), text(&right), small, size);
        assert_true(rv_utf8_ok(small, strlen(small)));
        match_holds(MATCH_EQUALS, text(&over), text(&right), why, sizeof(why));
        assert_true(rv_utf8_ok(why, strlen(why)));
    }
}

static struct score score(const struct scorer *scorer, const char *seen, const char *wanted)
{
    return scorer_score(scorer, text(&seen), text(&wanted), why, sizeof(why));
}

static void scores_one_or_nothing_with_a_reason(void **state)
{
    struct scorer bounds = { .kind = SCORER_BOUNDS, .min = "1", .max = "3" };
    struct scorer open = { .kind = SCORER_BOUNDS }, contains = { .kind = SCORER_CONTAINS };
    struct scorer regex = { .kind = SCORER_REGEX };
    static const char *const two[] = { "good", "bad" };
    const char *pattern = "^good";

    assert_true(score(&bounds, "3", NULL).passed);
    assert_int_equal((int)score(&bounds, "3.1", NULL).score, 0);
    assert_string_equal(score(&bounds, "3.1", NULL).reason, "3.1 is above 3");
    assert_false(score(&open, "3", NULL).passed); /* no bound bounds nothing */
    assert_false(score(&contains, "abc", NULL).passed);
    assert_false(score(&contains, "abc", "").passed);
    assert_true(score(&contains, "abc", "b").passed);
    assert_true(score(&regex, "good", "^good").passed);
    assert_false(
        scorer_score(&regex, (struct match_value){ two, 2, true }, text(&pattern), why, sizeof(why))
            .passed);
    assert_false(score(&regex, NULL, "^good").passed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(compares_texts_and_numbers),          RV_TEST(compares_lists),
        RV_TEST(takes_patterns_that_end_in_time),     RV_TEST(never_cuts_a_character_in_two),
        RV_TEST(scores_one_or_nothing_with_a_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
