#include "domain/score.h"

#include "base/text.h"
#include "domain/plan.h"
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
    assert_true(holds(MATCH_CONTAINS, "green tea", "tea"));
    assert_false(holds(MATCH_CONTAINS, "green tea", "milk"));
    assert_string_equal(why, "\"green tea\" does not contain \"milk\"");
    assert_true(holds(MATCH_AT_LEAST, "2", "2"));
    assert_false(holds(MATCH_AT_MOST, "2.5", "2"));
    assert_string_equal(why, "2.5 is above 2");
    assert_false(holds(MATCH_AT_LEAST, "many", "2"));
    assert_string_equal(why, "\"many\" is not a number");
    assert_false(holds(MATCH_AT_LEAST, "2", "few"));
    assert_string_equal(why, "the bound \"few\" is not a number");
    assert_false(match_holds(0, text(&(const char *){ "a" }), text(&(const char *){ "a" }), why,
                             sizeof(why)));
}

static void looks_for_an_element_in_a_list(void **state)
{
    static const char *const fruits[] = { "apple", "pear" };
    struct match_value list = { fruits, 2, true };
    const char *one = "apple", *part = "app";

    assert_true(match_holds(MATCH_CONTAINS, list, text(&one), why, sizeof(why)));
    assert_false(match_holds(MATCH_CONTAINS, list, text(&part), why, sizeof(why)));
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

/* The facts of a run: an output, an input, a run that cost 700. */
static struct score evaluate(struct rv_ctx *cx, const char *expression)
{
    const struct scorer scorer = { .kind = SCORER_EXPRESSION, .expression = expression };
    struct cel_pair cost = { cel_text("cost_microusd"), cel_int(700) };
    struct cel_value again;
    const struct cel_value sees[SCORER_SEES] = {
        [SCORER_SEES_OUTPUT] = cel_text("green tea"),
        [SCORER_SEES_INPUT] = cel_null(),
        [SCORER_SEES_RUN] = cel_map_of(cx, &cost, 1, &again),
    };

    return scorer_evaluate(cx, &scorer, sees);
}

static void scores_what_an_expression_gives(void **state)
{
    /* clang-format off */
    static const struct {
        const char *expression;
        double score;
        bool passed;
        const char *reason;
    } rows[] = {
        { "output.contains('tea')",               1,    true,  "holds" },
        { "input != null",                        0,    false, "does not hold" },
        { "1.0 - double(run.cost_microusd) / 1000.0", 0.3, false, "gives 0.3" },
        { "run.cost_microusd < 1000 ? 0.5 : 0.0", 0.5,  true,  "gives 0.5" },
        { "1",                                    1,    true,  "gives 1" },
        { "1u",                                   1,    true,  "gives 1" },
        { "1.01",                                 0,    false, "gives 1.01, not from 0 to 1" },
        { "-1",                                   0,    false, "gives -1, not from 0 to 1" },
        { "0.0 / 0.0",                            0,    false, "gives NaN, not from 0 to 1" },
        { "output",                               0,    false, "gives string where bool or a number is wanted" },
        { "run.tokens > 5",                       0,    false, "1:5: no such key: \"tokens\"" },
        { "output.contains(",                     0,    false, "1:17: the expression ends before an expression" },
        { "'text'",                               0,    false, "1:1: the expression gives string where bool or a number is wanted" },
        { NULL,                                   0,    false, "1:1: the expression ends before an expression" },
    };
    /* clang-format on */
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct score score = evaluate(cx, rows[i].expression);

        assert_string_equal(score.reason, rows[i].reason);
        assert_int_equal(score.passed, rows[i].passed);
        assert_true(score.score > rows[i].score - 1e-9 && score.score < rows[i].score + 1e-9);
        assert_int_equal(cx->error.status, RV_OK);
    }
}

static void a_score_has_an_end(void **state)
{
    static const char endless[] =
        "[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b,"
        " [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d,"
        " [1,2,3,4,5,6,7,8,9,10].all(e, run.cost_microusd + a + b + c + d + e > 0)))))";

    assert_non_null(
        strstr(evaluate(*state, endless).reason, ": the expression costs more than it may"));
}

static void a_bad_expression_is_refused_with_its_place(void **state)
{
    /* clang-format off */
    static const struct {
        struct scorer scorer;
        const char *path, *why;
    } rows[] = {
        { { .kind = SCORER_EXPRESSION }, "scorers[1].expression", "is missing" },
        { { .kind = SCORER_EXPRESSION, .expression = "" }, "scorers[1].expression", "1:1: the expression ends before an expression" },
        { { .kind = SCORER_EXPRESSION, .expression = "output ==\n  outputs" }, "scorers[1].expression", "2:3: there is no variable \"outputs\"" },
        { { .kind = SCORER_EXPRESSION, .expression = "string(output)" }, "scorers[1].expression", "1:1: the expression gives string where bool or a number is wanted" },
        { { .kind = SCORER_EXPRESSION, .expression = "true", .path = "output" }, "scorers[1].path", "does not go with the kind expression" },
        { { .kind = SCORER_EXPRESSION, .expression = "true", .value = "1" }, "scorers[1].value", "does not go with the kind expression" },
        { { .kind = SCORER_EXPRESSION, .expression = "true", .max = "1" }, "scorers[1].max", "does not go with the kind expression" },
        { { .kind = SCORER_EQUALS, .value = "1", .expression = "true" }, "scorers[1].expression", "does not go with the kind equals" },
    };
    /* clang-format on */
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct scorer scorers[] = {
            { .name = "a", .kind = SCORER_EXPRESSION, .expression = "size(output) > 3" },
            rows[i].scorer,
        };
        struct agent_spec spec = { .scorers = scorers, .n_scorers = 2 };

        scorers[1].name = "b";
        cx->error = (struct rv_error){ 0 };
        agent_check(cx, &spec);
        assert_int_equal(cx->error.n_details, 1);
        assert_string_equal(cx->error.details[0].path, rows[i].path);
        assert_string_equal(cx->error.details[0].message, rows[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(compares_texts_and_numbers),
        RV_TEST(looks_for_an_element_in_a_list),
        RV_TEST(takes_patterns_that_end_in_time),
        RV_TEST(never_cuts_a_character_in_two),
        RV_TEST(scores_one_or_nothing_with_a_reason),
        RV_TEST(scores_what_an_expression_gives),
        RV_TEST(a_score_has_an_end),
        RV_TEST(a_bad_expression_is_refused_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
