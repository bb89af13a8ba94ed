#include "unit/cel/cel_test.h"

#include "cel/ast.h"

/* The text printed, parsed and printed again: both are the same. */
static const char *printed(struct rv_ctx *cx, const char *text)
{
    struct cel_source source = { text, strlen(text) };
    struct cel_expr *expr;
    auto_buf out = { 0 };

    if (cel_parse(cx, &source, &expr) != RV_OK)
        fail_msg("%s: %s", text, cx->error.text);
    cel_print(&out, expr);
    return rv_strndup(cx, out.data, out.len);
}

static void printing_keeps_what_is_needed_and_no_more(void **state)
{
    static const struct {
        const char *text, *printed;
    } rows[] = {
        { "((1+2))*3", "(1 + 2) * 3" },
        { "1+(2*3)", "1 + 2 * 3" },
        { "1-(2-3)-4", "1 - (2 - 3) - 4" },
        { "(a||b)||c", "a || b || c" },
        { "a||(b||c)", "a || (b || c)" },
        { "a&&b||c&&!d", "a && b || c && !d" },
        { "(a||b)&&c", "(a || b) && c" },
        { "(a?b:c)?d:e?f:g", "(a ? b : c) ? d : e ? f : g" },
        { "a?(b?c:d):e", "a ? (b ? c : d) : e" },
        { "-(5)", "-(5)" },
        { "-5", "-5" },
        { "--5", "--5" },
        { "-(-5)", "--5" },
        { "-(-5.5).abs()", "--5.5.abs()" },
        { "-(5u)", "-(5u)" },
        { "-(5).abs()", "-(5.abs())" },
        { "-a.b", "-a.b" },
        { "(-a).b", "(-a).b" },
        { "!(a in b)", "!(a in b)" },
        { "(1).f()", "1.f()" },
        { "a . b [ 'c' ] . ?d [ ? 0 ]", "a.b[\"c\"].?d[?0]" },
        { ".a.b", ".a.b" },
        { "a.`b-c`", "a.`b-c`" },
        { "[1,2,?a,]", "[1, 2, ?a]" },
        { "{'a':1,?2u:b}", "{\"a\": 1, ?2u: b}" },
        { "x.Y{a:1,?b:c}", "x.Y{a: 1, ?b: c}" },
        { "'it\\'s \\x41\\n'", "\"it's A\\n\"" },
        { "b'\\xff\\x00a'", "b\"\\xff\\x00a\"" },
        { "r'\\d+'", "\"\\\\d+\"" },
        { "1e3", "1000.0" },
        { "1e100", "1e+100" },
        { "0x10", "16" },
        { "has(a.b)", "has(a.b)" },
        { "a.all(x,x>1)", "a.all(x, x > 1)" },
        { "cel.bind(x,1,x)", "cel.bind(x, 1, x)" },
        { "a // tail", "a" },
    };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_string_equal(printed(cx, rows[i].text), rows[i].printed);
        assert_string_equal(printed(cx, rows[i].printed), rows[i].printed);
    }
}

static void a_program_prints_as_it_was_written(void **state)
{
    static const char text[] = "n = ${{ a+1 }}!";
    struct rv_ctx *cx = *state;
    const struct cel_program *program;

    assert_string_equal(cel_format(cx, compile(cx, "1+1==2&&a")), "1 + 1 == 2 && a");
    assert_ok(cx, cel_compile_template(cx, &abc_env, text, strlen(text), &program));
    assert_string_equal(cel_format(cx, program), "n = ${{ a + 1 }}!");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(printing_keeps_what_is_needed_and_no_more),
        RV_TEST(a_program_prints_as_it_was_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
