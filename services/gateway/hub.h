#pragma once

/*
 * Hub: the one ear that the gateway has for events and live deltas. It decodes and renders each of
 * them once, if anybody listens, and wakes those who do. Nothing depends on it for truth: a stream
 * that sees a gap, or a hub that may have missed something, goes back to Postgres.
 */

#include "gateway.h"
#include "topic.h"

struct hub;

struct hub *hub_new(struct gateway *gateway);
rv_result hub_open(struct rv_ctx *cx, struct hub *hub); /* subscribes; starts its thread */
void hub_close(struct hub *hub);                        /* its thread ends; NULL is fine */
void hub_free(struct hub *hub); /* what it holds; the bus may call it until that is closed */

/* A client's place in the hub; the first member of a stream. Guarded by the hub's lock. */
struct listener {
    struct topic *topic; /* NULL: gone */
    struct listener *next, *prev;
    struct rv_http_stream *http;
    _Atomic int64_t quiet_since_ms;
    int64_t looked_ms;   /* the hub's: when it was last sent to Postgres */
    atomic_bool behind;  /* something may have been missed */
    atomic_bool comment; /* nothing was said for a while */
};

/*
 * Puts @listener into the topic of @run_id, or of its tenant when that is NULL, and turns @request
 * into a stream of @ops, which are handed @listener. False: the server is stopping, and @listener
 * is the caller's again.
 */
bool hub_join(struct hub *hub, struct listener *listener, const char *tenant_id, const char *run_id,
              struct rv_http_request *request, const struct rv_http_stream_ops *ops);
void hub_leave(struct hub *hub, struct listener *listener);

/* Where the topic of @listener is now; false when the client has gone. */
bool hub_mark(struct hub *hub, struct listener *listener, uint64_t *head);
void hub_wake(struct hub *hub, struct listener *listener);

/* Somebody has begun to wait: the hub's clock has to run. */
void hub_stir(struct hub *hub);
