/* Who may do what, and what is said to whoever asks for something else. */

#include "support/rv_test.h"

#include "gateway/routes.h"
#include "gateway_house.h"
#include "runtime/secret.h"

/* The path of @route with ids of nothing in it. */
static const char *path_of(struct rv_ctx *cx, const struct rv_route *route, const char *id)
{
    const char *open = strchr(route->path, '{');

    if (!open)
        return route->path;
    return rv_printf(cx, "%.*s%s%s", (int)(open - route->path), route->path, id,
                     strchr(open, '}') + 1);
}

static const char *body_of(const struct rv_route *route)
{
    return strcmp(route->method, "GET") == 0 || strcmp(route->method, "DELETE") == 0 ? NULL : "{}";
}

/* -- who may do what -- */

static void every_route_with_roles_wants_a_key(void **state)
{
    struct rv_ctx *cx = *state;

    for (const struct rv_route *route = gateway_routes; route->method; route++) {
        const char *path = path_of(cx, route, "01900000-0000-7000-8000-000000000000");
        struct said none = ask_gateway(cx, port, NULL, route->method, path, NULL, body_of(route));
        struct said bad =
            ask_gateway(cx, port, "rv_nobody", route->method, path, NULL, body_of(route));

        if (route->roles == MAY_ANYBODY) {
            assert_int_equal(none.status, 200);
            continue;
        }
        assert_int_equal(none.status, 401);
        assert_int_equal(bad.status, 401);
        assert_true(has_header(&none, "WWW-Authenticate: Bearer"));
        assert_string_equal(text_at(&none, "error.code"), "unauthenticated");
    }
}

static void every_role_may_what_its_routes_say_and_no_more(void **state)
{
    struct rv_ctx *cx = *state;

    for (const struct rv_route *route = gateway_routes; route->method; route++)
        for (int role = ROLE_VIEWER; role <= ROLE_ORG_ADMIN; role++) {
            const char *path = path_of(cx, route, "01900000-0000-7000-8000-000000000000");
            struct said said =
                ask_gateway(cx, port, keys[role], route->method, path, NULL, body_of(route));
            bool may = role_may((enum role)role, route->roles);

            if (may ? said.status == 401 || said.status == 403 || said.status >= 500
                    : said.status != 403)
                fail_msg("%s %s as %s: %d %s", route->method, path, rv_enum_word(&role_enum, role),
                         said.status, said.body);
        }
}

static void a_revoked_key_stops_working(void **state)
{
    struct rv_ctx *cx = *state;
    struct said made = ask(cx, "POST", "/v1/api-keys", "{\"name\":\"x\",\"role\":\"viewer\"}");
    const char *key = text_at(&made, "key"), *id = text_at(&made, "key_id");

    assert_int_equal(made.status, 201);
    assert_int_equal(ask(cx, "DELETE", rv_printf(cx, "/v1/api-keys/%s", id), NULL).status, 204);
    assert_int_equal(ask_gateway(cx, port, key, "GET", "/v1/runs", NULL, NULL).status, 401);
    made = ask(cx, "GET", rv_printf(cx, "/v1/api-keys/%s", id), NULL);
    assert_null(text_at(&made, "key")); /* shown once */
    assert_non_null(rv_json_at(made.json, "revoked_at_ms"));
    assert_int_equal(number(rv_printf(cx,
                                      "SELECT count(*) AS value FROM api_keys WHERE key_id = '%s'"
                                      " AND key_hash LIKE '$argon2id$%%'",
                                      id)),
                     1);
}

/* -- what others have is not there -- */

/* @said without its request id, which is never the same. */
static const char *without_id(struct rv_ctx *cx, const struct said *said)
{
    const char *id = strstr(said->body, "\"request_id\"");

    return id ? rv_strndup(cx, said->body, (size_t)(id - said->body)) : said->body;
}

static void what_belongs_to_others_looks_like_what_is_missing(void **state)
{
    struct rv_ctx *cx = *state;
    struct said run = ask(cx, "POST", "/v1/runs", "{\"project\":\"demo\",\"workflow\":\"two\"}");
    const char *run_id = text_at(&run, "run_id"), *nothing = "01900000-0000-7000-8000-000000000000";
    const struct {
        const char *path, *id;
    } rows[] = {
        { "/v1/runs/%s", run_id },         { "/v1/runs/%s/tasks", run_id },
        { "/v1/runs/%s/steps", run_id },   { "/v1/runs/%s/events", run_id },
        { "/v1/runs/%s/budget", run_id },  { "/v1/runs/%s/policy-decision", run_id },
        { "/v1/projects/%s", project_id }, { "/v1/workflows/%s", workflow_id },
        { "/v1/agents/%s", workflow_id },  { "/v1/runs/%s/evaluations", run_id },
    };
    const char *others[] = { stranger, bound };

    assert_int_equal(run.status, 202);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t k = 0; k < 2; k++) {
            const char *split = strstr(rows[i].path, "%s");
            const char *there = rv_printf(cx, "%.*s%s%s", (int)(split - rows[i].path), rows[i].path,
                                          rows[i].id, split + 2);
            const char *missing = rv_printf(cx, "%.*s%s%s", (int)(split - rows[i].path),
                                            rows[i].path, nothing, split + 2);
            struct said a = ask_gateway(cx, port, others[k], "GET", there, NULL, NULL);
            struct said b = ask_gateway(cx, port, others[k], "GET", missing, NULL, NULL);

            assert_int_equal(a.status, 404);
            assert_int_equal(b.status, 404);
            assert_string_equal(without_id(cx, &a), without_id(cx, &b));
        }
    for (size_t k = 0; k < 2; k++) {
        struct said said = ask_gateway(cx, port, others[k], "POST",
                                       rv_printf(cx, "/v1/runs/%s/cancel", run_id), NULL, "{}");
        assert_int_equal(said.status, 404);
        said = ask_gateway(cx, port, others[k], "GET", "/v1/runs", NULL, NULL);
        assert_string_equal(said.body, "{\"data\":[],\"has_more\":false,\"next_cursor\":null}");
        said = ask_gateway(cx, port, others[k], "GET", "/v1/events", NULL, NULL);
        assert_string_equal(said.body, "{\"data\":[],\"has_more\":false,\"next_cursor\":null}");
        said = ask_gateway(cx, port, others[k], "POST", "/v1/runs", NULL,
                           rv_printf(cx, "{\"workflow_id\":\"%s\"}", workflow_id));
        assert_int_equal(said.status, 404);
    }
}

static void a_bound_key_cannot_ask_for_foreign_events(void **state)
{
    struct rv_ctx *cx = *state;
    const char *there = rv_printf(cx, "/v1/events?after=%s.1", new_run(cx));
    const char *missing = "/v1/events?after=01900000-0000-7000-8000-000000000000.1";

    assert_int_equal(ask(cx, "GET", there, NULL).status, 200);
    assert_int_equal(ask_gateway(cx, port, bound, "GET", there, NULL, NULL).status, 400);
    assert_int_equal(ask_gateway(cx, port, bound, "GET", missing, NULL, NULL).status, 400);
}

/* -- bad input -- */

static void a_name_that_is_taken_is_said_in_words(void **state)
{
    struct rv_ctx *cx = *state;
    const char *rule = "\"rules\":[{\"rule\":\"r\",\"effect\":\"allow\",\"match\":{"
                       "\"workflow\":\"nix\"}}]";
    const char *id;
    struct said said;

    make(cx, "/v1/budgets", "budget_id", "{\"name\":\"one\",\"limit_microusd\":5000000}");
    id = make(cx, "/v1/budgets", "budget_id", "{\"name\":\"two\",\"limit_microusd\":5000000}");
    said = ask(cx, "PATCH", rv_printf(cx, "/v1/budgets/%s", id), "{\"name\":\"one\"}");
    assert_int_equal(said.status, 409);
    assert_string_equal(text_at(&said, "error.message"),
                        "a budget with this name is there already");
    said = ask(cx, "PATCH", rv_printf(cx, "/v1/budgets/%s", id), "{\"limit_microusd\":0}");
    assert_int_equal(said.status, 400);
    assert_string_equal(text_at(&said, "error.details[0].path"), "limit_microusd");
    make(cx, "/v1/policies", "policy_id", rv_printf(cx, "{\"name\":\"one\",%s}", rule));
    id = make(cx, "/v1/policies", "policy_id", rv_printf(cx, "{\"name\":\"two\",%s}", rule));
    said = ask(cx, "PATCH", rv_printf(cx, "/v1/policies/%s", id), "{\"name\":\"one\"}");
    assert_int_equal(said.status, 409);
    assert_string_equal(text_at(&said, "error.message"),
                        "a policy with this name is there already");
}

static void dead_letters_come_page_by_page(void **state)
{
    struct rv_ctx *cx = *state;
    struct said said;

    run_sql(
        "INSERT INTO dead_letters (dead_letter_id, service, subject, reason, payload, created_at)"
        " SELECT gen_random_uuid(), 'x', 'y', 'z', 'p', now() - n * interval '1 second'"
        " FROM generate_series(1, 5) n");
    said = ask(cx, "GET", "/v1/dead-letters?limit=3", NULL);
    assert_int_equal(json_array_size(rv_json_at(said.json, "data")), 3);
    assert_true(json_is_true(rv_json_at(said.json, "has_more")));
    said = ask(cx, "GET",
               rv_printf(cx, "/v1/dead-letters?limit=3&cursor=%s", text_at(&said, "next_cursor")),
               NULL);
    assert_int_equal(json_array_size(rv_json_at(said.json, "data")), 2);
    assert_true(json_is_false(rv_json_at(said.json, "has_more")));
}

static void says_what_is_wrong_and_where(void **state)
{
    struct rv_ctx *cx = *state;
    static const struct {
        const char *method, *path, *headers, *body;
        int status;
        const char *where; /* the path of the first detail */
    } rows[] = {
        { "POST", "/v1/runs", NULL, "{", 400, "" },
        { "POST", "/v1/runs", NULL, "{}", 400, "workflow" },
        { "POST", "/v1/runs", NULL, "{\"workflow\":\"two\"}", 400, "project" },
        { "POST", "/v1/runs", NULL, "{\"project\":\"demo\",\"workflow\":\"nix\"}", 400,
          "workflow" },
        { "POST", "/v1/runs", NULL, "{\"project\":\"nix\",\"workflow\":\"two\"}", 404, NULL },
        { "POST", "/v1/runs", NULL, "{\"project\":\"demo\",\"workflow\":\"two\",\"agent\":\"x\"}",
          400, "workflow" },
        { "POST", "/v1/runs", NULL, "{\"project\":\"demo\",\"workflow\":\"two\",\"labels\":3}", 400,
          "labels" },
        { "POST", "/v1/runs", NULL, "{\"project\":\"demo\",\"workflow\":\"two\",\"wait\":\"1h\"}",
          400, "wait" },
        { "POST", "/v1/runs", NULL, "{\"project\":\"demo\",\"workflow\":\"two\",\"inptu\":3}", 400,
          "inptu" },
        { "POST", "/v1/runs", "Content-Type: text/plain\r\n", "{}", 415, NULL },
        { "GET", "/v1/runs?limit=0x", NULL, NULL, 400, "limit" },
        { "GET", "/v1/runs?limit=101", NULL, NULL, 400, "limit" },
        { "GET", "/v1/runs?nix=1", NULL, NULL, 400, "nix" },
        { "GET", "/v1/runs/nix", NULL, NULL, 400, "run_id" },
        { "GET", "/v1/events?after=nix", NULL, NULL, 400, "after" },
        { "GET", "/v1/events?type=run%25", NULL, NULL, 400, "type" },
        { "GET", "/v1/events?type=Run.created", NULL, NULL, 400, "type" },
        { "GET", "/v2/runs", NULL, NULL, 404, NULL },
        { "PUT", "/v1/runs", NULL, "{}", 405, NULL },
        { "POST", "/v1/projects", NULL, "{\"name\":\"A B\"}", 400, "name" },
        { "POST", "/v1/projects", NULL, "{\"name\":\"demo\"}", 409, NULL },
        { "POST", "/v1/projects", NULL, "{\"name\":\"x\",\"tenant_id\":\"" TENANT_OTHER "\"}", 400,
          "tenant_id" },
        { "POST", "/v1/workflows", NULL,
          "{\"project\":\"demo\",\"name\":\"w\",\"spec\":{\"nodes\":[{\"node_id\":\"a\",\"kind\":"
          "\"noop\"},"
          "{\"node_id\":\"b\",\"kind\":\"http\",\"http\":{\"url\":\"u\",\"nix\":1}}]}}",
          400, "spec.nodes[1].http.nix" },
        { "POST", "/v1/workflows", NULL,
          "{\"project\":\"demo\",\"name\":\"w\",\"spec\":{\"nodes\":[{\"node_id\":\"a\",\"kind\":"
          "\"noop\","
          "\"needs\":[\"b\"]}]}}",
          400, "spec.nodes[0].needs[0]" },
        { "POST", "/v1/budgets", NULL, "{\"name\":\"x\",\"limit_microusd\":-1}", 400,
          "limit_microusd" },
        { "POST", "/v1/policies", NULL,
          "{\"name\":\"x\",\"rules\":[{\"rule\":\"r\",\"effect\":\"nix\"}]}", 400,
          "rules[0].effect" },
        { "POST", "/v1/api-keys", NULL, "{\"name\":\"x\",\"role\":\"king\"}", 400, "role" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct said said = ask_gateway(cx, port, admin, rows[i].method, rows[i].path,
                                       rows[i].headers, rows[i].body);
        const char *where = text_at(&said, "error.details[0].path");

        if (said.status != rows[i].status ||
            (rows[i].where && (!where || strcmp(where, rows[i].where) != 0)))
            fail_msg("%s %s %s: %d %s", rows[i].method, rows[i].path,
                     rows[i].body ? rows[i].body : "", said.status, said.body);
        assert_non_null(text_at(&said, "error.code"));
        assert_non_null(text_at(&said, "request_id"));
        assert_true(said.status != 405 || has_header(&said, "Allow: POST, GET, HEAD"));
    }
}

static void a_body_over_the_limit_is_refused(void **state)
{
    struct rv_ctx *cx = *state;
    char *body = rv_new_array(cx, char, 70 * 1024);

    memset(body, ' ', 70 * 1024 - 1);
    assert_int_equal(ask(cx, "POST", "/v1/runs", body).status, 413);
}

static void says_a_problem_to_whoever_asks_for_one(void **state)
{
    struct rv_ctx *cx = *state;
    struct said said =
        ask_gateway(cx, port, admin, "POST", "/v1/runs",
                    "Accept: application/problem+json\r\nX-Request-Id: abc-1\r\n",
                    "{\"project\":\"demo\",\"workflow\":\"two\",\"limits\":{\"nix\":1}}");

    assert_int_equal(said.status, 400);
    assert_true(has_header(&said, "Content-Type: application/problem+json"));
    assert_true(has_header(&said, "X-Request-Id: abc-1"));
    assert_string_equal(text_at(&said, "type"), "/problems/invalid");
    assert_string_equal(text_at(&said, "errors[0].pointer"), "#/limits/nix");
    assert_string_equal(text_at(&said, "request_id"), "abc-1");
}

/* -- many bad keys: the last, for the address is refused for a minute -- */

static void many_bad_keys_do_not_hold_up_good_ones(void **state)
{
    struct rv_ctx *cx = *state;
    struct said made = ask(cx, "POST", "/v1/api-keys", "{\"name\":\"x\",\"role\":\"viewer\"}");
    struct said said = { 0 };

    for (int i = 0; i < 20 && said.status != 429; i++) {
        said = ask_gateway(cx, port, rv_key_new(cx, "rv"), "GET", "/v1/runs", NULL, NULL);
        assert_true(said.status == 401 || (said.status == 429 && i >= 9));
    }
    assert_int_equal(said.status, 429);
    assert_true(has_header(&said, "Retry-After: "));
    said = ask_gateway(cx, port, text_at(&made, "key"), "GET", "/v1/runs", NULL, NULL);
    assert_int_equal(said.status, 429); /* nobody has seen this one work yet */
    sleep(6);
    assert_int_equal(ask(cx, "GET", "/v1/runs", NULL).status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(every_route_with_roles_wants_a_key),
        RV_TEST(every_role_may_what_its_routes_say_and_no_more),
        RV_TEST(a_revoked_key_stops_working),
        RV_TEST(what_belongs_to_others_looks_like_what_is_missing),
        RV_TEST(a_bound_key_cannot_ask_for_foreign_events),
        RV_TEST(a_name_that_is_taken_is_said_in_words),
        RV_TEST(dead_letters_come_page_by_page),
        RV_TEST(says_what_is_wrong_and_where),
        RV_TEST(a_body_over_the_limit_is_refused),
        RV_TEST(says_a_problem_to_whoever_asks_for_one),
        RV_TEST(many_bad_keys_do_not_hold_up_good_ones),
    };

    return cmocka_run_group_tests(tests, house_start, house_stop);
}
