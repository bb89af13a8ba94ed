/* What cel-conform answers to asks that are wrong, or whose answer is hard to write. */

#include "support/rv_test.h"

#include "ask.h"

static const char *answer_to(struct rv_ctx *cx, const char *ask)
{
    json_t *json = rv_json_own(cx, json_loads(ask, 0, NULL));

    if (!json)
        fail_msg("no JSON: %s", ask);
    return rv_json_text(cx, rv_json_own(cx, ask_answer(cx, NULL, json)));
}

static void a_wrong_binding_is_named(void **state)
{
    static const struct {
        const char *value, *why;
    } rows[] = {
        { "{\"int64Value\": \"9223372036854775808\"}", "an int: \\\"9223372036854775808\\\"" },
        { "{\"uint64Value\": \"-1\"}", "a uint: \\\"-1\\\"" },
        { "{\"boolValue\": \"true\"}", "a bool: \\\"true\\\"" },
        { "{\"stringValue\": 5}", "a string: 5" },
        { "{\"bytesValue\": \"a\"}", "base64: \\\"a\\\"" },
        { "{\"listValue\": {\"values\": [null]}}", "a value: null" },
        { "{\"objectValue\": {\"@type\": \"x/google.protobuf.Timestamp\", \"value\": \"now\"}}",
          "a time: \\\"now\\\"" },
        { "{\"objectValue\": {\"@type\": \"x/google.protobuf.UInt32Value\", \"value\": "
          "4294967296}}",
          "google.protobuf.UInt32Value: 4294967296" },
    };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(
            answer_to(cx, rv_printf(cx, "{\"name\":1,\"expr\":\"x\",\"bindings\":{\"x\":%s}}",
                                    rows[i].value)),
            rv_printf(cx, "{\"error\":\"the binding x is wrong: this is not %s\",\"name\":1}",
                      rows[i].why));
}

static void no_key_comes_twice(void **state)
{
    static const char entry[] = "{\"key\":{\"boolValue\":true},\"value\":{\"nullValue\":null}}";
    struct rv_ctx *cx = *state;
    const char *map = rv_printf(cx, "{\"mapValue\":{\"entries\":[%s,%s]}}", entry, entry);

    assert_string_equal(
        answer_to(cx, rv_printf(cx, "{\"expr\":\"x\",\"bindings\":{\"x\":%s}}", map)),
        "{\"error\":\"the binding x is wrong: a key of a map comes twice\"}");
}

static void a_type_that_is_none_is_not_dyn(void **state)
{
    static const struct {
        const char *type, *answer;
    } rows[] = {
        { "\"lst(int)\"",
          "{\"error\":\"the binding x is wrong: this is no type: \\\"lst(int)\\\"\"}" },
        { "{\"primitive\":\"FOO\"}", "{\"error\":\"the binding x is wrong: this is no type: "
                                     "{\\\"primitive\\\":\\\"FOO\\\"}\"}" },
        { "{\"messageType\":\"a.B\"}", "{\"unsupported\":\"a user's message type\"}" },
        { "{\"listType\":{}}", "{\"type\":\"list(dyn)\"}" },
    };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(answer_to(cx, rv_printf(cx,
                                                    "{\"expr\":\"x\",\"check_only\":true,"
                                                    "\"type_env\":[{\"name\":\"x\",\"type\":%s}]}",
                                                    rows[i].type)),
                            rows[i].answer);
}

/* An error text quotes a key and is cut: any offset may be inside of a character. */
static void a_cut_text_still_makes_an_answer(void **state)
{
    struct rv_ctx *cx = *state;
    const char *key = "";

    for (int i = 0; i < 100; i++) {
        key = rv_printf(cx, "%s%s", key, i % 7 ? "ü" : "x");
        assert_non_null(
            strstr(answer_to(cx, rv_printf(cx, "{\"name\":\"k\",\"expr\":\"{'a':1}['%s']\"}", key)),
                   "\"name\":\"k\"}"));
    }
}

static void an_answer_has_an_end(void **state)
{
    static char text[60001];
    struct rv_ctx *cx = *state;

    memset(text, 's', sizeof(text) - 1);
    assert_string_equal(
        answer_to(
            cx,
            rv_printf(cx, "{\"expr\":\"cel.bind(a, '%s', lists.range(100000).map(x, a))\"}", text)),
        "{\"error\":\"eval: the value is too large to show\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(a_wrong_binding_is_named),       RV_TEST(no_key_comes_twice),
        RV_TEST(a_type_that_is_none_is_not_dyn), RV_TEST(a_cut_text_still_makes_an_answer),
        RV_TEST(an_answer_has_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
