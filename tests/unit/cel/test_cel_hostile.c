#include "unit/cel/cel_test.h"

#include "base/text.h"
#include "base/time.h"

enum { BYTES_MAX = 96 * 1024 * 1024, MS_MAX = 5000 /* with sanitizers, on a busy machine */ };

/* @n times @text. */
static const char *repeated(struct rv_ctx *cx, const char *text, size_t n)
{
    size_t len = strlen(text);
    char *all = rv_arena_alloc(cx->arena, len * n + 1);

    for (size_t i = 0; i < n; i++)
        memcpy(all + i * len, text, len);
    return all;
}

static const char *nested(struct rv_ctx *cx, const char *open, const char *inside,
                          const char *close, size_t n)
{
    return rv_printf(cx, "%s%s%s", repeated(cx, open, n), inside, repeated(cx, close, n));
}

static void too_much_text_is_refused(void **state)
{
    struct rv_ctx *cx = *state;

    assert_string_equal(refusal(cx, &abc_env, repeated(cx, "a", 1024 * 1024)),
                        "1:1: the expression is longer than 131072 bytes");
}

static void too_deep_nesting_is_refused(void **state)
{
    struct rv_ctx *cx = *state;
    const char *const rows[] = {
        nested(cx, "(", "1", ")", 10000),
        nested(cx, "[", "", "]", 10000),
        nested(cx, "{1: ", "1", "}", 10000),
        nested(cx, "f(", "", ")", 10000),
        nested(cx, "a[", "0", "]", 10000),
        repeated(cx, "!", 50000),
        repeated(cx, "- ", 50000),
        rv_printf(cx, "a%s", repeated(cx, ".b", 10000)),
        rv_printf(cx, "a%s", repeated(cx, " + a", 10000)),
        rv_printf(cx, "%sa", repeated(cx, "a ? a : ", 10000)),
        rv_printf(cx, "a%s", repeated(cx, "[0]", 10000)),
        nested(cx, "[1].all(x, ", "true", ")", 5000),
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_non_null(strstr(refusal(cx, &abc_env, rows[i]), "nested too deep"));
}

static void long_chains_of_conditions_are_fine(void **state)
{
    struct rv_ctx *cx = *state;
    struct cel_value values[] = { cel_bool(false), cel_none(), cel_none() };
    const char *text = rv_printf(cx, "a%s", repeated(cx, " || a", 10000));

    assert_string_equal(eval_with(cx, text, values), "false");
}

static void text_that_is_not_utf8_is_refused(void **state)
{
    struct rv_ctx *cx = *state;

    assert_string_equal(refusal(cx, &abc_env, "'ab\xff'"), "1:4: the expression is not UTF-8");
    assert_string_equal(refusal(cx, &abc_env, "\xc3"), "1:1: the expression is not UTF-8");
}

/* Each would go on for hours, or take all memory, were nothing paid for. */
static void what_explodes_ends_soon(void **state)
{
    static const char *const rows[] = {
        "lists.range(999999999999)",
        "lists.range(100000).map(x, lists.range(100000))",
        "lists.range(300).all(a, lists.range(300).all(b, lists.range(300).all(c, a + b + c >= 0)))",
        "[0,1].all(p,[0,1].all(q,[0,1].all(r,[0,1].all(s,[0,1].all(t,[0,1].all(u,[0,1].all(v,"
        "[0,1].all(w,[0,1].all(x,[0,1].all(y,[0,1].all(z,[0,1].all(a,[0,1].all(b,[0,1].all(c,"
        "[0,1].all(d,[0,1].all(e,[0,1].all(f,[0,1].all(g,[0,1].all(h,[0,1].all(i,[0,1].all(j,"
        "1/0 == 1)))))))))))))))))))))",
        "cel.bind(a, 'xxxxxxxxxxxxxxxx', cel.bind(b, a+a+a+a+a+a+a+a, cel.bind(c, b+b+b+b+b+b+b+b,"
        "cel.bind(d, c+c+c+c+c+c+c+c, cel.bind(e, d+d+d+d+d+d+d+d, cel.bind(f, e+e+e+e+e+e+e+e,"
        "cel.bind(g, f+f+f+f+f+f+f+f, g + g)))))))",
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a+)+$')",
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('(a|aa)+$')",
        "lists.range(20000).map(x, 'a').join().matches('(.*)(.*)(.*)(.*)(.*)[^a]')",
        "lists.range(20000).all(x, !'x'.matches('(a|b|c|d){' + string(900 + x % 2) + '}'))",
        "lists.range(1000).map(x, 'ab').join().replace('', lists.range(5000).map(x, 'c').join())",
    };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t start = rv_monotonic_ms();
        const char *value = eval(cx, rows[i]);

        if (!strstr(value, "the expression costs more than it may"))
            fail_msg("%s: %.200s", rows[i], value);
        assert_true(rv_monotonic_ms() - start < MS_MAX);
        assert_true(rv_arena_bytes(cx->arena) < BYTES_MAX);
        rv_ctx_reset(cx);
    }
}

/* Lists that hold a list twice that holds a list twice: small to make, endless to look at. */
static void what_is_shared_is_paid_for_each_time(void **state)
{
    static const char doubling[] =
        "cel.bind(a, [0, 0], cel.bind(b, [a, a], cel.bind(c, [b, b], cel.bind(d, [c, c],"
        "cel.bind(e, [d, d], cel.bind(f, [e, e], cel.bind(g, [f, f], cel.bind(h, [g, g],"
        "cel.bind(i, [h, h], cel.bind(j, [i, i], cel.bind(k, [j, j], cel.bind(l, [k, k],"
        "cel.bind(m, [l, l], cel.bind(n, [m, m], cel.bind(o, [n, n], cel.bind(p, [o, o],"
        "cel.bind(q, [p, p], cel.bind(r, [q, q], cel.bind(s, [r, r], cel.bind(t, [s, s],"
        "cel.bind(u, [t, t], cel.bind(v, [u, u], cel.bind(w, [v, v], cel.bind(x, [w, w], %s"
        "))))))))))))))))))))))))";
    struct rv_ctx *cx = *state;
    const struct cel_program *program;
    auto_buf json = { 0 };

    assert_non_null(strstr(eval(cx, rv_printf(cx, doubling, "x == [w, w]")), "more than it may"));
    assert_non_null(
        strstr(eval(cx, rv_printf(cx, doubling, "'%s'.format([x])")), "more than it may"));
    program = compile(cx, rv_printf(cx, doubling, "x"));
    assert_false(cel_json(cx, cel_eval(cx, program, NULL), 100000, &json));
    assert_true(json.len < 200000);
}

static void constants_are_worked_out_within_bounds(void **state)
{
    struct rv_ctx *cx = *state;
    const char *text = rv_printf(cx, "[%s]", repeated(cx, "lists.range(1900).size(), ", 4000));

    compile(cx, text);
    assert_true(rv_arena_bytes(cx->arena) < BYTES_MAX);
}

static void a_template_of_large_parts_ends_in_bounds(void **state)
{
    struct rv_ctx *cx = *state;
    const char *const rows[] = { "${{ a }}!", "${{ a }}!${{ [a, a, a, a] }}" };
    struct cel_value large = cel_text(repeated(cx, "y", 500000));
    struct cel_value values[] = { large, cel_none(), cel_none() };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *text = repeated(cx, rows[i], 3000);
        const struct cel_program *program;
        struct rv_ctx scratch;
        struct cel_value value;

        assert_ok(cx, cel_compile_template(cx, &abc_env, text, strlen(text), &program));
        rv_ctx_init(&scratch);
        value = cel_eval(&scratch, program, values);
        assert_int_equal(value.kind, CEL_ERROR);
        assert_true(rv_arena_bytes(scratch.arena) < BYTES_MAX);
        rv_ctx_release(&scratch);
    }
}

static void the_words_of_an_error_are_utf8_wherever_they_were_cut(void **state)
{
    struct rv_ctx *cx = *state;
    const char *key = rv_printf(cx, "x%s", repeated(cx, "\xc3\xbc", 200));
    const struct cel_program *program;
    struct cel_value values[] = { cel_text(key), cel_none(), cel_none() };
    const char *words;

    assert_ok(cx, cel_compile(cx, &abc_env, "{'k': 1}[a]", 11, &program));
    words = cel_error_text(cx, program, cel_eval(cx, program, values));
    assert_non_null(strstr(words, "no such key"));
    assert_true(rv_utf8_ok(words, strlen(words)));
}

/* Each takes 20 KiB of memory for 30 bytes of text. */
static void patterns_are_compiled_within_bounds(void **state)
{
    struct rv_ctx *cx = *state;
    const char *pattern = "'x'.matches('(a|b|c|d){900}'),\n";
    const char *why = refusal(cx, &abc_env, rv_printf(cx, "[%s]", repeated(cx, pattern, 4000)));

    if (!strstr(why, ":13: its patterns are too large"))
        fail_msg("%s", why);
    assert_true(rv_arena_bytes(cx->arena) < BYTES_MAX / 6);
    assert_string_equal(refusal(cx, &abc_env, rv_printf(cx, "[%s]", repeated(cx, pattern, 50))),
                        "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(too_much_text_is_refused),
        RV_TEST(too_deep_nesting_is_refused),
        RV_TEST(long_chains_of_conditions_are_fine),
        RV_TEST(text_that_is_not_utf8_is_refused),
        RV_TEST(what_explodes_ends_soon),
        RV_TEST(what_is_shared_is_paid_for_each_time),
        RV_TEST(constants_are_worked_out_within_bounds),
        RV_TEST(a_template_of_large_parts_ends_in_bounds),
        RV_TEST(the_words_of_an_error_are_utf8_wherever_they_were_cut),
        RV_TEST(patterns_are_compiled_within_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
