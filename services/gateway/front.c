#include "front.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/id.h"
#include "base/log.h"
#include "keyring.h"

enum { BATCH = 128, BATCHES_AT_ONCE = 2, DOOR_BATCH = 8, DOORS = 2 };

struct front {
    struct gateway *gateway;
    const struct rv_route *routes;
    struct desk *desks;    /* one a route, in their order */
    struct rv_queue *door; /* keys to be verified */
    struct rv_queue *lost; /* paths and methods that are not there */
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

static void work_door(struct rv_ctx *cx, void *arg, void **items, size_t n)
{
    struct front *front = arg;

    for (size_t i = 0; i < n; i++) {
        struct visit *visit = items[i];
        const char *key = keyring_text(visit->request);

        cx->error = (struct rv_error){ 0 };
        if (!key)
            rv_fail(cx, RV_UNAUTHENTICATED, "an API key is needed");
        else if (keyring_verify(cx, front->gateway->keyring, key, &visit->caller) == RV_OK) {
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
        bool known = visit->found.known;

        if (known)
            rv_fail(cx, RV_NOT_ALLOWED, "this path has no %s", rv_http_method(visit->request));
        else
            rv_fail(cx, RV_NOT_FOUND, "there is no such path");
        say(cx, visit, known ? rv_route_allow(cx, front->routes, path) : NULL);
    }
}

/* A single request is shared by all workers; what comes in batches is done by few at once. */
static void open_desk(struct front *front, struct desk *desk, const struct rv_route *route)
{
    struct gateway *gateway = front->gateway;
    size_t workers = (size_t)gateway->runtime->config->workers;
    struct rv_queue_options options = {
        .name = route->path,
        .depth = (size_t)gateway->config.http_queue,
        .batch = route->call_many ? BATCH : 1,
        .parallel = route->call_many ? BATCHES_AT_ONCE : workers,
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
    front->door = open_queue(front, "gateway.door", DOORS, work_door);
    front->lost = open_queue(front, "gateway.lost", 1, work_lost);
    return front;
}

void front_free(struct front *front)
{
    if (!front)
        return;
    free(front->desks);
    free(front);
}

static struct rv_queue *queue_for(struct front *front, struct visit *visit)
{
    const struct rv_route *route = visit->found.route;
    const char *key;

    if (!route)
        return front->lost;
    visit->desk = &front->desks[route - front->routes];
    if (route->roles == MAY_ANYBODY)
        return visit->desk->queue;
    key = keyring_text(visit->request);
    if (key && keyring_knows(front->gateway->keyring, key, &visit->caller))
        return visit->desk->queue;
    return front->door;
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
