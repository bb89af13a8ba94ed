#include "executor/expr.h"

#include "support/rv_test.h"

static const char facts_text[] =
    "{\"input\":{\"name\":\"Ada\",\"n\":3,\"none\":null,\"list\":[1,\"two\",{\"k\":true}],"
    "\"odd key\":\"yes\"},"
    "\"steps\":{\"read\":{\"output\":{\"status\":200,\"body\":\"a \\\"text\\\"\"}}},"
    "\"run\":{\"run_id\":\"r1\",\"name\":\"demo\"}}";

static struct expr expr_of(struct rv_ctx *cx)
{
    struct expr expr = { .node_id = "here" };

    assert_ok(cx, rv_json_parse(cx, facts_text, strlen(facts_text), "facts", &expr.facts));
    return expr;
}

static void replaces_expressions_in_texts(void **state)
{
    static const struct {
        const char *text, *becomes;
    } rows[] = {
        { "", "" },
        { "as it is", "as it is" },
        { "${{ input.name }}", "Ada" },
        { "Hello ${{input.name}}!", "Hello Ada!" },
        { "${{ input.name }}${{ input.n }}", "Ada3" },
        { "n=${{ input.n }} none=${{ input.none }}", "n=3 none=null" },
        { "list ${{ input.list }}", "list [1,\"two\",{\"k\":true}]" },
        { "${{ input.list[2].k }}", "true" },
        { "${{ input[\"odd key\"] }}", "yes" },
        { "${{ steps.read.output.body }}", "a \"text\"" },
        { "}} ${{ run.name }} }}", "}} demo }}" },
        { "$ {{ input.name }}", "$ {{ input.name }}" },
    };
    struct rv_ctx *cx = *state;
    struct expr expr = expr_of(cx);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *out;

        assert_ok(cx, expr_text(cx, &expr, "there", rows[i].text, &out));
        assert_string_equal(out, rows[i].becomes);
    }
}

static void keeps_types_in_values(void **state)
{
    static const struct {
        const char *json, *becomes;
    } rows[] = {
        { "1", "1" },
        { "null", "null" },
        { "\"${{ input.n }}\"", "3" },
        { "\"${{ input }}\"", "{\"name\":\"Ada\",\"n\":3,\"none\":null,\"list\":[1,\"two\","
                              "{\"k\":true}],\"odd key\":\"yes\"}" },
        { "\"n is ${{ input.n }}\"", "\"n is 3\"" },
        { "\"${{ input.n * 2 > 5 ? [input.name] : [] }}\"", "[\"Ada\"]" },
        { "\"${{ size(' a  b '.words()) }}\"", "2" },
        { "\"${{ timestamp('2026-07-01T22:30:00Z').getDate('Europe/Berlin') }}\"", "2" },
        { "{\"a\":[\"${{ input.list[0] }}\",{\"b\":\"${{ input.none }}\"}],\"c\":true}",
          "{\"a\":[1,{\"b\":null}],\"c\":true}" },
        { "{\"${{ input.n }}\":1}", "{\"${{ input.n }}\":1}" }, /* names are names */
    };
    struct rv_ctx *cx = *state;
    struct expr expr = expr_of(cx);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *out;

        assert_ok(cx, expr_json(cx, &expr, "map.value", rows[i].json, &out));
        assert_string_equal(rv_json_text(cx, out), rows[i].becomes);
    }
}

static void says_where_a_path_leads_nowhere(void **state)
{
    static const struct {
        const char *json, *why;
    } rows[] = {
        { "\"${{ steps.write.output }}\"", "step here: map.value: 1:11: no such key: \"write\"" },
        { "{\"a\":[0,\"x ${{ input.list[3] }}\"]}",
          "step here: map.value.a[1]: 1:17: no such index or key: 3" },
        { "\"${{ input.name.more }}\"", "step here: map.value: 1:16: string has no fields" },
        { "\"${{ 1 / 0 }}\"", "step here: map.value: 1:7: division by zero" },
        { "\"${{ }}\"", "step here: map.value: 1:5: } where an expression was expected" },
        { "\"a ${{ input.name\"", "step here: map.value: 1:17: the expression ends before \"}}\"" },
    };
    struct rv_ctx *cx = *state;
    struct expr expr = expr_of(cx);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *out;

        assert_fails(cx, expr_json(cx, &expr, "map.value", rows[i].json, &out), RV_UNPROCESSABLE,
                     rows[i].why);
    }
}

static void conditions_hold_or_do_not(void **state)
{
    static const struct {
        const char *condition;
        bool holds;
    } rows[] = {
        { NULL, true },
        { "input.n > 2", true },
        { "input.n > 3", false },
        { "steps.read.output.status == 200 && !(\"x\" in input)", true },
        { "input.nothing == 1 || true", true },
    };
    struct rv_ctx *cx = *state;
    struct expr expr = expr_of(cx);
    bool holds;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_ok(cx, expr_holds(cx, &expr, "condition", rows[i].condition, &holds));
        assert_int_equal(holds, rows[i].holds);
    }
    assert_int_equal(expr_holds(cx, &expr, "condition", "input.nothing", &holds), RV_UNPROCESSABLE);
    assert_int_equal(expr_holds(cx, &expr, "condition", "input.name", &holds), RV_UNPROCESSABLE);
}

static void a_step_has_an_end_for_all_its_expressions(void **state)
{
    struct rv_ctx *cx = *state;
    struct expr expr = expr_of(cx);
    int64_t left = 1000;
    const char *out;
    int n = 0;

    expr.cost_left = &left;
    while (expr_text(cx, &expr, "map.value", "${{ input.name }}", &out) == RV_OK && n < 1000)
        n++;
    assert_true(n > 5 && n < 50);
    assert_non_null(strstr(cx->error.text, "cost more than it may"));
}

static void whole_doubles_stay_doubles(void **state)
{
    struct rv_ctx *cx = *state;
    struct expr expr = expr_of(cx);
    json_t *out;

    assert_ok(cx, expr_json(cx, &expr, "v", "\"${{ double(input.n) }}\"", &out));
    assert_string_equal(rv_json_text(cx, out), "3.0");
    assert_ok(cx, expr_json(cx, &expr, "v", "\"${{ [18446744073709551615u, 1] }}\"", &out));
    assert_true(json_is_real(json_array_get(out, 0)));
    assert_true(json_is_integer(json_array_get(out, 1)));
}

static void refuses_what_is_nested_too_deeply(void **state)
{
    struct rv_ctx *cx = *state;
    struct expr expr = expr_of(cx);
    json_t *deep = json_integer(1), *out;

    for (int i = 0; i < 65; i++)
        deep = json_pack("[o]", deep);
    assert_int_equal(expr_value(cx, &expr, "v", rv_json_own(cx, deep), &out), RV_UNPROCESSABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(replaces_expressions_in_texts),
        RV_TEST(keeps_types_in_values),
        RV_TEST(says_where_a_path_leads_nowhere),
        RV_TEST(conditions_hold_or_do_not),
        RV_TEST(a_step_has_an_end_for_all_its_expressions),
        RV_TEST(whole_doubles_stay_doubles),
        RV_TEST(refuses_what_is_nested_too_deeply),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
