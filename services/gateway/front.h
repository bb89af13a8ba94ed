#pragma once

/*
 * Front: from a request to the queue of its route, and from there to a unit of work. Nothing is
 * done on the server's threads but finding the row; a key that was not seen lately is verified
 * first, in a queue of its own, so that no flood of bad keys holds up the others. A key that was
 * verified once only has its row read again, in another queue; and whoever came with many bad keys
 * is told to come back later, before any work is done.
 */

#include "gateway.h"

struct front;

/* Adds the queues of all @routes to the pool; call before the pool starts. */
struct front *front_new(struct gateway *gateway, const struct rv_route *routes);
void front_free(struct front *front);

/* For rv_http_options: takes @request, or says that there is no room. */
bool front_take(void *front, struct rv_http_request *request);

/* A request on its way through the house. */
struct desk;
struct visit {
    struct rv_http_request *request;
    struct rv_path found;
    struct desk *desk;
    struct caller caller;
    int64_t back_ms; /* too many bad keys came from there: for how long nothing more is tried */
};

/* One route at work. */
struct desk {
    struct gateway *gateway;
    const struct rv_route *route;
    struct rv_queue *queue;
    struct rv_meter *meter;
};

/* serve.c: does the work of @n visits of one desk, and answers each. */
void serve_visits(struct rv_ctx *cx, void *desk, void **visits, size_t n);
