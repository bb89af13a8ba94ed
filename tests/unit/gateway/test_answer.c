#include "support/rv_test.h"

#include <stdio.h>

#include "gateway/answer.h"

static struct rv_error error_of(enum rv_status status, const char *text)
{
    struct rv_error error = { .status = status };

    snprintf(error.text, sizeof(error.text), "%s", text);
    return error;
}

static void every_failure_has_one_form(void **state)
{
    struct rv_error full = error_of(RV_DENIED, "not here");
    struct {
        struct rv_error error;
        const char *body;
    } rows[] = {
        { error_of(RV_NOT_FOUND, "no such run"),
          "{\"error\":{\"code\":\"not_found\",\"message\":\"no such run\"},\"request_id\":\"r\"}" },
        { error_of(RV_INTERNAL, "segment 7 of table runs"),
          "{\"error\":{\"code\":\"internal\",\"message\":\"internal\"},\"request_id\":\"r\"}" },
        { error_of(RV_CONFLICT, "gateway_key_add: is there already (23505 api_keys_pkey)"),
          "{\"error\":{\"code\":\"conflict\",\"message\":\"conflict\"},\"request_id\":\"r\"}" },
        { full, NULL },
    };

    rows[2].error.inside = true;
    full.hint = "ask";
    full.reason = "{\"decision\":{\"rule\":\"x\"}}";
    full.details[0] = (struct rv_detail){ "spec.nodes[2].needs[0]", "is \"odd\"" };
    full.n_details = 1;
    rows[3].error = full;
    rows[3].body =
        "{\"error\":{\"code\":\"denied\",\"message\":\"not here\",\"details\":[{\"path\":"
        "\"spec.nodes[2].needs[0]\",\"message\":\"is \\\"odd\\\"\"}],\"hint\":\"ask\","
        "\"decision\":{\"rule\":\"x\"}},\"request_id\":\"r\"}";
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_buf body = { 0 };

        answer_write_error(&body, &rows[i].error, "r");
        assert_string_equal(body.data, rows[i].body);
    }
}

static void a_problem_points_into_the_body(void **state)
{
    struct rv_error error = error_of(RV_INVALID, "spec.nodes[2].needs[0] is odd");
    auto_buf body = { 0 };

    error.details[0] = (struct rv_detail){ "spec.nodes[2][\"a/b~\"]", "is odd" };
    error.n_details = 1;
    answer_write_problem(&body, &error, "r", "/v1/runs");
    assert_string_equal(
        body.data,
        "{\"type\":\"/problems/invalid\",\"title\":\"Invalid\",\"status\":400,\"detail\":"
        "\"spec.nodes[2].needs[0] is odd\",\"instance\":\"/v1/runs\",\"code\":\"invalid\","
        "\"request_id\":\"r\",\"errors\":[{\"pointer\":\"#/spec/nodes/2/a~1b~0\","
        "\"detail\":\"is odd\"}]}");
}

struct thing {
    const char *thing_id;
};
static const struct rv_field thing_fields[] = { RV_TEXT(thing, thing_id, 0) };
static RV_RECORD(thing, thing_fields);

static void a_page_says_where_it_goes_on(void **state)
{
    struct thing things[] = { { "a" }, { "b" }, { "c" } };
    struct rv_rows rows = { things, 3 };
    struct page page = page_of(*state, &thing_record, rows, 2, "thing_id");

    assert_int_equal(page.n, 2);
    assert_true(page.has_more);
    assert_string_equal(page.next_cursor, "b");
    page = page_of(*state, &thing_record, rows, 3, "thing_id");
    assert_int_equal(page.n, 3);
    assert_false(page.has_more);
    assert_null(page.next_cursor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(every_failure_has_one_form),
        RV_TEST(a_problem_points_into_the_body),
        RV_TEST(a_page_says_where_it_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
