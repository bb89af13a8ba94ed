#include "support/rv_test.h"

#include "base/buf.h"
#include "sample.h"

static rv_result read_as(struct rv_ctx *cx, const char *text, enum rv_json_mode mode,
                         struct sample *sample)
{
    return rv_json_read(cx, text, strlen(text), mode, rv_out(sample, sample));
}

static void what_was_written_is_read_back(void **state)
{
    struct rv_ctx *cx = *state;
    struct sample back;
    const char *text;

    assert_ok(cx, rv_json_write(cx, rv_in(sample, &full_sample), &text));
    assert_ok(cx, read_as(cx, text, RV_JSON_STRICT, &back));
    assert_null(back.password);
    assert_same_sample(&full_sample, &back);
}

static void writes_in_the_order_of_the_table_without_secrets(void **state)
{
    struct rv_ctx *cx = *state;
    const char *text;

    assert_ok(cx, rv_json_write(cx, rv_in(sample, &full_sample), &text));
    assert_string_equal(
        text, "{\"name\":\"table \\\"round\\\"\\n\","
              "\"sample_id\":\"01890a5d-ac96-774b-bcce-b302099a8057\","
              "\"input\":{\"b\":1,\"a\":[0.1,null]},\"picture\":\"AP8Q\","
              "\"count\":-9223372036854775808,\"share\":0.1,\"paused\":true,"
              "\"color\":\"dark_blue\",\"tags\":[\"a\",\"ü\"],"
              "\"main_part\":{\"name\":\"leg\",\"weight\":4,\"needs\":[\"wood\",\"nails\"]},"
              "\"parts\":[{\"name\":\"leg\",\"weight\":4,\"needs\":[\"wood\",\"nails\"]},"
              "{\"name\":\"top\",\"weight\":-7,\"needs\":[]}],\"owner\":\"me\",\"note\":\"x\"}");
}

static void what_is_not_set_is_null_or_left_out(void **state)
{
    struct rv_ctx *cx = *state;
    struct sample empty = { 0 };
    const char *text;

    assert_ok(cx, rv_json_write(cx, rv_in(sample, &empty), &text));
    assert_string_equal(text, "{\"name\":null,\"sample_id\":null,\"input\":null,\"picture\":\"\","
                              "\"count\":0,\"share\":0.0,\"paused\":false,\"color\":null,"
                              "\"tags\":[],\"main_part\":null,\"parts\":[],\"owner\":null}");
}

static void many_are_a_list(void **state)
{
    struct rv_ctx *cx = *state;
    const struct sample_part parts[] = { { "a", 1, NULL, 0 }, { "b", 2, NULL, 0 } };
    const char *text;

    assert_ok(cx, rv_json_write_list(cx, rv_in_many(sample_part, parts, 2), &text));
    assert_string_equal(text, "[{\"name\":\"a\",\"weight\":1,\"needs\":[]},"
                              "{\"name\":\"b\",\"weight\":2,\"needs\":[]}]");
    assert_ok(cx, rv_json_write_list(cx, rv_in_many(sample_part, parts, 0), &text));
    assert_string_equal(text, "[]");
}

static void a_bad_document_is_refused_with_where_and_why(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "[]", "is not an object" },
        { "null", "is not an object" },
        { "{}", "name is missing" },
        { "{\"name\":null}", "name is missing" },
        { "{\"name\":\"\"}", "name is empty" },
        { "{\"name\":7}", "name is not a string" },
        { "{\"name\":\"a\",\"sample_id\":\"7\"}", "sample_id is not a UUID" },
        { "{\"name\":\"a\",\"picture\":\"AP8\"}", "picture is not base64" },
        { "{\"name\":\"a\",\"picture\":\"AP9=\"}", "picture is not base64" },
        { "{\"name\":\"a\",\"count\":1.5}", "count is not a whole number" },
        { "{\"name\":\"a\",\"count\":\"1\"}", "count is not a whole number" },
        { "{\"name\":\"a\",\"count\":1e300}", "count is not a whole number" },
        { "{\"name\":\"a\",\"share\":true}", "share is not a number" },
        { "{\"name\":\"a\",\"paused\":1}", "paused is not true or false" },
        { "{\"name\":\"a\",\"color\":\"pink\"}", "color is not one of: red, dark_blue" },
        { "{\"name\":\"a\",\"tags\":\"x\"}", "tags is not a list" },
        { "{\"name\":\"a\",\"tags\":[\"x\",1]}", "tags[1] is not a string" },
        { "{\"name\":\"a\",\"main_part\":[]}", "main_part is not an object" },
        { "{\"name\":\"a\",\"main_part\":{}}", "main_part.name is missing" },
        { "{\"name\":\"a\",\"parts\":{}}", "parts is not a list" },
        { "{\"name\":\"a\",\"parts\":[{\"name\":\"b\",\"needs\":[\"c\",null]}]}",
          "parts[0].needs[1] is not a string" },
        { "{\"name\":\"a\",\"nmae\":1}", "nmae is unknown (did you mean \"name\"?)" },
        { "{\"name\":\"a\",\"main_prt\":1}", "main_prt is unknown (did you mean \"main_part\"?)" },
        { "{\"name\":\"a\",\"zebra\":1}", "zebra is unknown" },
        { "{\"name\":\"a\",\"a b\":1}", "[\"a b\"] is unknown" },
    };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sample sample;

        assert_fails(cx, read_as(cx, rows[i].text, RV_JSON_STRICT, &sample), RV_INVALID,
                     rows[i].why);
        rv_ctx_reset(cx);
    }
}

static void what_is_no_json_is_refused(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *why;
    } rows[] = {
        { "", 0, "not JSON at line 1" },
        { "{\"a\":1", 6, "not JSON at line 1, column 6: " },
        { "{\"name\":\"a\",\"name\":\"b\"}", 23, "duplicate object key" },
        { "{\"name\":\"a\0b\"}", 14, "a NUL byte" },
        { "{\"name\":\"\\u0000\"}", 17, "\\u0000" },
        { "{\"name\":\"\xff\"}", 12, "unable to decode byte 0xff" },
        { "{} {}", 5, "end of file expected" },
        { "{\"name\":\"a\",\"count\":92233720368547758080}", 41, "count" },
    };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sample sample;

        assert_int_equal(
            rv_json_read(cx, rows[i].text, rows[i].len, RV_JSON_CLIENT, rv_out(sample, &sample)),
            RV_INVALID);
        if (!strstr(cx->error.text, rows[i].why))
            fail_msg("row %zu says: %s", i, cx->error.text);
        rv_ctx_reset(cx);
    }
}

static void nesting_ends_at_64(void **state)
{
    struct rv_ctx *cx = *state;
    struct sample sample;
    char text[300] = "{\"name\":\"a\",\"input\":";
    size_t at = strlen(text);

    memset(text + at, '[', 63);
    memset(text + at + 63, ']', 63);
    strcpy(text + at + 126, "}");
    assert_ok(cx, read_as(cx, text, RV_JSON_STRICT, &sample));
    memset(text + at, '[', 64);
    memset(text + at + 64, ']', 64);
    strcpy(text + at + 128, "}");
    assert_fails(cx, read_as(cx, text, RV_JSON_STRICT, &sample), RV_INVALID,
                 "not JSON at line 1, column 0: it is nested deeper than 64 levels");
}

static void every_mistake_is_said_at_once(void **state)
{
    struct rv_ctx *cx = *state;
    struct sample sample;

    assert_int_equal(read_as(cx, "{\"count\":\"x\",\"parts\":[{\"name\":\"a\"},{}],\"zebra\":1}",
                             RV_JSON_STRICT, &sample),
                     RV_INVALID);
    assert_int_equal(cx->error.n_details, 4);
    assert_string_equal(cx->error.details[0].path, "name");
    assert_string_equal(cx->error.details[1].path, "count");
    assert_string_equal(cx->error.details[2].path, "parts[1].name");
    assert_string_equal(cx->error.details[2].message, "is missing");
    assert_string_equal(cx->error.details[3].path, "zebra");
}

static void ten_thousand_mistakes_are_sixteen(void **state)
{
    struct rv_ctx *cx = *state;
    struct sample sample;
    auto_buf text = { 0 };

    rv_buf_text(&text, "{\"name\":\"a\"");
    for (int i = 0; i < 10000; i++)
        rv_buf_printf(&text, ",\"nam%d\":1", i);
    rv_buf_text(&text, "}");
    assert_int_equal(read_as(cx, text.data, RV_JSON_STRICT, &sample), RV_INVALID);
    assert_int_equal(cx->error.n_details, RV_DETAILS_MAX);
}

static void a_client_may_not_set_what_is_ours(void **state)
{
    struct rv_ctx *cx = *state;
    struct sample sample;

    assert_fails(cx, read_as(cx, "{\"name\":\"a\",\"owner\":\"b\"}", RV_JSON_CLIENT, &sample),
                 RV_INVALID, "owner is not yours to set");
    rv_ctx_reset(cx);
    assert_ok(cx, read_as(cx, "{\"name\":\"a\",\"owner\":\"b\"}", RV_JSON_STRICT, &sample));
}

static void a_foreign_server_may_say_more(void **state)
{
    struct rv_ctx *cx = *state;
    struct sample sample;

    assert_ok(cx, read_as(cx, "{\"name\":\"a\",\"x\":1,\"count\":5,\"input\":92233720368547758080}",
                          RV_JSON_LENIENT, &sample));
    assert_int_equal(sample.count, 5);
}

static void json_is_kept_as_it_is(void **state)
{
    static const char *const texts[] = { "1",
                                         "\"x\"",
                                         "false",
                                         "0.1",
                                         "1e+300",
                                         "[]",
                                         "{}",
                                         "{\"z\":1,\"a\":{\"m\":[1,2.5,\"\\u0001é\"]}}",
                                         "0.30000000000000004",
                                         "-0.0" };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct sample sample;
        const char *text = rv_printf(cx, "{\"name\":\"a\",\"input\":%s}", texts[i]);

        assert_ok(cx, read_as(cx, text, RV_JSON_STRICT, &sample));
        assert_string_equal(sample.input, texts[i]);
    }
}

static void a_uuid_is_kept_in_small_letters(void **state)
{
    struct rv_ctx *cx = *state;
    struct sample sample;

    assert_ok(cx,
              read_as(cx, "{\"name\":\"a\",\"sample_id\":\"01890A5D-AC96-774B-BCCE-B302099A8057\"}",
                      RV_JSON_STRICT, &sample));
    assert_string_equal(sample.sample_id, full_sample.sample_id);
}

static void a_schema_says_what_is_read(void **state)
{
    struct rv_ctx *cx = *state;
    const char *text;

    assert_ok(cx, rv_json_schema(cx, &sample_part_record, &text));
    assert_string_equal(text, "{\"type\":\"object\",\"properties\":{"
                              "\"name\":{\"type\":\"string\",\"minLength\":1},"
                              "\"weight\":{\"type\":\"integer\",\"format\":\"int64\"},"
                              "\"needs\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}},"
                              "\"required\":[\"name\"],\"additionalProperties\":false}");
    assert_ok(cx, rv_json_schema(cx, &sample_record, &text));
    assert_non_null(
        strstr(text, "\"sample_id\":{\"type\":[\"string\",\"null\"],\"format\":\"uuid\"}"));
    assert_non_null(strstr(text, "\"color\":{\"enum\":[\"red\",\"dark_blue\",null]}"));
    assert_non_null(strstr(text, "\"main_part\":{\"anyOf\":[{\"$ref\":\"#/components/schemas/"
                                 "sample_part\"},{\"type\":\"null\"}]}"));
    assert_non_null(strstr(text, "\"owner\":{\"type\":[\"string\",\"null\"],\"readOnly\":true}"));
    assert_non_null(
        strstr(text, "\"password\":{\"type\":[\"string\",\"null\"],\"writeOnly\":true}"));
}

static void a_check_finds_the_gaps_of_what_came_by_other_ways(void **state)
{
    struct rv_ctx *cx = *state;
    struct sample_part parts[] = { { .name = "a" }, { 0 } };
    struct sample sample = { .sample_id = "x", .parts = parts, .n_parts = 2 };

    assert_int_equal(rv_record_check(cx, rv_in(sample, &sample)), RV_INVALID);
    assert_int_equal(cx->error.n_details, 3);
    assert_string_equal(cx->error.details[0].path, "name");
    assert_string_equal(cx->error.details[1].message, "is not a UUID");
    assert_string_equal(cx->error.details[2].path, "parts[1].name");
    rv_ctx_reset(cx);
    assert_ok(cx, rv_record_check(cx, rv_in(sample, &full_sample)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(what_was_written_is_read_back),
        RV_TEST(writes_in_the_order_of_the_table_without_secrets),
        RV_TEST(what_is_not_set_is_null_or_left_out),
        RV_TEST(many_are_a_list),
        RV_TEST(a_bad_document_is_refused_with_where_and_why),
        RV_TEST(what_is_no_json_is_refused),
        RV_TEST(nesting_ends_at_64),
        RV_TEST(every_mistake_is_said_at_once),
        RV_TEST(ten_thousand_mistakes_are_sixteen),
        RV_TEST(a_client_may_not_set_what_is_ours),
        RV_TEST(a_foreign_server_may_say_more),
        RV_TEST(json_is_kept_as_it_is),
        RV_TEST(a_uuid_is_kept_in_small_letters),
        RV_TEST(a_schema_says_what_is_read),
        RV_TEST(a_check_finds_the_gaps_of_what_came_by_other_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
