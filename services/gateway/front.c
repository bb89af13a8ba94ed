#include "front.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/id.h"
#include "base/log.h"
#include "keyring.h"
#include "runtime/secret.h"
#include "strikes.h"

enum { BATCH = 128, BATCHES_AT_ONCE = 2, ALONE_MS = 15, DOOR_BATCH = 8, DOORS = 2 };

struct front {
    struct gateway *gateway;
    const struct rv_route *routes;
    struct desk *desks;      /* one a route, in their order */
    struct strikes *strikes; /* bad keys, by who came with them */
    struct rv_queue *door;   /* keys to be verified */
    struct rv_queue *again;  /* keys that were verified once */
    struct rv_queue *lost;   /* paths and methods that are not there, and who came too often */
};

static void say(struct rv_ctx *cx, struct visit *visit, const char *allow)
{
    struct rv_http_header_row row = { "Allow", allow };

    cx->request_id = rv_http_request_id(visit->request);
    if (rv_status_http(cx->error.status) >= 500)
        rv_log_failure(cx, "request failed", rv_http_path(visit->request));
    answer_failure(cx, visit->request, &cx->error, allow ? &row : NULL);
    free(visit);
}

/* On the way down: whoever still waits is told to come back. */
static void drop_visit(void *item)
{
    struct visit *visit = item;
    struct rv_ctx cx;

    rv_ctx_init(&cx);
    rv_fail(&cx, RV_UNAVAILABLE, "the gateway is stopping");
    say(&cx, visit, NULL);
    rv_ctx_release(&cx);
}

static enum rv_status too_often(struct rv_ctx *cx, int64_t back_ms)
{
    rv_fail(cx, RV_EXHAUSTED, "too many keys that are no good came from this address");
    cx->error.retry_after_ms = back_ms;
    return RV_EXHAUSTED;
}

/* A bad key costs as much as a good one, so they are counted; typos cost nothing. */
static rv_result verify(struct rv_ctx *cx, struct front *front, struct visit *visit)
{
    const char *key = keyring_text(visit->request), *client = rv_http_client(visit->request);
    int64_t back_ms = strikes_back_ms(front->strikes, client);
    enum key_sight sight;
    enum rv_status status;
    struct rv_key parsed;

    if (!key)
        return rv_fail(cx, RV_UNAUTHENTICATED, "an API key is needed");
    sight = keyring_look(front->gateway->keyring, key, &visit->caller);
    if (sight == KEY_KNOWN)
        return RV_OK;
    if (sight == KEY_STRANGE && back_ms > 0)
        return too_often(cx, back_ms);
    status = keyring_verify(cx, front->gateway->keyring, key, &visit->caller);
    if (status == RV_UNAUTHENTICATED && rv_key_parse(cx, key, &parsed))
        strikes_add(front->strikes, client);
    return status;
}

static void work_door(struct rv_ctx *cx, void *arg, void **items, size_t n)
{
    struct front *front = arg;

    for (size_t i = 0; i < n; i++) {
        struct visit *visit = items[i];

        cx->error = (struct rv_error){ 0 };
        if (verify(cx, front, visit) == RV_OK) {
            if (rv_queue_push(visit->desk->queue, visit))
                continue;
            rv_fail(cx, RV_BUSY, "too many requests wait");
        }
        rv_db_rollback(cx);
        rv_meter_add(visit->desk->meter, 1, 0, rv_status_text(cx->error.status));
        say(cx, visit, NULL);
    }
}

static void work_lost(struct rv_ctx *cx, void *arg, void **items, size_t n)
{
    struct front *front = arg;

    for (size_t i = 0; i < n; i++) {
        struct visit *visit = items[i];
        const char *path = rv_http_path(visit->request);
        bool known = visit->found.known && !visit->found.route;

        if (visit->found.route)
            too_often(cx, visit->back_ms);
        else if (known)
            rv_fail(cx, RV_NOT_ALLOWED, "this path has no %s", rv_http_method(visit->request));
        else
            rv_fail(cx, RV_NOT_FOUND, "there is no such path");
        say(cx, visit, known ? rv_route_allow(cx, front->routes, path) : NULL);
    }
}

/*
 * Single requests are shared by all workers. What comes in batches is done by one, as two would
 * halve them; a second one comes to what has waited: behind batches of other tenants, or a slow
 * answer.
 */
static void open_desk(struct front *front, struct desk *desk, const struct rv_route *route)
{
    struct gateway *gateway = front->gateway;
    size_t workers = (size_t)gateway->runtime->config->workers;
    struct rv_queue_options options = {
        .name = route->path,
        .depth = (size_t)gateway->config.http_queue,
        .batch = route->call_many ? BATCH : 1,
        .parallel = route->roles == MAY_ANYBODY ? 1
                    : route->call_many          ? BATCHES_AT_ONCE
                                                : workers,
        .alone_ms = route->call_many ? ALONE_MS : 0,
        .work = serve_visits,
        .drop = drop_visit,
        .arg = desk,
    };
    size_t len = strlen(route->method) + strlen(route->path) + 2;
    char *name = malloc(len); /* a meter lives as long as the process */

    if (!name)
        abort();
    strcpy(name, route->method);
    strcat(strcat(name, " "), route->path);
    *desk = (struct desk){ gateway, route, rv_pool_add(gateway->runtime->pool, &options),
                           rv_meter_new(name) };
}

static struct rv_queue *open_queue(struct front *front, const char *name, size_t parallel,
                                   void (*work)(struct rv_ctx *, void *, void **, size_t))
{
    struct rv_queue_options options = {
        .name = name,
        .depth = (size_t)front->gateway->config.http_queue,
        .batch = DOOR_BATCH,
        .parallel = parallel,
        .work = work,
        .drop = drop_visit,
        .arg = front,
    };

    return rv_pool_add(front->gateway->runtime->pool, &options);
}

struct front *front_new(struct gateway *gateway, const struct rv_route *routes)
{
    struct front *front = calloc(1, sizeof(*front));
    size_t n = 0;

    while (routes[n].method)
        n++;
    if (!front || !(front->desks = calloc(n, sizeof(*front->desks))))
        abort();
    front->gateway = gateway;
    front->routes = routes;
    for (size_t i = 0; i < n; i++)
        open_desk(front, &front->desks[i], &routes[i]);
    front->strikes = strikes_new();
    front->again = open_queue(front, "gateway.again", DOORS, work_door);
    front->door = open_queue(front, "gateway.door", DOORS, work_door);
    front->lost = open_queue(front, "gateway.lost", 1, work_lost);
    return front;
}

void front_free(struct front *front)
{
    if (!front)
        return;
    strikes_free(front->strikes);
    free(front->desks);
    free(front);
}

static struct rv_queue *queue_for(struct front *front, struct visit *visit)
{
    const struct rv_route *route = visit->found.route;
    enum key_sight sight;
    const char *key;

    if (!route)
        return front->lost;
    visit->desk = &front->desks[route - front->routes];
    if (route->roles == MAY_ANYBODY)
        return visit->desk->queue;
    key = keyring_text(visit->request);
    sight = key ? keyring_look(front->gateway->keyring, key, &visit->caller) : KEY_STRANGE;
    if (sight != KEY_STRANGE)
        return sight == KEY_KNOWN ? visit->desk->queue : front->again;
    visit->back_ms = key ? strikes_back_ms(front->strikes, rv_http_client(visit->request)) : 0;
    return visit->back_ms > 0 ? front->lost : front->door;
}

bool front_take(void *arg, struct rv_http_request *request)
{
    struct front *front = arg;
    struct visit *visit = calloc(1, sizeof(*visit));

    if (!visit)
        abort();
    visit->request = request;
    rv_route_find(front->routes, rv_http_method(request), rv_http_path(request), &visit->found);
    if (rv_queue_push(queue_for(front, visit), visit))
        return true;
    free(visit);
    return false;
}
