#include "support/rv_test.h"

#include <float.h>
#include <math.h>

#include "base/buf.h"

static void grows_and_stays_terminated(void **state)
{
    auto_buf buf = { 0 };

    for (int i = 0; i < 10000; i++)
        rv_buf_printf(&buf, "%d,", i % 10);
    assert_int_equal(buf.len, 20000);
    assert_int_equal(strlen(buf.data), 20000);
    rv_buf_drop(&buf, 19998);
    assert_string_equal(buf.data, "9,");
    rv_buf_clear(&buf);
    assert_string_equal(buf.data, "");
    rv_buf_drop(&buf, 5);
    rv_buf_add(&buf, NULL, 0);
    assert_int_equal(buf.len, 0);
}

static void prints_whole_what_has_just_room_and_what_has_not(void **state)
{
    char said[600];

    for (int len = 0; len < (int)sizeof(said) - 1; len++) {
        auto_buf buf = { 0 };

        memset(said, 'a', (size_t)len);
        said[len] = '\0';
        rv_buf_char(&buf, '>');
        rv_buf_printf(&buf, "%s", said);
        assert_int_equal(buf.len, len + 1);
        assert_string_equal(buf.data + 1, said);
    }
}

static void writes_text_as_json(void **state)
{
    static const struct {
        const char *text, *json;
    } rows[] = {
        { "", "\"\"" },
        { "a\"b\\c", "\"a\\\"b\\\\c\"" },
        { "\n\t\r\b\f\x01\x7f", "\"\\n\\t\\r\\b\\f\\u0001\\u007f\"" },
        { "grün 你 😀", "\"grün 你 😀\"" },
        { "a\xff"
          "b\xc3",
          "\"a\\ufffdb\\ufffd\"" },
        { "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_buf buf = { 0 };

        rv_buf_json(&buf, rows[i].text);
        assert_string_equal(buf.data, rows[i].json);
    }
}

static void writes_numbers(void **state)
{
    static const struct {
        double number;
        const char *text;
    } rows[] = {
        { 0.1, "0.1" },       { 1, "1.0" },     { 0.1 + 0.2, "0.30000000000000004" },
        { 1e300, "1e+300" },  { -2.5, "-2.5" }, { DBL_MAX, "1.7976931348623157e+308" },
        { INFINITY, "null" }, { NAN, "null" },
    };
    auto_buf buf = { 0 };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rv_buf_clear(&buf);
        rv_buf_double(&buf, rows[i].number);
        assert_string_equal(buf.data, rows[i].text);
    }
    rv_buf_clear(&buf);
    rv_buf_int(&buf, INT64_MIN);
    rv_buf_char(&buf, ' ');
    rv_buf_int(&buf, INT64_MAX);
    rv_buf_char(&buf, ' ');
    rv_buf_int(&buf, 0);
    assert_string_equal(buf.data, "-9223372036854775808 9223372036854775807 0");
}

static void grows_in_an_arena_and_is_not_freed(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_buf buf = { .arena = cx->arena };

    for (int i = 0; i < 1000; i++)
        rv_buf_text(&buf, "0123456789");
    assert_int_equal(buf.len, 10000);
    assert_string_equal(buf.data + 9990, "0123456789");
    rv_buf_release(&buf);
    assert_null(buf.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(grows_in_an_arena_and_is_not_freed),
        RV_TEST(grows_and_stays_terminated),
        RV_TEST(prints_whole_what_has_just_room_and_what_has_not),
        RV_TEST(writes_text_as_json),
        RV_TEST(writes_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
