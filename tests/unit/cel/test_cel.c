#include "unit/cel/cel_test.h"

static void an_expression_is_compiled_once_and_evaluated_often(void **state)
{
    static const struct cel_variable variables[] = { { "cost", NULL }, { "tags", NULL }, { 0 } };
    static const struct cel_env env = { .variables = variables };
    static const char text[] = "cost < 5.0 && 'safe' in tags";
    struct rv_ctx *cx = *state;
    struct cel_value tags[] = { cel_text("fast"), cel_text("safe") };
    struct cel_value values[] = { cel_none(), cel_list_of(cx, tags, 2) };
    const struct cel_program *program;
    bool truth;

    assert_ok(cx, cel_compile(cx, &env, text, strlen(text), &program));
    values[0] = cel_double(1.5);
    assert_ok(cx, cel_test(cx, program, values, &truth));
    assert_true(truth);
    values[0] = cel_double(7);
    assert_ok(cx, cel_test(cx, program, values, &truth));
    assert_false(truth);
    assert_int_equal(cel_result_type(program)->kind, CEL_T_BOOL);
}

static void a_value_is_needed_only_where_it_decides(void **state)
{
    struct rv_ctx *cx = *state;
    struct cel_value values[] = { cel_bool(true), cel_none(), cel_none() };

    assert_string_equal(eval_with(cx, "a || b", values), "true");
    assert_string_equal(eval_with(cx, "b || a", values), "true");
    assert_string_equal(eval_with(cx, "a ? 1 : b", values), "1");
    assert_string_equal(eval_with(cx, "a && b", values),
                        "error: 1:6: the variable \"b\" has no value");
}

static void refusals_say_where_and_why(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "", "1:1: the expression ends before an expression" },
        { "1 +", "1:4: the expression ends before an expression" },
        { "a b", "1:3: b where an operator was expected" },
        { "(a", "1:3: the expression ends before \")\"" },
        { "[1, 2", "1:6: the expression ends before \"]\"" },
        { "{1: 2", "1:6: the expression ends before \"}\"" },
        { "a ? b", "1:6: the expression ends before \":\"" },
        { "a.", "1:3: the expression ends before a field's name" },
        { "'abc", "1:1: a string does not end" },
        { "'ab\nc'", "1:1: a string does not end on its line" },
        { "'''abc", "1:1: a string does not end" },
        { "'a\\q'", "1:3: there is no such escape" },
        { "'\\ud800'", "1:2: an escape is no character" },
        { "9223372036854775808", "1:1: the number does not fit an int" },
        { "1e999", "1:1: the number does not fit a double" },
        { "12abc", "1:3: a number ends in letters" },
        { "a # b", "1:3: no expression has this character" },
        { "for", "1:1: this is a reserved word" },
        { "a +\n  d", "2:3: there is no variable \"d\"" },
        { "f(1)", "1:1: there is no function \"f\"" },
        { "[1].all(a.b, true)", "1:11: the variable of a macro is a simple name" },
        { "has(a)", "1:5: has() wants a field: has(a.b)" },
        { "1 + 'x'", "1:3: no such overload: _+_(int, string)" },
        { "my.Type{}", "1:4: there is no message \"my.Type\"" },
        { "google.protobuf.Int64Value{nothing: 1}",
          "1:28: google.protobuf.Int64Value has no field \"nothing\"" },
    };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(refusal(cx, &abc_env, rows[i].text), rows[i].why);
}

static void a_caret_stands_below_the_place(void **state)
{
    struct rv_ctx *cx = *state;
    const struct cel_program *program;

    refusal(cx, &abc_env, "true &&\n  'ü' + 1 > 0");
    assert_int_equal(cx->error.n_details, 1);
    assert_string_equal(cx->error.details[0].path, "2:7");
    assert_string_equal(cx->error.details[0].message,
                        "no such overload: _+_(string, int)\n    'ü' + 1 > 0\n        ^");
    program = compile(cx, "1 +\n 2 / (1 - 1)");
    assert_string_equal(cel_error_excerpt(cx, program, cel_eval(cx, program, NULL)),
                        "2:4: division by zero\n   2 / (1 - 1)\n     ^");
}

static void a_long_line_is_cut_to_what_is_near(void **state)
{
    struct rv_ctx *cx = *state;
    char text[400];

    memset(text, ' ', sizeof(text));
    memcpy(text + 300, "1 + ?", 6);
    assert_string_equal(refusal(cx, &abc_env, text), "1:305: ? where an expression was expected");
    assert_true(strlen(cx->error.details[0].message) < 200);
}

static void the_result_can_be_asked_for(void **state)
{
    struct rv_ctx *cx = *state;
    struct cel_env env = { .variables = abc, .result = cel_type(CEL_T_BOOL) };

    assert_string_equal(refusal(cx, &env, "a == 1"), "");
    assert_string_equal(refusal(cx, &env, "a"), "");
    assert_string_equal(refusal(cx, &env, "1 + 1"),
                        "1:3: the expression gives int where bool is wanted");
}

static void a_strict_host_hears_of_constants_that_can_only_fail(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "a == 1 && 'x'.matches('(')", "1:23: a ( is not closed" },
        { "b.matches('[')",
          "1:11: the pattern is wrong: missing terminating ] for character class" },
        { "timestamp('yesterday')", "1:11: this is no timestamp" },
        { "duration('1' + 'x') > b", "1:14: this is no duration" },
        { "timestamp(b) > timestamp(0)", "" },
    };
    struct cel_env strict = { .variables = abc, .strict = true };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_string_equal(refusal(cx, &strict, rows[i].text), rows[i].why);
        assert_string_equal(refusal(cx, &abc_env, rows[i].text), "");
    }
}

static struct cel_value doubled(struct cel_run *run, const struct cel_value *args, size_t n_args)
{
    if (args[0].whole > 1000)
        return cel_fail(run, "%lld of %zu is too much", (long long)args[0].whole, n_args);
    return cel_int(args[0].whole * 2);
}

static struct cel_value counted(struct cel_run *run, const struct cel_value *args, size_t n_args)
{
    (void)args;
    return cel_spend(run, n_args) ? cel_int((int64_t)n_args) : cel_spent(run);
}

static void hosts_add_functions_of_their_own(void **state)
{
    static const struct cel_function functions[] = {
        { "double_of", CEL_BOTH, "i:i", doubled, false },
        { "my.count", CEL_CALL, "*~:i", counted, false },
        { 0 },
    };
    struct cel_env env = { .variables = abc, .functions = functions, .container = "my.house" };
    struct rv_ctx *cx = *state;
    const struct cel_program *program = compile_in(cx, &env, "double_of(2) + 3.double_of()");

    assert_string_equal(shown(cx, program, cel_eval(cx, program, NULL)), "10");
    program = compile_in(cx, &env, "count(1, 'a', null) + my.count(b'')");
    assert_string_equal(shown(cx, program, cel_eval(cx, program, NULL)), "4");
    program = compile_in(cx, &env, "1 + double_of(1001)");
    assert_string_equal(shown(cx, program, cel_eval(cx, program, NULL)),
                        "error: 1:5: 1001 of 1 is too much");
    assert_string_equal(refusal(cx, &env, "double_of('a')"),
                        "1:1: no such overload: double_of(string)");
}

static void names_are_looked_up_in_the_container_first(void **state)
{
    static const struct cel_variable variables[] = {
        { "x.y.v", NULL }, { "y.v", NULL }, { "v", NULL }, { 0 }
    };
    struct cel_env env = { .variables = variables, .container = "x.y" };
    struct cel_value values[] = { cel_int(1), cel_int(2), cel_int(3) };
    struct rv_ctx *cx = *state;
    const struct cel_program *program = compile_in(cx, &env, "[v, y.v, .v, .y.v]");

    assert_string_equal(shown(cx, program, cel_eval(cx, program, values)), "[1,1,3,2]");
}

static const char *filled(struct rv_ctx *cx, const char *text)
{
    struct cel_value values[] = { cel_text("Ada"), cel_int(3), cel_double(2.5) };
    const struct cel_program *program;

    if (cel_compile_template(cx, &abc_env, text, strlen(text), &program) != RV_OK)
        return cx->error.text;
    return shown(cx, program, cel_eval(cx, program, values));
}

static void templates_keep_the_kind_of_their_one_expression(void **state)
{
    struct rv_ctx *cx = *state;

    assert_string_equal(filled(cx, "${{ b + 1 }}"), "4");
    assert_string_equal(filled(cx, "${{ {'a': {'b': [b]}} }}"), "{\"a\":{\"b\":[3]}}");
    assert_string_equal(filled(cx, "hello ${{ a }}, ${{ [b, c] }}!"), "\"hello Ada, [3,2.5]!\"");
    assert_string_equal(filled(cx, "no expression"), "\"no expression\"");
    assert_string_equal(filled(cx, ""), "\"\"");
    assert_string_equal(filled(cx, "a ${{ '}}' }} b"), "\"a }} b\"");
    assert_string_equal(filled(cx, "line\n${{ d }}"), "2:5: there is no variable \"d\"");
    assert_string_equal(filled(cx, "a ${{ b }"), "1:3: a ${{ has no }}");
    assert_string_equal(filled(cx, "a ${{ b"), "1:8: the expression ends before \"}}\"");
}

static void an_evaluation_ends_when_it_has_spent_what_it_may(void **state)
{
    struct cel_env env = { .variables = abc, .cost_max = 100 };
    struct rv_ctx *cx = *state;
    const struct cel_program *program =
        compile_in(cx, &env, "[1,2,3,4,5,6,7].all(x, [1,2,3,4,5,6,7].all(y, x + y > 0)) || true");
    struct cel_value value;
    int64_t cost;

    program =
        compile_in(cx, &env, "[a,2,3,4,5,6,7].all(x, [1,2,3,4,5,6,7].all(y, x + y > 0)) || a == 1");
    value = cel_eval_cost(cx, program, (struct cel_value[]){ cel_int(1) }, &cost);
    assert_int_equal(cost, 100);
    assert_int_equal(value.kind, CEL_ERROR);
    assert_string_equal(value.error->text, "the expression costs more than it may");
}

static void a_condition_that_is_none_is_unprocessable(void **state)
{
    struct rv_ctx *cx = *state;
    bool truth;

    assert_fails(cx, cel_test(cx, compile(cx, "1 / 0 == 1"), NULL, &truth), RV_UNPROCESSABLE,
                 "1:3: division by zero");
    assert_fails(cx, cel_test(cx, compile(cx, "dyn(1)"), NULL, &truth), RV_UNPROCESSABLE,
                 "1:1: int is no condition");
}

static void zones_come_from_the_host(void **state)
{
    struct cel_env env = { .zones = rv_zones_new(NULL) };
    struct rv_ctx *cx = *state;
    const struct cel_program *program =
        compile_in(cx, &env, "timestamp('2024-07-01T12:00:00Z').getHours('Europe/Berlin')");

    assert_string_equal(shown(cx, program, cel_eval(cx, program, NULL)), "14");
    rv_zones_free(env.zones);
    assert_string_equal(eval(cx, "timestamp('2024-07-01T12:00:00Z').getHours('+05:30')"), "17");
    assert_string_equal(eval(cx, "timestamp('2024-07-01T12:00:00Z').getHours('Europe/Berlin')"),
                        "error: 1:35: there is no time zone \"Europe/Berlin\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(an_expression_is_compiled_once_and_evaluated_often),
        RV_TEST(a_value_is_needed_only_where_it_decides),
        RV_TEST(refusals_say_where_and_why),
        RV_TEST(a_caret_stands_below_the_place),
        RV_TEST(a_long_line_is_cut_to_what_is_near),
        RV_TEST(the_result_can_be_asked_for),
        RV_TEST(a_strict_host_hears_of_constants_that_can_only_fail),
        RV_TEST(hosts_add_functions_of_their_own),
        RV_TEST(names_are_looked_up_in_the_container_first),
        RV_TEST(templates_keep_the_kind_of_their_one_expression),
        RV_TEST(an_evaluation_ends_when_it_has_spent_what_it_may),
        RV_TEST(a_condition_that_is_none_is_unprocessable),
        RV_TEST(zones_come_from_the_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
