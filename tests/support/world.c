#include "support/world.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/time.h"
#include "runtime/secret.h"
#include "support/stack_process.h"

const char *const world_names[WORLD_PARTS] = { "policy",    "budget",   "scheduler",
                                               "evaluator", "executor", "gateway" };

/* A setting whose text lives as long as the world. */
__attribute__((format(printf, 2, 3))) static const char *setting(struct world *world,
                                                                 const char *format, ...)
{
    char *room = world->room[world->n_room++];
    va_list args;

    va_start(args, format);
    vsnprintf(room, sizeof(world->room[0]), format, args);
    va_end(args);
    return room;
}

static bool write_key(struct world *world)
{
    struct rv_ctx cx;
    FILE *out;

    snprintf(world->key_file, sizeof(world->key_file), "%s/admin.key", world->stack.home);
    if (!rv_secret_init())
        return false;
    rv_ctx_init(&cx);
    snprintf(world->key, sizeof(world->key), "%s", rv_key_new(&cx, "rv"));
    rv_ctx_release(&cx);
    out = fopen(world->key_file, "w");
    if (!out)
        return false;
    fprintf(out, "%s\n", world->key);
    return fclose(out) == 0 && chmod(world->key_file, 0600) == 0;
}

static void fill_env(struct world *world, const struct world_options *options)
{
    world->env[world->n_env++] = setting(world, "REEVE_ADMIN_KEY_FILE=%s", world->key_file);
    world->env[world->n_env++] =
        setting(world, "REEVE_LEASE=%s", options->lease ? options->lease : "5s");
    world->env[world->n_env++] = "REEVE_SWEEP=200ms";
    world->env[world->n_env++] = "REEVE_HTTP_ALLOW=127.0.0.0/8";
    for (const char *const *e = options->env; e && *e && world->n_env < 40; e++)
        world->env[world->n_env++] = *e;
}

/* The gateway listens on a port of its own; everything else is the same for all. */
static void fill_room(struct world *world, enum world_part part, size_t replica, const char **room)
{
    size_t n = world->n_env;

    memcpy(room, world->env, n * sizeof(*room));
    if (part == WORLD_GATEWAY)
        room[n++] = setting(world, "REEVE_LISTEN=127.0.0.1:%d", world->gateway_ports[replica]);
    room[n] = NULL;
}

static bool start_part(struct world *world, enum world_part part, size_t replica)
{
    const char **room = calloc(48, sizeof(*room)); /* freed in world_stop */

    if (!room)
        return false;
    if (part == WORLD_GATEWAY)
        world->gateway_ports[replica] = stack_free_port();
    fill_room(world, part, replica, room);
    world->parts[part][replica] = stack_service_start(&world->stack, world_names[part], room);
    return world->parts[part][replica] != NULL;
}

bool world_wait_ready(struct world *world)
{
    for (int part = 0; part < WORLD_PARTS; part++)
        for (size_t i = 0; i < world->replicas; i++)
            if (!stack_service_wait_ready(world->parts[part][i]))
                return false;
    return true;
}

bool world_start(struct world *world, const struct world_options *options)
{
    memset(world, 0, sizeof(*world));
    world->replicas = options->replicas ? options->replicas : 1;
    if (!stack_start(&world->stack, STACK_ALL) || !write_key(world))
        return false;
    fill_env(world, options);
    for (int part = 0; part < WORLD_PARTS; part++)
        for (size_t i = 0; i < world->replicas; i++)
            if (!start_part(world, (enum world_part)part, i))
                return false;
    return world_wait_ready(world);
}

void world_stop(struct world *world)
{
    stack_stop(&world->stack);
    for (int part = 0; part < WORLD_PARTS; part++)
        for (size_t i = 0; i < world->replicas; i++)
            if (world->parts[part][i])
                free((void *)(uintptr_t)world->parts[part][i]->env);
}

bool world_restart(struct world *world, enum world_part part, size_t replica,
                   const char *const *env)
{
    struct stack_service *service = world->parts[part][replica];
    const char **room = (const char **)(uintptr_t)service->env; /* ours: see start_part */
    size_t n = world->n_env + (part == WORLD_GATEWAY);

    stack_service_signal(service, SIGKILL);
    for (; env && *env && n < 47; env++)
        room[n++] = *env;
    room[n] = NULL;
    return stack_service_restart(&world->stack, service);
}

struct rv_http_client *world_client(void)
{
    return rv_http_client_new(
        &(struct rv_http_client_options){ .allow = "127.0.0.0/8", .user_agent = "reeve-test" });
}

int world_call(struct rv_ctx *cx, struct rv_http_client *client, const struct world *world,
               size_t replica, const char *method, const char *path, const char *key,
               const char *body, json_t **json)
{
    const char *headers[] = { rv_printf(cx, "Authorization: Bearer %s", world->key),
                              "Content-Type: application/json", "Accept: application/json",
                              key ? rv_printf(cx, "Idempotency-Key: %s", key) : NULL, NULL };
    struct rv_http_call call = {
        .method = method,
        .url = rv_printf(cx, "http://127.0.0.1:%d%s", world->gateway_ports[replica], path),
        .headers = headers,
        .body = { (const uint8_t *)body, body ? strlen(body) : 0 },
        .connect_ms = 2000,
        .total_ms = 40000,
    };
    struct rv_http_reply reply = { 0 };

    if (json)
        *json = NULL;
    if (rv_http_do(cx, client, &call, &reply) != RV_OK)
        return 0;
    if (json && reply.len && reply.body[0] == '{' &&
        rv_json_parse(cx, reply.body, reply.len, "answer", json) != RV_OK)
        *json = NULL;
    if (reply.status >= 400 && getenv("WORLD_LOUD"))
        fprintf(stderr, "world: %s %s: %d %s\n", method, path, reply.status, reply.body);
    return reply.status;
}

bool world_make(struct world *world, const char *path, const char *body)
{
    struct rv_http_client *client = world_client();
    struct rv_ctx cx;
    json_t *json;
    int status;

    rv_ctx_init(&cx);
    status = world_call(&cx, client, world, 0, "POST", path, NULL, body, &json);
    if (status != 201)
        fprintf(stderr, "world: POST %s: %d %s\n", path, status, rv_json_text(&cx, json));
    else if (strcmp(path, "/v1/projects") == 0)
        snprintf(world->project_id, sizeof(world->project_id), "%s",
                 json_string_value(json_object_get(json, "project_id")));
    rv_ctx_release(&cx);
    rv_http_client_free(client);
    return status == 201;
}

static bool make_chain(struct world *world, int steps)
{
    auto_buf body = { 0 };

    rv_buf_printf(&body, "{\"project_id\":\"%s\",\"name\":\"chain\",\"spec\":{\"nodes\":[",
                  world->project_id);
    for (int i = 0; i < steps; i++) {
        rv_buf_printf(&body, "%s{\"node_id\":\"s%d\",\"kind\":\"noop\"", i ? "," : "", i);
        if (i)
            rv_buf_printf(&body, ",\"needs\":[\"s%d\"]", i - 1);
        rv_buf_text(&body, "}");
    }
    rv_buf_text(&body, "],\"limits\":{\"cost_microusd\":1000}}}");
    return world_make(world, "/v1/workflows", body.data);
}

bool world_furnish(struct world *world, int64_t budget_microusd, int steps)
{
    auto_buf budget = { 0 };

    if (!world_make(world, "/v1/projects", "{\"name\":\"test\"}") ||
        !world_make(world, "/v1/policies",
                    "{\"name\":\"house\",\"rules\":[{\"rule\":\"no-forbidden\",\"effect\":\"deny\","
                    "\"match\":{\"workflow\":\"forbidden*\"},\"reason\":\"forbidden here\"},"
                    "{\"rule\":\"ask-careful\",\"effect\":\"require_approval\","
                    "\"match\":{\"workflow\":\"careful*\"}}]}"))
        return false;
    rv_buf_printf(&budget, "{\"project_id\":\"%s\",\"name\":\"purse\",\"limit_microusd\":%lld}",
                  world->project_id, (long long)budget_microusd);
    return world_make(world, "/v1/budgets", budget.data) && make_chain(world, steps);
}
