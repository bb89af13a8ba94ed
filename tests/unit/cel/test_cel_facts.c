#include "unit/cel/cel_test.h"

static const char *joined(struct rv_ctx *cx, const char **names, size_t n_names)
{
    const char *text = "";

    for (size_t i = 0; i < n_names; i++)
        text = rv_printf(cx, "%s%s%s", text, i ? " " : "", names[i]);
    return text;
}

static struct cel_facts facts_of(struct rv_ctx *cx, const char *text)
{
    struct cel_facts facts;

    cel_facts(cx, compile(cx, text), 100, &facts);
    return facts;
}

static void tells_variables_paths_and_functions(void **state)
{
    static const struct {
        const char *text, *variables, *paths, *functions;
    } rows[] = {
        { "1 + 1", "", "", "_+_" },
        { "a.tool.args.path == b", "a b", "a.tool.args.path b", "_==_" },
        { "a['x y'][0].?z", "a", "a[\"x y\"][0].z", "_[_]" },
        { "a['x\\\"y'].b", "a", "a[\"x\\\"y\"].b", "_[_]" },
        { "a.`x-y`[-1]", "a", "a[\"x-y\"][-1]", "_[_]" },
        { "a[1] == a[1u]", "a", "a[1] a[1u]", "_==_ _[_]" },
        { "a[18446744073709551615u]", "a", "a[18446744073709551615u]", "_[_]" },
        { "a['x\\0001'] == a['x\\0002']", "a", "a[\"x\\x001\"] a[\"x\\x002\"]", "_==_ _[_]" },
        { "a['\\n'].c", "a", "a[\"\\n\"].c", "_[_]" },
        { "a[''].b['true']", "a", "a[\"\"].b[\"true\"]", "_[_]" },
        { "a[b].c", "a b", "a b", "_[_]" },
        { "a.items.all(x, x.cost < c.most)", "a c", "a.items c.most", "all _<_" },
        { "cel.bind(x, a.b, x.y + size(x))", "a", "a.b", "cel.bind _+_ size" },
        { "has(a.b.c) && math.greatest(a.b, 1) > 0", "a", "a.b.c a.b",
          "_&&_ has _>_ math.greatest" },
        { "{'k': [a]}", "a", "a", "" },
    };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cel_facts facts = facts_of(cx, rows[i].text);

        assert_string_equal(joined(cx, facts.variables, facts.n_variables), rows[i].variables);
        assert_string_equal(joined(cx, facts.paths, facts.n_paths), rows[i].paths);
        assert_string_equal(joined(cx, facts.functions, facts.n_functions), rows[i].functions);
    }
}

static void tells_what_is_always_true_or_false(void **state)
{
    struct rv_ctx *cx = *state;

    assert_true(facts_of(cx, "1 < 2").truth.truth);
    assert_true(facts_of(cx, "a == 1 || 'x' in ['x']").truth.truth);
    assert_int_equal(facts_of(cx, "a == 1 && 1 > 2").truth.kind, CEL_BOOL);
    assert_false(facts_of(cx, "a == 1 && 1 > 2").truth.truth);
    assert_int_equal(facts_of(cx, "a == 1").truth.kind, CEL_NONE);
    assert_int_equal(facts_of(cx, "1 / 0 == 1").truth.kind, CEL_NONE);
    assert_int_equal(facts_of(cx, "1").truth.kind, CEL_NONE);
}

static void what_it_costs_is_never_more_than_was_told(void **state)
{
    static const char *const rows[] = {
        "a.all(x, a.all(y, x == y || x != y))",
        "a.map(x, a).map(x, size(x))",
        "a.sortBy(x, x).distinct() == a",
        "cel.bind(x, a + a, x + x).filter(x, x in a)",
        "a.map(x, string(x)).join(', ').split(', ').size()",
    };
    struct rv_ctx *cx = *state;
    struct cel_value *items = rv_new_array(cx, struct cel_value, 50);
    struct cel_value values[3] = { cel_list_of(cx, items, 50) };

    for (int i = 0; i < 50; i++)
        items[i] = cel_int(50 - i);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct cel_program *program = compile(cx, rows[i]);
        struct cel_facts facts;
        int64_t cost;

        cel_facts(cx, program, 100, &facts);
        assert_int_not_equal(cel_eval_cost(cx, program, values, &cost).kind, CEL_ERROR);
        assert_true(cost <= facts.cost_most);
    }
    assert_true(facts_of(cx, "a.cost < 5.0").cost_most < 5000);
    assert_true(facts_of(cx, "lists.range(a).size() > 1").cost_most == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(tells_variables_paths_and_functions),
        RV_TEST(tells_what_is_always_true_or_false),
        RV_TEST(what_it_costs_is_never_more_than_was_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
