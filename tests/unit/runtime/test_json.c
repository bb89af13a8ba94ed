#include "support/rv_test.h"

#include "runtime/json.h"

static json_t *parse(struct rv_ctx *cx, const char *text)
{
    json_t *json = NULL;

    assert_ok(cx, rv_json_parse(cx, text, strlen(text), "input", &json));
    return json;
}

static void any_value_is_json(void **state)
{
    static const char *const rows[] = {
        "null", "true", "7", "0.1", "\"x\"", "[]", "{\"b\":[1,{\"a\":null}],\"a\":-2.5}"
    };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(rv_json_text(cx, parse(cx, rows[i])), rows[i]);
    assert_string_equal(rv_json_text(cx, NULL), "null");
}

static void a_refusal_names_the_text_and_the_line(void **state)
{
    struct rv_ctx *cx = *state;
    json_t *json;

    assert_fails(cx, rv_json_parse(cx, "{\n\"a\":}", 7, "input", &json), RV_INVALID,
                 "input is not JSON at line 2: unexpected token near '}'");
    assert_null(json);
    assert_int_equal(rv_json_parse(cx, "[1,\0]", 5, "input", &json), RV_INVALID);
    assert_int_equal(rv_json_parse(cx, "\"a\\\0\"", 5, "input", &json), RV_INVALID);
}

static void a_path_leads_to_a_value(void **state)
{
    static const struct {
        const char *path, *found;
    } rows[] = {
        { "steps.read.output.items[1].text", "\"b\"" },
        { "steps.read.output.items[0]", "{\"text\":\"a\"}" },
        { "steps[\"my key\"]", "1" },
        { "", "{\"steps\":{\"read\":{\"output\":{\"items\":[{\"text\":\"a\"},{\"text\":\"b\"}]}},"
              "\"my key\":1}}" },
        { "steps.write", NULL },
        { "steps.read.output.items[2]", NULL },
        { "steps.read[0]", NULL },
        { "steps..read", NULL },
        { "steps.read.output.items.text", NULL },
    };
    struct rv_ctx *cx = *state;
    json_t *json = parse(cx, rows[3].found);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *found = rv_json_at(json, rows[i].path);

        if (rows[i].found)
            assert_string_equal(rv_json_text(cx, found), rows[i].found);
        else
            assert_null(found);
    }
    assert_null(rv_json_at(NULL, "a"));
}

static void the_ctx_owns_what_is_handed_to_it(void **state)
{
    struct rv_ctx *cx = *state;
    json_t *json = rv_json_own(cx, json_object());

    json_object_set_new(json, "a", json_integer(1));
    assert_string_equal(rv_json_text(cx, json), "{\"a\":1}");
    assert_null(rv_json_own(cx, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(any_value_is_json),
        RV_TEST(a_refusal_names_the_text_and_the_line),
        RV_TEST(a_path_leads_to_a_value),
        RV_TEST(the_ctx_owns_what_is_handed_to_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
