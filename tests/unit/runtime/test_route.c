#include "runtime/http_server_inside.h"
#include "runtime/route.h"
#include "support/rv_test.h"

#define SHAPES(X)                                                                                  \
    X(SHAPE_ROUND, 1, "round")                                                                     \
    X(SHAPE_FLAT, 2, "flat")
RV_ENUM_DECLARE(shape, SHAPES)
RV_ENUM_DEFINE(shape, SHAPES)

struct thing {
    const char *thing_id, *name, *project_id, *made_by;
    int64_t limit;
    double share;
    bool deep;
    enum shape shape;
    const char **tags;
    size_t n_tags;
    const char *spec;
};

static const struct rv_field thing_fields[] = {
    RV_UUID(thing, thing_id, RV_REQUIRED | RV_READONLY),
    RV_TEXT(thing, name, RV_REQUIRED),
    RV_TEXT(thing, project_id, RV_REQUIRED),
    RV_TEXT(thing, made_by, RV_READONLY),
    RV_INT(thing, limit, 0),
    RV_DOUBLE(thing, share, 0),
    RV_BOOL(thing, deep, 0),
    RV_ENUM(thing, shape, shape, 0),
    RV_TEXTS(thing, tags, 0),
    RV_JSON(thing, spec, 0),
};
static RV_RECORD(thing, thing_fields);

static const struct rv_route routes[] = {
    { .method = "GET", .path = "/v1/things" },
    { .method = "POST", .path = "/v1/things" },
    { .method = "GET", .path = "/v1/things/{thing_id}" },
    { .method = "DELETE", .path = "/v1/things/{thing_id}" },
    { .method = "GET", .path = "/v1/things/best" },
    { .method = "PUT", .path = "/v1/projects/{project_id}/things/{thing_id}" },
    { .method = "POST", .path = "/v1/things/{thing_id}:start" },
    { .method = "GET", .path = "/" },
    { 0 },
};

static const char ID[] = "01943f2e-7c10-7b6a-9d55-2f6a1be0c8d4";

static void finds_the_row_of_method_and_path(void **state)
{
    static const struct {
        const char *method, *path, *row;
        bool known;
    } rows[] = {
        { "GET", "/v1/things", "/v1/things", true },
        { "POST", "/v1/things", "/v1/things", true },
        { "HEAD", "/v1/things", "/v1/things", true },
        { "GET", "/v1/things/7", "/v1/things/{thing_id}", true },
        { "GET", "/v1/things/best", "/v1/things/best", true },
        { "GET", "/v1/things/bes", "/v1/things/{thing_id}", true },
        { "GET", "/v1/things/bestest", "/v1/things/{thing_id}", true },
        { "DELETE", "/v1/things/best", NULL, true },
        { "PUT", "/v1/projects/p/things/7", "/v1/projects/{project_id}/things/{thing_id}", true },
        { "GET", "/", "/", true },
        { "PATCH", "/v1/things", NULL, true },
        { "HEAD", "/v1/projects/p/things/7", NULL, true },
        { "GET", "/v1/thing", NULL, false },
        { "GET", "/v1/things/", NULL, false },
        { "GET", "/v1/things/7/8", NULL, false },
        { "PUT", "/v1/projects//things/7", NULL, false },
        { "GET", "/v1", NULL, false },
        { "GET", "*", NULL, false },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rv_path found;

        rv_route_find(routes, rows[i].method, rows[i].path, &found);
        assert_int_equal(found.known, rows[i].known);
        assert_int_equal(found.route != NULL, rows[i].row != NULL);
        if (rows[i].row)
            assert_string_equal(found.route->path, rows[i].row);
    }
}

static void keeps_what_the_path_says(void **state)
{
    struct rv_path found;

    rv_route_find(routes, "PUT", "/v1/projects/blue/things/7", &found);
    assert_int_equal(found.param_count, 2);
    assert_memory_equal(found.params[0].name, "project_id", found.params[0].name_len);
    assert_memory_equal(found.params[0].value, "blue", found.params[0].value_len);
    assert_int_equal(found.params[1].value_len, 1);
}

static void says_which_methods_a_path_allows(void **state)
{
    struct rv_ctx *cx = *state;

    assert_string_equal(rv_route_allow(cx, routes, "/v1/things"), "GET, HEAD, POST");
    assert_string_equal(rv_route_allow(cx, routes, "/v1/things/best"), "GET, HEAD");
    assert_string_equal(rv_route_allow(cx, routes, "/v1/things/7"), "GET, HEAD, DELETE");
    assert_string_equal(rv_route_allow(cx, routes, "/nowhere"), "");
}

static enum rv_status fill(struct rv_ctx *cx, const char *method, const char *target,
                           const char *type, const char *body, struct rv_out out)
{
    struct rv_http_request *request = rv_http_request_new(NULL, target);
    struct rv_http_field fields[] = { { "Host", "a" }, { "Content-Type", type ? type : "" } };
    struct rv_http_head head = { method, target, "HTTP/1.1", fields, type ? 2 : 1 };
    struct rv_http_no no;
    struct rv_path found;
    enum rv_status status;

    assert_true(rv_http_request_read(request, &head, &no));
    if (body)
        rv_buf_add(&request->body, body, strlen(body));
    rv_route_find(routes, method, rv_http_path(request), &found);
    assert_non_null(found.route);
    status = rv_route_fill(cx, &found, request, out);
    rv_http_request_let_go(request);
    return status;
}

static void fills_one_record_from_path_query_and_body(void **state)
{
    struct rv_ctx *cx = *state;
    struct thing thing = { .name = "before" };

    assert_ok(cx, fill(cx, "PUT",
                       "/v1/projects/blue%20one/things/01943F2E-7C10-7B6A-9D55-2F6A1BE0C8D4"
                       "?limit=20&share=0.5&deep=true&shape=flat&tags=a,b",
                       "application/json; charset=utf-8",
                       "{\"name\":\"n\",\"limit\":3,\"spec\":{\"a\":1}}", rv_out(thing, &thing)));
    assert_string_equal(thing.thing_id, ID);
    assert_string_equal(thing.project_id, "blue one");
    assert_string_equal(thing.name, "n");
    assert_int_equal(thing.limit, 20);
    assert_true(thing.deep);
    assert_true(thing.share > 0.4 && thing.share < 0.6);
    assert_int_equal(thing.shape, SHAPE_FLAT);
    assert_int_equal(thing.n_tags, 2);
    assert_string_equal(thing.tags[1], "b");
    assert_string_equal(thing.spec, "{\"a\":1}");
}

static void fills_without_a_body(void **state)
{
    struct rv_ctx *cx = *state;
    struct thing thing;

    assert_ok(cx,
              fill(cx, "GET", "/v1/things?name=x&project_id=p", NULL, NULL, rv_out(thing, &thing)));
    assert_string_equal(thing.name, "x");
    assert_null(thing.thing_id);
    assert_ok(cx, fill(cx, "GET", "/v1/things", NULL, NULL, (struct rv_out){ 0 }));
}

static void takes_the_path_again_in_the_body(void **state)
{
    struct rv_ctx *cx = *state;
    struct thing thing;

    assert_ok(cx, fill(cx, "PUT", "/v1/projects/p/things/01943f2e-7c10-7b6a-9d55-2f6a1be0c8d4",
                       "application/json",
                       "{\"name\":\"n\",\"project_id\":\"p\","
                       "\"thing_id\":\"01943f2e-7c10-7b6a-9d55-2f6a1be0c8d4\"}",
                       rv_out(thing, &thing)));
    assert_string_equal(thing.project_id, "p");
}

#define PUT_ONE "/v1/projects/p/things/01943f2e-7c10-7b6a-9d55-2f6a1be0c8d4"

static void refuses_with_the_path_of_every_mistake(void **state)
{
    static const struct {
        const char *method, *target, *body;
        enum rv_status status;
        const char *says;
    } rows[] = {
        /* clang-format off */
        { "GET", "/v1/things", NULL, RV_INVALID, "name is missing" },
        { "GET", "/v1/things?name=a&project_id=p&colour=red", NULL, RV_INVALID, "colour is unknown in the query" },
        { "GET", "/v1/things?name=a&name=b&project_id=p", NULL, RV_INVALID, "name is in the query twice" },
        { "GET", "/v1/things?name=a&project_id=p&limit=ten", NULL, RV_INVALID, "limit is not a whole number" },
        { "GET", "/v1/things?name=a&project_id=p&limit=", NULL, RV_INVALID, "limit is not a whole number" },
        { "GET", "/v1/things?name=a&project_id=p&limit=99999999999999999999", NULL, RV_INVALID, "limit is not a whole number" },
        { "GET", "/v1/things?name=a&project_id=p&share=x", NULL, RV_INVALID, "share is not a number" },
        { "GET", "/v1/things?name=a&project_id=p&deep=yes", NULL, RV_INVALID, "deep is not true or false" },
        { "GET", "/v1/things?name=a&project_id=p&shape=blue", NULL, RV_INVALID, "shape is not one of: round, flat" },
        { "GET", "/v1/things?name=a&project_id=p&spec={}", NULL, RV_INVALID, "spec belongs into the body" },
        { "GET", "/v1/things?name=a&project_id=p&made_by=me", NULL, RV_INVALID, "made_by is not yours to set" },
        { "GET", "/v1/things?name=&project_id=p", NULL, RV_INVALID, "name is empty" },
        { "GET", "/v1/things?name=a&project_id=p", "{}", RV_INVALID, "GET takes no body here" },
        { "DELETE", "/v1/things/7", "{}", RV_INVALID, "DELETE takes no body here" },
        { "PUT", "/v1/projects/p/things/7", "{\"name\":\"n\"}", RV_INVALID, "thing_id is not a UUID" },
        { "PUT", PUT_ONE "?project_id=p", "{\"name\":\"n\"}", RV_INVALID, "project_id is in the path already" },
        { "PUT", PUT_ONE, "{\"name\":\"n\",\"project_id\":\"q\"}", RV_INVALID, "project_id is another one than in the path" },
        { "PUT", PUT_ONE, "{\"name\":\"n\",\"made_by\":\"me\"}", RV_INVALID, "made_by is not yours to set" },
        { "PUT", PUT_ONE, "{}", RV_INVALID, "name is missing" },
        { "PUT", PUT_ONE, "{\"name\":1}", RV_INVALID, "name is not a string" },
        /* clang-format on */
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rv_ctx *cx = *state;
        struct thing thing;

        rv_ctx_reset(cx);
        assert_int_equal(fill(cx, rows[i].method, rows[i].target, "application/json", rows[i].body,
                              rv_out(thing, &thing)),
                         rows[i].status);
        assert_string_equal(cx->error.text, rows[i].says);
    }
}

static void notes_mistakes_of_path_query_and_body_together(void **state)
{
    struct rv_ctx *cx = *state;
    struct thing thing;

    assert_int_equal(fill(cx, "PUT", "/v1/projects/p/things/7?limit=x&colour=1", "application/json",
                          "{\"shape\":\"big\"}", rv_out(thing, &thing)),
                     RV_INVALID);
    assert_int_equal(cx->error.n_details, 5); /* colour, shape, name, limit, thing_id */
    assert_string_equal(cx->error.details[4].path, "thing_id");
}

static void wants_json_by_its_name(void **state)
{
    static const char *const types[] = { NULL, "text/plain", "application/jsonp",
                                         "application/xml" };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct rv_ctx *cx = *state;
        struct thing thing;

        rv_ctx_reset(cx);
        assert_fails(cx, fill(cx, "POST", "/v1/things", types[i], "{}", rv_out(thing, &thing)),
                     RV_UNSUPPORTED, "the body is not application/json");
    }
}

static void refuses_anything_where_nothing_is_asked(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_out nothing = { 0 };

    assert_fails(cx, fill(cx, "POST", "/v1/things", "application/json", "{}", nothing), RV_INVALID,
                 "POST takes no body here");
    assert_fails(cx, fill(cx, "GET", "/v1/things?a=1", NULL, NULL, nothing), RV_INVALID,
                 "a is unknown in the query");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(finds_the_row_of_method_and_path),
        RV_TEST(keeps_what_the_path_says),
        RV_TEST(says_which_methods_a_path_allows),
        RV_TEST(fills_one_record_from_path_query_and_body),
        RV_TEST(fills_without_a_body),
        RV_TEST(takes_the_path_again_in_the_body),
        RV_TEST(refuses_with_the_path_of_every_mistake),
        RV_TEST(notes_mistakes_of_path_query_and_body_together),
        RV_TEST(wants_json_by_its_name),
        RV_TEST(refuses_anything_where_nothing_is_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
