#include "unit/cel/cel_test.h"

#include "runtime/cel_json.h"

static const char facts[] =
    "{\"tool\": {\"name\": \"shell\", \"args\": {\"path\": \"/etc\", \"n\": 3}},"
    " \"list\": [1, 2.5, null, true, \"x\"], \"empty\": {}, \"\\u00fc\": 1}";

static void json_is_looked_at_in_place(void **state)
{
    static const struct {
        const char *text, *value;
    } rows[] = {
        { "a.tool.args.path.startsWith('/')", "true" },
        { "a.tool.args.n * 2", "6" },
        { "a.list", "[1,2.5,null,true,\"x\"]" },
        { "a.list[1] + 0.5", "3.0" },
        { "a.list.exists(x, x == 'x')", "true" },
        { "size(a.tool)", "2" },
        { "has(a.tool.nothing)", "false" },
        { "'name' in a.tool", "true" },
        { "1 in a.tool", "false" },
        { "a.tool.transformList(k, v, k)", "[\"name\",\"args\"]" },
        { "a.empty == {}", "true" },
        { "a['ü']", "1" },
        { "a.tool == {'args': {'n': 3.0, 'path': '/etc'}, 'name': 'shell'}", "true" },
        { "a.list[9]", "error: 1:7: no such index or key: 9" },
        { "a.nothing.x", "error: 1:3: no such key: \"nothing\"" },
    };
    struct rv_ctx *cx = *state;
    struct cel_value values[3] = { cel_none() };
    json_t *json;

    assert_ok(cx, rv_json_parse(cx, facts, strlen(facts), "facts", &json));
    values[0] = rv_cel_json(cx, json);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(eval_with(cx, rows[i].text, values), rows[i].value);
}

static void no_json_is_no_value(void **state)
{
    struct rv_ctx *cx = *state;

    assert_int_equal(rv_cel_json(cx, NULL).kind, CEL_NONE);
    assert_int_equal(rv_cel_json(cx, json_null()).kind, CEL_NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(json_is_looked_at_in_place),
        RV_TEST(no_json_is_no_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
