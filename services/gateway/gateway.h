#pragma once

/*
 * Gateway: the only door. What its files share: the process, who calls, and one request at work.
 */

#include <stdatomic.h>

#include "domain/identity.h"
#include "runtime/bus.h"
#include "runtime/route.h"

/* clang-format off */
#define GATEWAY_SETTINGS(X)                                                                        \
    X(TEXT,     listen,             "REEVE_LISTEN",             "127.0.0.1:8000",                  \
      "where the API is served, as host:port")                                                     \
    X(INT,      http_threads,       "REEVE_HTTP_THREADS",       "2",                               \
      "threads that move bytes between sockets and workers")                                       \
    X(BYTES,    http_body,          "REEVE_HTTP_BODY",          "1MiB",                            \
      "the largest request body")                                                                  \
    X(INT,      http_connections,   "REEVE_HTTP_CONNECTIONS",   "10000",                           \
      "connections at once, streams included")                                                     \
    X(INT,      http_per_client,    "REEVE_HTTP_PER_CLIENT",    "0",                               \
      "connections at once from one address; 0: no limit")                                         \
    X(INT,      http_queue,         "REEVE_HTTP_QUEUE",         "4096",                            \
      "requests of one route that may wait; one more is answered 503")                             \
    X(DURATION, ask_timeout_ms,     "REEVE_GATEWAY_ASK_TIMEOUT", "5s",                             \
      "how long another service may take to answer")                                               \
    X(TEXT,     admin_key_file,     "REEVE_ADMIN_KEY_FILE",     "",                                \
      "a file with a whole API key, which is made an administrator's at the start; empty: none")
/* clang-format on */
RV_SETTINGS_STRUCT(gateway_config, GATEWAY_SETTINGS)

struct gateway {
    struct gateway_config config;
    struct rv_runtime *runtime;
    struct rv_bus *bus;
    struct rv_http_server *server;
    struct keyring *keyring;
    struct front *front;
    struct hub *hub;
    struct plan_cache *plans;
    const char *openapi; /* the document, printed once */
    struct waits *waits;
    struct streams *streams;
    _Atomic size_t n_waits;          /* requests that wait for a run */
    _Atomic int64_t looked_ms;       /* health.c: when it was last seen whether all is there */
    _Atomic enum rv_status is_there; /* and what was seen */
};

/* Who calls, as the key says. */
struct caller {
    char tenant_id[40], key_id[16];
    char project_id[40]; /* "": all projects of the tenant */
    enum role role;
};

/* One request at work. A handler reads who calls, and may say more than its record does. */
struct call {
    struct gateway *gateway;
    struct rv_http_request *request; /* NULL in tests without HTTP */
    const struct rv_route *route;
    const struct caller *caller; /* NULL: the route asks for no key */
    const char *trace_id;

    int status; /* instead of the route's; 0: the route's */
    const char *location;
    const char *etag;      /* with its quotes */
    bool replayed;         /* Idempotency-Replayed: true */
    bool taken;            /* the handler has answered, or will: nothing more to do */
    bool asked;            /* another service has done its part: never done again */
    struct rv_error error; /* of one among many: why this one was not done */
};

/* What a list route answers. */
struct page {
    const void *items;
    size_t n;
    bool has_more;
    const char *next_cursor;
};

/* Moves the failure of @cx to @call, so that its neighbours go on. */
void call_fail(struct call *call, struct rv_ctx *cx);

/* The project that the caller is bound to; NULL: all of the tenant. */
const char *call_project(const struct call *call);

/* Ends what was read so far, so that no transaction waits for another service, then asks it. */
rv_result call_ask(struct rv_ctx *cx, struct call *call, const struct rv_subject *subject,
                   const void *in, void *out);

/* @status of asking another service, as a client should see it. */
enum rv_status call_asked(struct rv_ctx *cx, enum rv_status status);

/* About as much as a page may hold, whatever its limit; statements of large rows stop there too. */
enum { PAGE_BYTES = 4 * 1024 * 1024 };

/* How many of @rows fit a page: at least one, at most @limit, and PAGE_BYTES before the last. */
size_t page_fits(const struct rv_record *record, const struct rv_rows *rows, int64_t limit);

/* What fits a page of @rows, which were read with one more; @id names the field to go on after.
 */
struct page page_of(struct rv_ctx *cx, const struct rv_record *record, struct rv_rows rows,
                    int64_t limit, const char *id);

/* Says ETag "<version>"; RV_STALE when the request has an If-Match that names another. */
void call_etag(struct rv_ctx *cx, struct call *call, int64_t version);
rv_result call_if_match(struct rv_ctx *cx, const struct call *call, int64_t version);
