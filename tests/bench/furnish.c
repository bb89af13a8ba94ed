/* What the workloads run, made through the API: full governance, and workflows of steps that do
 * nothing but are executed, recorded and announced like any other. */

#include "system.h"

#include <string.h>

#include "base/buf.h"
#include "runtime/http_client.h"

enum { WIDE = 1000, CHAIN = 500 };

struct furniture {
    struct bench *bench;
    struct rv_http_client *client;
    const char *headers[3];
};

static bool post(struct furniture *furniture, const char *path, const char *body)
{
    struct bench *bench = furniture->bench;
    struct rv_http_call call = { .method = "POST",
                                 .url = rv_printf(bench->cx, "http://%s:%d%s", bench->host,
                                                  bench->port, path),
                                 .headers = furniture->headers,
                                 .body = { (const uint8_t *)body, strlen(body) },
                                 .total_ms = 30000 };
    struct rv_http_reply reply = { 0 };

    if (rv_http_do(bench->cx, furniture->client, &call, &reply) != RV_OK)
        return bench_sorry(bench, "POST %s: %s", path, bench->cx->error.text);
    if (reply.status >= 300)
        return bench_sorry(bench, "POST %s: %d %.1000s", path, reply.status, reply.body);
    return true;
}

static const char policy[] =
    "{\"name\":\"bench\",\"project\":\"bench\",\"upsert\":true,\"rules\":["
    "{\"rule\":\"runs of the "
    "bench\",\"match\":{\"subject\":\"run\",\"project\":\"bench\"},\"effect\":\"allow\"},"
    "{\"rule\":\"no "
    "deletions\",\"match\":{\"subject\":\"tool\",\"tool_effect\":\"destructive\"},\"effect\":"
    "\"deny\","
    "\"reason\":\"nothing is deleted here\"},"
    "{\"rule\":\"no secret "
    "models\",\"match\":{\"subject\":\"model\",\"model\":\"secret-*\"},\"effect\":\"deny\"},"
    "{\"rule\":\"dear runs are asked "
    "for\",\"match\":{\"subject\":\"run\",\"cost_over_microusd\":5000000},"
    "\"effect\":\"require_approval\"}]}";
static const char budget[] = "{\"name\":\"bench\",\"project\":\"bench\",\"upsert\":true,"
                             "\"limit_microusd\":1000000000000,\"limit_tokens\":1000000000000}";

/* @chained: each step needs the one before; else all may run at once. */
static bool post_workflow(struct furniture *furniture, const char *name, int steps, bool chained)
{
    auto_buf body = { 0 };

    rv_buf_printf(&body,
                  "{\"name\":\"%s\",\"project\":\"bench\",\"upsert\":true,\"spec\":{\"nodes\":[",
                  name);
    for (int i = 1; i <= steps; i++) {
        rv_buf_printf(&body, "%s{\"node_id\":\"s%d\",\"kind\":\"noop\"", i > 1 ? "," : "", i);
        if (chained && i > 1)
            rv_buf_printf(&body, ",\"needs\":[\"s%d\"]", i - 1);
        rv_buf_char(&body, '}');
    }
    rv_buf_text(&body, "],\"limits\":{\"cost_microusd\":1000}}}");
    return post(furniture, "/v1/workflows", body.data);
}

static bool post_all(struct furniture *furniture)
{
    return post(furniture, "/v1/projects", "{\"name\":\"bench\",\"upsert\":true}") &&
           post(furniture, "/v1/policies", policy) && post(furniture, "/v1/budgets", budget) &&
           post_workflow(furniture, "one", 1, true) && post_workflow(furniture, "three", 3, true) &&
           post_workflow(furniture, "wide", WIDE, false) &&
           post_workflow(furniture, "chain", CHAIN, true);
}

bool system_furnish(struct bench *bench)
{
    struct rv_http_client_options options = {
        .allow = rv_printf(bench->cx, "%s:%d", bench->host, bench->port),
        .user_agent = "reeve-bench",
    };
    struct furniture furniture = { bench,
                                   rv_http_client_new(&options),
                                   { "Content-Type: application/json" } };
    bool ok;

    furniture.headers[1] = rv_printf(bench->cx, "Authorization: Bearer %s", bench->key);
    ok = post_all(&furniture);
    rv_http_client_free(furniture.client);
    return ok;
}
