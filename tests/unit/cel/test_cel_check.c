#include "unit/cel/cel_test.h"

/* What the declared variables of these tests are. */
static struct cel_env declared(struct rv_ctx *cx)
{
    static const struct {
        const char *name, *type;
    } rows[] = {
        { "i", "int" },
        { "s", "string" },
        { "xs", "list(int)" },
        { "m", "map(string, list(int))" },
        { "o", "optional_type(int)" },
        { "w", "wrapper(int)" },
        { "d", "dyn" },
    };
    struct cel_variable *variables = rv_new_array(cx, struct cel_variable, 8);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        variables[i] = (struct cel_variable){ rows[i].name, cel_type_parse(cx, rows[i].type) };
    return (struct cel_env){ .variables = variables };
}

static void types_follow_from_below(void **state)
{
    static const struct {
        const char *text, *type;
    } rows[] = {
        { "i + 1", "int" },
        { "xs[0]", "int" },
        { "m.k[0]", "int" },
        { "m['k']", "list(int)" },
        { "d.x.y", "dyn" },
        { "d + 1", "int" },
        { "d + d", "dyn" },
        { "[1, 2]", "list(int)" },
        { "[1, 'a']", "list(dyn)" },
        { "[]", "list(dyn)" },
        { "[[], [1]]", "list(list(int))" },
        { "[] + xs", "list(int)" },
        { "{'a': 1}", "map(string, int)" },
        { "xs.map(x, string(x))", "list(string)" },
        { "xs.filter(x, x > 1)", "list(int)" },
        { "m.filter(k, k != '')", "list(string)" },
        { "xs.all(x, x > 1)", "bool" },
        { "m.transformMap(k, v, size(v))", "map(string, int)" },
        { "m.transformList(k, v, v[0])", "list(int)" },
        { "xs.sortBy(x, -x)", "list(int)" },
        { "m.?k", "optional_type(list(int))" },
        { "m[?'k'].orValue([])", "list(int)" },
        { "m.?k[0]", "optional_type(int)" },
        { "o.optMap(x, string(x))", "optional_type(string)" },
        { "o.orValue(1)", "int" },
        { "[?o, 2]", "list(int)" },
        { "w + 1", "int" },
        { "w == null", "bool" },
        { "true ? w : null", "wrapper(int)" },
        { "d ? 1 : 2", "int" },
        { "cel.bind(x, xs, x[0])", "int" },
        { "type(1)", "type" },
        { "size(s) > 1 ? [s] : []", "list(string)" },
        { "timestamp(s) - timestamp(s)", "google.protobuf.Duration" },
        { "math.greatest(1, 2)", "int" },
        { "math.greatest(1, 2.0)", "dyn" },
        { "'%d'.format([i])", "string" },
        { "google.protobuf.Int64Value{value: 1}", "wrapper(int)" },
    };
    struct rv_ctx *cx = *state;
    struct cel_env env = declared(cx);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct cel_program *program = compile_in(cx, &env, rows[i].text);
        const char *type = cel_type_text(cx, cel_result_type(program));

        if (strcmp(type, rows[i].type) != 0)
            fail_msg("%s is %s, not %s", rows[i].text, type, rows[i].type);
    }
}

static void what_cannot_be_is_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "i + s", "1:3: no such overload: _+_(int, string)" },
        { "i == s", "1:3: no such overload: _==_(int, string)" },
        { "i && true", "1:3: no such overload: _&&_(int, bool)" },
        { "i ? 1 : 2", "1:3: no such overload: _?_:_(int, int, int)" },
        { "true ? 1 : s", "1:6: no such overload: _?_:_(bool, int, string)" },
        { "i.field", "1:3: int has no fields" },
        { "xs['a']", "1:3: no such overload: _[_](list(int), string)" },
        { "m[1]", "1:2: no such overload: _[_](map(string, list(int)), int)" },
        { "s in xs", "1:3: no such overload: @in(string, list(int))" },
        { "size(i)", "1:1: no such overload: size(int)" },
        { "s.size(1)", "1:3: no such overload: size(string, int)" },
        { "i.all(x, true)", "1:1: all() wants a list or a map, not int" },
        { "xs.all(x, x)", "1:11: this gives int where bool is wanted" },
        { "xs.all(x, x > s)", "1:13: no such overload: _>_(int, string)" },
        { "[?1]", "1:3: int is no optional" },
        { "{[]: 1}", "1:2: list is no key of a map" },
        { "{1.5: 1}", "1:2: double is no key of a map" },
        { "i.optMap(x, x)", "1:1: this gives int where optional_type(dyn) is wanted" },
        { "o.optFlatMap(x, x)", "1:17: this gives int where optional_type(dyn) is wanted" },
    };
    struct rv_ctx *cx = *state;
    struct cel_env env = declared(cx);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(refusal(cx, &env, rows[i].text), rows[i].why);
}

static void unchecked_expressions_fail_when_they_run(void **state)
{
    struct cel_env env = { .variables = abc, .unchecked = true };
    struct rv_ctx *cx = *state;
    const struct cel_program *program = compile_in(cx, &env, "true || nobody.knows(1) + 'a'");

    assert_string_equal(shown(cx, program, cel_eval(cx, program, NULL)), "true");
    program = compile_in(cx, &env, "1 + 'a'");
    assert_string_equal(shown(cx, program, cel_eval(cx, program, NULL)),
                        "error: 1:3: no such overload: _+_(int, string)");
    program = compile_in(cx, &env, "nothing");
    assert_string_equal(shown(cx, program, cel_eval(cx, program, NULL)),
                        "error: 1:1: there is no variable \"nothing\"");
    assert_string_equal(cel_type_text(cx, cel_result_type(program)), "dyn");
}

static void types_are_read_as_they_are_written(void **state)
{
    static const char *const good[] = { "int",
                                        "list(int)",
                                        "map(string, list(google.protobuf.Timestamp))",
                                        "optional_type(dyn)",
                                        "wrapper(bool)",
                                        "type" };
    static const char *const bad[] = { "",           "ints",     "list(", "list(int",
                                       "list(int))", "map(int)", "x y" };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_string_equal(cel_type_text(cx, cel_type_parse(cx, good[i])), good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_null(cel_type_parse(cx, bad[i]));
    assert_string_equal(cel_type_text(cx, cel_type_parse(cx, "list")), "list(dyn)");
}

static CEL_FUNCTION(nothing)
{
    return cel_null();
}

static const struct cel_function pairs[] = {
    { "pair", CEL_CALL, "AB:<pair AB>", nothing, false },
    { "first", CEL_METHOD, "<pair AB>:A", nothing, false },
    { "same", CEL_CALL, "<pair AA>:b", nothing, false },
    { 0 },
};

static void hosts_have_types_of_their_own(void **state)
{
    struct cel_env env = { .variables = abc, .functions = pairs };
    struct rv_ctx *cx = *state;
    const struct cel_program *program = compile_in(cx, &env, "pair(1, [pair('a', a)])");

    assert_string_equal(cel_type_text(cx, cel_result_type(program)),
                        "pair(int, list(pair(string, dyn)))");
    program = compile_in(cx, &env, "pair('x', 1).first()");
    assert_string_equal(cel_type_text(cx, cel_result_type(program)), "string");
    assert_string_equal(refusal(cx, &env, "same(pair(1, 'x'))"),
                        "1:1: no such overload: same(pair(int, string))");
    assert_string_equal(refusal(cx, &env, "1.first()"), "1:3: no such overload: first(int)");
}

/* Each binding has the type before it twice: 2 to the power of 60 parts. */
static void types_that_double_are_given_up(void **state)
{
    struct cel_env env = { .variables = abc, .functions = pairs };
    struct rv_ctx *cx = *state;
    const char *text = "x";

    for (int i = 0; i < 60; i++)
        text = rv_printf(cx, "cel.bind(x, pair(x, x), %s)", text);
    compile_in(cx, &env, rv_printf(cx, "cel.bind(x, 1, %s)", text));
    assert_true(rv_arena_bytes(cx->arena) < 64 * 1024 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(types_follow_from_below),
        RV_TEST(what_cannot_be_is_refused),
        RV_TEST(unchecked_expressions_fail_when_they_run),
        RV_TEST(hosts_have_types_of_their_own),
        RV_TEST(types_that_double_are_given_up),
        RV_TEST(types_are_read_as_they_are_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
