#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "front.h"
#include "hub.h"
#include "keyring.h"
#include "openapi.h"
#include "plans.h"
#include "routes.h"
#include "runtime/secret.h"
#include "stream.h"
#include "wait.h"

RV_SETTINGS_TABLE(gateway_settings, gateway_config, GATEWAY_SETTINGS)

enum { SCHEMA_NEEDED = 9, CLOSE_GRACE_MS = 5000, UNITS_MAX = 200 };

static struct gateway gateway;
static const char *units[UNITS_MAX + 1]; /* "POST /v1/runs" …: what failpoints are named after */

static rv_result open_server(struct rv_ctx *cx)
{
    const struct gateway_config *config = &gateway.config;
    struct rv_http_options options = {
        .listen = config->listen,
        .threads = (size_t)config->http_threads,
        .connections = (size_t)config->http_connections,
        .connections_per_ip = (size_t)config->http_per_client,
        .body_bytes = (size_t)config->http_body,
        .take = front_take,
        .arg = gateway.front,
    };

    RV_TRY(cx, rv_http_open(cx, &options, &gateway.server));
    rv_info(cx, "the door is open", RV_F("port", (int64_t)rv_http_port(gateway.server)));
    return RV_OK;
}

static rv_result print_openapi(struct rv_ctx *cx)
{
    static struct rv_buf document; /* lives as long as the process */

    RV_TRY(cx, openapi_print(cx, gateway_routes, &document));
    gateway.openapi = document.data;
    return RV_OK;
}

static enum rv_status open_gateway(struct rv_ctx *cx, void *state, struct rv_runtime *runtime)
{
    (void)state;
    gateway.runtime = runtime;
    gateway.bus = runtime->bus;
    if (!rv_secret_init())
        return rv_fail(cx, RV_INTERNAL, "there is no randomness");
    RV_TRY(cx, print_openapi(cx));
    gateway.keyring = keyring_new();
    gateway.plans = plan_cache_new();
    gateway.hub = hub_new(&gateway);
    gateway.waits = waits_new(&gateway);
    gateway.streams = streams_new(&gateway);
    gateway.front = front_new(&gateway, gateway_routes);
    if (*gateway.config.admin_key_file)
        RV_TRY(cx, keyring_bootstrap(cx, gateway.config.admin_key_file));
    RV_TRY(cx, hub_open(cx, gateway.hub));
    return open_server(cx);
}

/* The workers still run: what waits is answered, streams end. */
static void stop_gateway(void *state)
{
    (void)state;
    if (gateway.waits)
        waits_end(gateway.waits);
    rv_http_close(gateway.server, CLOSE_GRACE_MS);
}

static void close_gateway(void *state)
{
    (void)state;
    hub_close(gateway.hub);
    waits_free(gateway.waits);
    streams_free(gateway.streams);
    hub_free(gateway.hub);
    front_free(gateway.front);
    keyring_free(gateway.keyring);
    plan_cache_free(gateway.plans);
}

static const struct rv_service service = {
    .name = "gateway",
    .doc = "the only door: HTTP, keys, roles, events as they happen",
    .settings = gateway_settings,
    .config = &gateway.config,
    .db_role = "reeve_gateway",
    .schema = SCHEMA_NEEDED,
    .units = units,
    .open = open_gateway,
    .stop = stop_gateway,
    .close = close_gateway,
    .state = &gateway,
};

static void name_units(void)
{
    static char room[UNITS_MAX][96];

    for (size_t i = 0; i < UNITS_MAX && gateway_routes[i].method; i++) {
        snprintf(room[i], sizeof(room[i]), "%s %s", gateway_routes[i].method,
                 gateway_routes[i].path);
        units[i] = room[i];
    }
}

int main(int argc, char **argv)
{
    name_units();
    return rv_service_main(argc, argv, &service);
}
