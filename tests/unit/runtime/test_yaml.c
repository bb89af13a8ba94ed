#include "support/rv_test.h"

#include "base/buf.h"
#include "runtime/yaml.h"

static const char *read_one(struct rv_ctx *cx, const char *text)
{
    struct rv_yaml *documents = NULL;
    size_t n = 0;

    assert_ok(cx, rv_yaml_read(cx, text, strlen(text), &documents, &n));
    assert_int_equal(n, 1);
    return documents[0].json;
}

static void scalars_mean_what_yaml_1_2_says(void **state)
{
    static const struct {
        const char *yaml, *json;
    } rows[] = {
        { "a: ~", "{\"a\":null}" },
        { "a:", "{\"a\":null}" },
        { "[null, Null, NULL, nUll]", "[null,null,null,\"nUll\"]" },
        { "[true, False, TRUE, yes, NO, on]", "[true,false,true,\"yes\",\"NO\",\"on\"]" },
        { "[1, -2, +3, 012, 0x1F, 0o17, 0b1, 1_000]", "[1,-2,3,12,31,15,\"0b1\",\"1_000\"]" },
        { "[1.5, -.5, 1., +1e3, 1e, 1.2.3, .]", "[1.5,-0.5,1.0,1000.0,\"1e\",\"1.2.3\",\".\"]" },
        { "[12:30, 2026-11-20, 1 2]", "[\"12:30\",\"2026-11-20\",\"1 2\"]" },
        { "['1', \"true\", !!str 7]", "[\"1\",\"true\",\"7\"]" },
        { "a: |\n  x\n  y\n", "{\"a\":\"x\\ny\\n\"}" },
        { "a: >-\n  x\n  y\n", "{\"a\":\"x y\"}" },
        { "1: a\ntrue: b\n'': c", "{\"1\":\"a\",\"true\":\"b\",\"\":\"c\"}" },
        { "z: 1\na: {m: [1, {}, []]}", "{\"z\":1,\"a\":{\"m\":[1,{},[]]}}" },
        { "{a: \"\\u00fc\\n\"}", "{\"a\":\"ü\\n\"}" },
        { "9223372036854775807", "9223372036854775807" },
        { "\xef\xbb\xbf"
          "a: 1",
          "{\"a\":1}" },
        { "%YAML 1.2\n---\na: 1", "{\"a\":1}" },
    };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(read_one(cx, rows[i].yaml), rows[i].json);
}

static void aliases_are_pasted(void **state)
{
    struct rv_ctx *cx = *state;

    assert_string_equal(read_one(cx, "a: &x {b: [1, 2]}\nc: *x\nd: [*x, &y 5, *y]\ne: &x 7\nf: *x"),
                        "{\"a\":{\"b\":[1,2]},\"c\":{\"b\":[1,2]},\"d\":[{\"b\":[1,2]},5,5],"
                        "\"e\":7,\"f\":7}");
}

static void a_mistake_has_its_line_and_column(void **state)
{
    static const struct {
        const char *yaml, *why;
    } rows[] = {
        { "a: 1\nb: 2\na: 3", "line 3, column 1: duplicate key \"a\"" },
        { "a:\n  - {x: 1, x: 2}", "line 2, column 12: duplicate key \"x\"" },
        { "a: &x {b: 1}\nc:\n  <<: *x", "line 3, column 3: merge keys (<<) are not supported" },
        { "? [1, 2]\n: a", "line 1, column 3: a key is not plain text" },
        { "? {a: 1}\n: a", "line 1, column 3: a key is not plain text" },
        { "&k a: 1", "line 1, column 1: an anchor on a key" },
        { "?\n: 1", "line 1, column 2: an empty key" },
        { "a: !!int \"7\"", "line 1, column 4: tag tag:yaml.org,2002:int is not known" },
        { "a: !mine 7", "line 1, column 4: tag !mine is not known" },
        { "a: !!set {b}", "line 1, column 4: tag tag:yaml.org,2002:set is not known" },
        { "a: *none", "line 1, column 4: unknown alias \"none\"" },
        { "a: &x [*x]", "line 1, column 8: unknown alias \"x\"" },
        { "a: .inf", "line 1, column 4: .inf is not a number that JSON knows" },
        { "a: -.NaN", "line 1, column 4: -.NaN is not a number that JSON knows" },
        { "a: 9223372036854775808",
          "line 1, column 4: 9223372036854775808 does not fit in 64 bits; put it in quotes" },
        { "a: 0xffffffffffffffff",
          "line 1, column 4: 0xffffffffffffffff does not fit in 64 bits; put it in quotes" },
        { "a: 1e999", "line 1, column 4: 1e999 is too large a number" },
        { "a: \"x\\0y\"", "line 1, column 4: a NUL byte is not allowed" },
        { "a:\n\t- 1", "line 2, column 1: found character that cannot start any token" },
        { "a: [1", "line 2, column 1: did not find expected ',' or ']'" },
        { "a: b: c", "line 1, column 5: mapping values are not allowed in this context" },
        { "a: 1\nb: \xff\n", "line 2, column 4: invalid leading UTF-8 octet" },
        { "a: 1\nb: \x01\n", "line 2, column 4: control characters are not allowed" },
    };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rv_yaml *documents;
        size_t n;

        assert_fails(cx, rv_yaml_read(cx, rows[i].yaml, strlen(rows[i].yaml), &documents, &n),
                     RV_INVALID, rows[i].why);
    }
}

static void a_file_may_hold_several_documents(void **state)
{
    static const char text[] = "# first\nkind: Agent\n---\n\nkind: Tool\n---\n";
    struct rv_ctx *cx = *state;
    struct rv_yaml *documents;
    size_t n;

    assert_ok(cx, rv_yaml_read(cx, text, strlen(text), &documents, &n));
    assert_int_equal(n, 3);
    assert_string_equal(documents[0].json, "{\"kind\":\"Agent\"}");
    assert_int_equal(documents[0].line, 2);
    assert_string_equal(documents[1].json, "{\"kind\":\"Tool\"}");
    assert_int_equal(documents[1].line, 5);
    assert_string_equal(documents[2].json, "null");
    assert_ok(cx, rv_yaml_read(cx, "", 0, &documents, &n));
    assert_int_equal(n, 0);
}

static void a_billion_laughs_are_refused(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_yaml *documents;
    auto_buf text = { 0 };
    size_t n;

    rv_buf_text(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 10; i++) {
        rv_buf_printf(&text, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            rv_buf_printf(&text, "%s*a%d", k ? "," : "", i - 1);
        rv_buf_text(&text, "]\n");
    }
    assert_fails(cx, rv_yaml_read(cx, text.data, text.len, &documents, &n), RV_INVALID,
                 "line 4, column 38: more than 10000 nodes");
}

static void long_text_cannot_be_multiplied(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_yaml *documents;
    auto_buf text = { 0 };
    size_t n;

    rv_buf_text(&text, "- &a ");
    for (int i = 0; i < 500000; i++)
        rv_buf_char(&text, 'x');
    for (int i = 0; i < 1000; i++)
        rv_buf_text(&text, "\n- *a");
    assert_int_equal(rv_yaml_read(cx, text.data, text.len, &documents, &n), RV_INVALID);
    assert_non_null(strstr(cx->error.text, "too much text"));
    assert_in_range(rv_arena_bytes(cx->arena), 0, 20000000);
}

static void nesting_ends_at_64(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_yaml *documents;
    auto_buf text = { 0 };
    size_t n;

    for (int i = 0; i < 64; i++)
        rv_buf_char(&text, '[');
    for (int i = 0; i < 64; i++)
        rv_buf_char(&text, ']');
    assert_string_equal(read_one(cx, text.data), text.data);
    rv_buf_clear(&text);
    for (int i = 0; i < 500000; i++)
        rv_buf_char(&text, '[');
    assert_fails(cx, rv_yaml_read(cx, text.data, text.len, &documents, &n), RV_INVALID,
                 "line 1, column 65: nested deeper than 64 levels");
    rv_buf_clear(&text);
    rv_buf_text(&text, "a: &a [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n");
    rv_buf_text(&text, "b: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n");
    assert_fails(cx, rv_yaml_read(cx, text.data, text.len, &documents, &n), RV_INVALID,
                 "line 2, column 36: nested deeper than 64 levels");
}

static void a_file_over_a_mebibyte_is_refused(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_yaml *documents;
    size_t n, len = 1024 * 1024 + 1;
    char *text = rv_new_array(cx, char, len);

    memset(text, '#', len);
    assert_int_equal(rv_yaml_read(cx, text, len, &documents, &n), RV_TOO_LARGE);
}

static void a_path_is_found_in_the_text(void **state)
{
    static const char text[] = "kind: Tool\n"
                               "---\n"
                               "spec:\n"
                               "  nodes:\n"
                               "    - id: a\n"
                               "    - id: b\n"
                               "      kind: llm\n"
                               "      \"my key\": 1\n";
    static const struct {
        size_t index;
        const char *path;
        int line, column;
    } rows[] = {
        { 0, "kind", 1, 7 },
        { 1, "spec.nodes[1].kind", 7, 13 },
        { 1, "spec.nodes[1][\"my key\"]", 8, 17 },
        { 1, "spec.nodes[1].needs[0]", 6, 7 }, /* missing: its node */
        { 1, "", 3, 1 },
        { 1, "metadata.name", 3, 1 },
        { 2, "spec", 0, 0 },
    };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int line, column;

        assert_ok(
            cx, rv_yaml_where(cx, text, strlen(text), rows[i].index, rows[i].path, &line, &column));
        if (line != rows[i].line || column != rows[i].column)
            fail_msg("%s is said to be at %d:%d", rows[i].path, line, column);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(scalars_mean_what_yaml_1_2_says),
        RV_TEST(aliases_are_pasted),
        RV_TEST(a_mistake_has_its_line_and_column),
        RV_TEST(a_file_may_hold_several_documents),
        RV_TEST(a_billion_laughs_are_refused),
        RV_TEST(long_text_cannot_be_multiplied),
        RV_TEST(nesting_ends_at_64),
        RV_TEST(a_file_over_a_mebibyte_is_refused),
        RV_TEST(a_path_is_found_in_the_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
