#include "gateway_house.h"

#include "support/rv_test.h"

#include <stdio.h>

#include "runtime/secret.h"
#include "support/stack_process.h"

struct stack stack;
static struct rv_ctx suite;
struct rv_bus *bus;
int port;
const char *admin, *stranger, *bound, *keys[ROLE_ORG_ADMIN + 1];
const char *project_id, *workflow_id;

struct said ask(struct rv_ctx *cx, const char *method, const char *path, const char *body)
{
    return ask_gateway(cx, port, admin, method, path, NULL, body);
}

const char *make(struct rv_ctx *cx, const char *path, const char *id, const char *body)
{
    struct said said = ask(cx, "POST", path, body);

    if (said.status != 201)
        fail_msg("POST %s: %d %s", path, said.status, said.body);
    return rv_strdup(&suite, text_at(&said, id));
}

static const char *write_key_file(void)
{
    const char *path = rv_printf(&suite, "%s/key", stack.home);
    FILE *file = fopen(path, "w");

    admin = rv_key_new(&suite, "rv");
    fprintf(file, "%s\n", admin);
    fclose(file);
    return path;
}

static bool start_services(void)
{
    static const char *const names[] = { "policy", "budget", "scheduler", "gateway" };
    static const char *env[] = { NULL, NULL, "REEVE_HTTP_BODY=64KiB", NULL };

    env[0] = rv_printf(&suite, "REEVE_ADMIN_KEY_FILE=%s", write_key_file());
    env[1] = rv_printf(&suite, "REEVE_LISTEN=127.0.0.1:%d", port = stack_free_port());
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct stack_service *service = stack_service_start(&stack, names[i], env);

        if (!service || !stack_service_wait_ready(service))
            return false;
    }
    return true;
}

/* A key of another tenant: nobody can make one over HTTP. */
static const char *foreign_key(void)
{
    const char *text = rv_key_new(&suite, "rv"), *hash;
    struct rv_key key;

    if (!rv_key_parse(&suite, text, &key) || rv_key_hash(&suite, &key, &hash) != RV_OK)
        return NULL;
    run_sql("INSERT INTO tenants (tenant_id, name) VALUES ('" TENANT_OTHER "', 'other')");
    run_sql(rv_printf(&suite,
                      "INSERT INTO api_keys (key_id, tenant_id, name, key_hash, role)"
                      " VALUES ('%s', '" TENANT_OTHER "', 'other', '%s', 'org_admin')",
                      key.id, hash));
    return text;
}

static const char *key_of(const char *role, const char *more)
{
    return make(&suite, "/v1/api-keys", "key",
                rv_printf(&suite, "{\"name\":\"t\",\"role\":\"%s\"%s}", role, more));
}

static void furnish(void)
{
    const char *other;

    project_id = make(&suite, "/v1/projects", "project_id", "{\"name\":\"demo\"}");
    other = make(&suite, "/v1/projects", "project_id", "{\"name\":\"other\"}");
    workflow_id = make(&suite, "/v1/workflows", "workflow_id",
                       "{\"project\":\"demo\",\"name\":\"two\",\"spec\":{\"nodes\":["
                       "{\"node_id\":\"a\",\"kind\":\"noop\"},"
                       "{\"node_id\":\"b\",\"kind\":\"noop\",\"needs\":[\"a\"]}]}}");
    make(&suite, "/v1/workflows", "workflow_id",
         "{\"project\":\"demo\",\"name\":\"forbidden\",\"spec\":{\"nodes\":["
         "{\"node_id\":\"a\",\"kind\":\"noop\"}]}}");
    make(&suite, "/v1/workflows", "workflow_id",
         "{\"project\":\"demo\",\"name\":\"careful\",\"spec\":{\"nodes\":["
         "{\"node_id\":\"a\",\"kind\":\"noop\"}]}}");
    make(&suite, "/v1/policies", "policy_id",
         "{\"name\":\"house\",\"rules\":[{\"rule\":\"never\",\"effect\":\"deny\",\"reason\":\"not "
         "here\",\"match\":{\"workflow\":\"forbidden\"}},{\"rule\":\"rest\",\"effect\":\"allow\"},"
         "{\"rule\":\"ask\",\"effect\":\"require_approval\",\"match\":{\"workflow\":"
         "\"careful\"}}]}");
    make(&suite, "/v1/budgets", "budget_id",
         "{\"name\":\"purse\",\"project\":\"demo\",\"limit_microusd\":1000}");
    bound = key_of("org_admin", rv_printf(&suite, ",\"project_id\":\"%s\"", other));
    for (int role = ROLE_VIEWER; role <= ROLE_ORG_ADMIN; role++)
        keys[role] = key_of(rv_enum_word(&role_enum, role), "");
}

int house_start(void **state)
{
    struct rv_bus_options options = { .name = "test" };

    rv_ctx_init(&suite);
    if (!rv_secret_init() || !stack_start(&stack, STACK_ALL) || !start_services())
        return -1;
    options.url = stack.nats_url;
    if (rv_bus_open(&suite, &options, &bus) != RV_OK || !(stranger = foreign_key()))
        return -1;
    furnish();
    return 0;
}

int house_stop(void **state)
{
    rv_bus_close(bus);
    stack_stop(&stack);
    rv_ctx_release(&suite);
    return 0;
}

const char *new_run(struct rv_ctx *cx)
{
    struct said run = ask(cx, "POST", "/v1/runs", "{\"project\":\"demo\",\"workflow\":\"two\"}");

    assert_int_equal(run.status, 202);
    return text_at(&run, "run_id");
}
