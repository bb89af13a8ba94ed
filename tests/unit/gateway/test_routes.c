#include "support/rv_test.h"

#include "domain/identity.h"
#include "gateway/openapi.h"
#include "gateway/routes.h"

static bool is_public(const struct rv_route *route)
{
    static const char *const open[] = { "/healthz", "/readyz", "/v1/openapi.json",
                                        "/api-doc/openapi.json" };

    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
        if (strcmp(route->path, open[i]) == 0)
            return true;
    return false;
}

static void every_route_says_who_may_and_what_for(void **state)
{
    for (const struct rv_route *route = gateway_routes; route->method; route++) {
        assert_non_null(route->summary);
        assert_int_equal(route->roles == MAY_ANYBODY, is_public(route));
        assert_true(!route->call != !route->call_many);
        assert_true(!route->list || route->out);
        assert_true(role_may(ROLE_ORG_ADMIN, route->roles));
    }
}

/* Only a role above viewer changes anything. */
static void a_viewer_changes_nothing(void **state)
{
    for (const struct rv_route *route = gateway_routes; route->method; route++)
        if (route->roles && strcmp(route->method, "GET") != 0)
            assert_false(role_may(ROLE_VIEWER, route->roles));
}

static void agent_admins_and_workflow_admins_do_not_imply_each_other(void **state)
{
    for (const struct rv_route *route = gateway_routes; route->method; route++) {
        bool agents = role_may(ROLE_AGENT_ADMIN, route->roles);
        bool workflows = role_may(ROLE_WORKFLOW_ADMIN, route->roles);

        if (strcmp(route->path, "/v1/agents") == 0 && strcmp(route->method, "POST") == 0)
            assert_true(agents && !workflows);
        if (strcmp(route->path, "/v1/workflows") == 0 && strcmp(route->method, "POST") == 0)
            assert_true(workflows && !agents);
    }
}

/* A {name} in a path that no field takes could not be filled. */
static void every_name_in_a_path_is_a_field(void **state)
{
    struct rv_ctx *cx = *state;

    for (const struct rv_route *route = gateway_routes; route->method; route++)
        for (const char *at = strchr(route->path, '{'); at; at = strchr(at + 1, '{'))
            assert_non_null(
                rv_record_field(route->in, rv_strndup(cx, at + 1, strcspn(at + 1, "}"))));
}

/* Who asks comes from the key: a record without these fields would see every tenant. */
static void whoever_asks_is_a_field_of_what_is_asked(void **state)
{
    for (const struct rv_route *route = gateway_routes; route->method; route++) {
        const struct rv_field *tenant = route->in ? rv_record_field(route->in, "tenant_id") : NULL;

        if (route->roles == MAY_ANYBODY)
            continue;
        assert_non_null(tenant);
        assert_true((tenant->flags & RV_SECRET) && (tenant->flags & RV_READONLY));
    }
}

static void no_two_routes_are_the_same(void **state)
{
    struct rv_ctx *cx = *state;

    for (const struct rv_route *a = gateway_routes; a->method; a++)
        for (const struct rv_route *b = gateway_routes; b < a; b++)
            assert_string_not_equal(openapi_id(cx, a), openapi_id(cx, b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(every_route_says_who_may_and_what_for),
        RV_TEST(a_viewer_changes_nothing),
        RV_TEST(agent_admins_and_workflow_admins_do_not_imply_each_other),
        RV_TEST(every_name_in_a_path_is_a_field),
        RV_TEST(whoever_asks_is_a_field_of_what_is_asked),
        RV_TEST(no_two_routes_are_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
