/* The description of the API says every route, and nothing else. */

#include "support/rv_test.h"

#include <ctype.h>

#include "base/buf.h"
#include "gateway/openapi.h"
#include "gateway/routes.h"
#include "runtime/json.h"

static json_t *document(struct rv_ctx *cx)
{
    auto_buf text = { 0 };
    json_t *json;

    assert_ok(cx, openapi_print(cx, gateway_routes, &text));
    assert_ok(cx, rv_json_parse(cx, text.data, text.len, "openapi", &json));
    return json;
}

static json_t *operation(struct rv_ctx *cx, json_t *paths, const struct rv_route *route)
{
    char *method = rv_strdup(cx, route->method);

    for (char *c = method; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return json_object_get(json_object_get(paths, route->path), method);
}

static void every_route_is_described(void **state)
{
    struct rv_ctx *cx = *state;
    json_t *paths = json_object_get(document(cx), "paths");

    for (const struct rv_route *route = gateway_routes; route->method; route++) {
        json_t *found = operation(cx, paths, route);
        json_t *responses = json_object_get(found, "responses");

        assert_non_null(found);
        assert_string_equal(json_string_value(json_object_get(found, "operationId")),
                            openapi_id(cx, route));
        assert_true(json_string_length(json_object_get(found, "summary")) > 0);
        assert_non_null(
            json_object_get(responses, rv_printf(cx, "%d", route->status ? route->status : 200)));
        assert_non_null(json_object_get(responses, "4XX"));
    }
}

static void nothing_else_is_described(void **state)
{
    struct rv_ctx *cx = *state;
    json_t *paths = json_object_get(document(cx), "paths"), *methods;
    size_t described = 0, routes = 0;
    const char *path;

    json_object_foreach(paths, path, methods) described += json_object_size(methods);
    while (gateway_routes[routes].method)
        routes++;
    assert_int_equal(described, routes);
}

static void every_name_in_a_path_is_a_parameter(void **state)
{
    struct rv_ctx *cx = *state;
    json_t *paths = json_object_get(document(cx), "paths");

    for (const struct rv_route *route = gateway_routes; route->method; route++) {
        json_t *parameters = json_object_get(operation(cx, paths, route), "parameters"), *one;
        size_t in_path = 0, i;

        json_array_foreach(parameters, i, one) in_path +=
            strcmp(json_string_value(json_object_get(one, "in")), "path") == 0;
        assert_int_equal(in_path, strchr(route->path, '{') ? 1 : 0);
    }
}

/* Walks the whole document for "$ref". */
static void check_references(json_t *root, json_t *json)
{
    json_t *value;
    const char *key;
    size_t i;

    json_object_foreach(json, key, value)
    {
        if (strcmp(key, "$ref") == 0 && json_is_string(value)) {
            const char *name = strrchr(json_string_value(value), '/') + 1;
            json_t *components = json_object_get(root, "components");

            if (!json_object_get(json_object_get(components, "schemas"), name) &&
                !json_object_get(json_object_get(components, "responses"), name))
                fail_msg("nobody describes %s", name);
        }
        check_references(root, value);
    }
    json_array_foreach(json, i, value) check_references(root, value);
}

static void what_is_referred_to_is_there(void **state)
{
    json_t *json = document(*state);

    check_references(json, json);
}

static void nothing_of_ours_is_described(void **state)
{
    struct rv_ctx *cx = *state;
    auto_buf text = { 0 };

    assert_ok(cx, openapi_print(cx, gateway_routes, &text));
    assert_null(strstr(text.data, "tenant_id"));
    assert_null(strstr(text.data, "key_project"));
    assert_null(strstr(text.data, "key_hash"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(every_route_is_described),
        RV_TEST(nothing_else_is_described),
        RV_TEST(every_name_in_a_path_is_a_parameter),
        RV_TEST(what_is_referred_to_is_there),
        RV_TEST(nothing_of_ours_is_described),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
