#pragma once

/*
 * Service: a process that says who it is, what it needs and what it answers, as data.
 * main() is one call of rv_service_main(); see services/budget/main.c.
 */

#include "runtime/bus.h"
#include "runtime/codec.h"
#include "runtime/config.h"
#include "runtime/db.h"
#include "runtime/metrics.h"
#include "runtime/queue.h"
#include "runtime/stream.h"

/*
 * The one shape of work in this house: a NATS request, an event, a tick and an HTTP route are all
 * (ctx, service, record in, record out). @in and @out are what the table's subject says.
 */
typedef enum rv_status rv_handler_fn(struct rv_ctx *cx, void *service, const void *in, void *out);

/* The same for everything that was waiting: one transaction for all, an answer for each. */
typedef enum rv_status rv_batch_fn(struct rv_ctx *cx, void *service, const void *in, void *out,
                                   size_t n);

/* What a tick says of its next run; without a word it comes when it is due, or woken. */
struct rv_tick_next {
    bool again;      /* at once: there was more */
    int64_t rest_ms; /* else not before that, even if it is woken: what comes is done in one go */
};
/* Something that is due every so often. @next is zero, and looked at when RV_OK is returned. */
typedef enum rv_status rv_tick_fn(struct rv_ctx *cx, void *service, struct rv_tick_next *next);

/* Defines a handler with its real types; the table row names it as an rv_handler_fn. */
#define RV_HANDLER(name, service_param, in_param, out_param)                                       \
    static enum rv_status name##_typed(struct rv_ctx *cx, service_param, in_param, out_param);     \
    enum rv_status name(struct rv_ctx *cx, void *service, const void *in, void *out)               \
    {                                                                                              \
        return name##_typed(cx, service, in, out);                                                 \
    }                                                                                              \
    static enum rv_status name##_typed(                                                            \
        struct rv_ctx *cx __attribute__((unused)), service_param __attribute__((unused)),          \
        in_param __attribute__((unused)), out_param __attribute__((unused)))

/* RV_BATCH_HANDLER(on_hold, struct budget_service *service, const struct hold_ask *asks,
 *                  struct hold *answers, size_t n) */
#define RV_BATCH_HANDLER(name, service_param, in_param, out_param, n_param)                        \
    static enum rv_status name##_typed(struct rv_ctx *cx, service_param, in_param, out_param,      \
                                       n_param);                                                   \
    enum rv_status name(struct rv_ctx *cx, void *service, const void *in, void *out, size_t n)     \
    {                                                                                              \
        return name##_typed(cx, service, in, out, n);                                              \
    }                                                                                              \
    static enum rv_status name##_typed(                                                            \
        struct rv_ctx *cx __attribute__((unused)), service_param __attribute__((unused)),          \
        in_param __attribute__((unused)), out_param __attribute__((unused)),                       \
        n_param __attribute__((unused)))

/* One row of what a service answers. A request has handle, a batch or news has handle_many. */
struct rv_handler {
    const struct rv_subject *subject;
    rv_handler_fn *handle;
    rv_batch_fn *handle_many;
    size_t batch;     /* items a unit of work takes at most; 0: 256 */
    size_t parallel;  /* units of this subject at once; 0: 1 */
    int64_t alone_ms; /* the others only come to what has waited that long; 0: at once */
    size_t turn; /* handlers with the same number work in turn: they would wait for rows; 0: any */
    bool stale;  /* an ask whose asker waits no longer is answered RV_BUSY unread */
};

struct rv_tick {
    const char *name;
    rv_tick_fn *tick;
    int64_t every_ms;
};

/* Events that a service hears, durably: acknowledged after the commit, so heard at least once. */
struct rv_ear {
    const struct rv_consumer_row *consumer;
    const struct rv_subject *subject; /* what the bytes are */
    rv_batch_fn *handle_many;         /* out is NULL */
    size_t batch;                     /* 0: 64 */
};

struct rv_common_config;
struct rv_runtime;

/* A message that cannot be read, before it is dropped for good. */
struct rv_dead {
    const char *subject, *reason;
    const uint8_t *bytes;
    size_t len;
    int64_t deliveries;
};

struct rv_service {
    const char *name, *doc;
    const struct rv_setting *(*settings)(void); /* what RV_SETTINGS_TABLE defines; NULL: none */
    void *config;                               /* what they fill */
    const struct rv_handler *handlers;          /* ends with a row without a subject; may be NULL */
    const struct rv_tick *ticks;                /* ends with a row without a name; may be NULL */
    const struct rv_ear *ears;              /* ends with a row without a consumer; may be NULL */
    const struct rv_stream *const *streams; /* those it provides; ends with NULL; may be NULL */
    const char *const *units;               /* units of work of its own making, by name */
    const char *const *failpoints;          /* those the tables do not tell; may be NULL */
    struct rv_metric *metrics;              /* may be NULL */
    const char *db_role;                    /* NULL: a service without Postgres */
    int64_t schema;                         /* the migration it needs at least; 0: none */

    /*
     * Threads and handles of its own. open: when the connections stand, before the workers run.
     * stop: it is told to end and takes nothing new (its HTTP door, its slots); workers still run.
     * close: the workers are gone, nothing is heard any more, the bus still stands. Each may be
     * NULL; stop and close follow open also when open has failed.
     */
    enum rv_status (*open)(struct rv_ctx *cx, void *state, struct rv_runtime *runtime);
    void (*stop)(void *state);
    void (*close)(void *state);

    /* Where ears bury what they cannot read; NULL: it is only logged. Called by a worker. */
    void (*dead)(struct rv_ctx *cx, struct rv_runtime *runtime, const struct rv_dead *dead);

    void *state; /* handed to every handler */
};

/* What a running service has; given to open(). */
struct rv_runtime {
    const struct rv_service *service;
    const struct rv_common_config *config;
    struct rv_bus *bus;
    struct rv_pool *pool;    /* add queues of your own in open(): workers start after it */
    struct rv_db_options db; /* for sessions of your own (the relay's advisory lock) */
    char instance_id[40];    /* UUIDv7 of this process: $SRV, worker names, leases */
    struct rv_desk *desks;   /* the runtime's own: handlers, ticks and ears at work */
    struct rv_ticks *ticks;
    struct rv_ears *ears;
};

/* Wakes a tick of this process now, or when it has rested. Safe from any thread. */
void rv_tick_wake(struct rv_runtime *runtime, const char *name);

/*
 * Reads the config, connects (waiting for Postgres and NATS as long as it takes), checks the
 * schema, serves until SIGTERM or SIGINT, then drains. --help, --print-config, --version and
 * --list-failpoints print and exit.
 */
int rv_service_main(int argc, char **argv, const struct rv_service *service);

/* Decodes, handles in one transaction, encodes: for the bus and for tests. */
rv_result rv_dispatch(struct rv_ctx *cx, const struct rv_service *service,
                      const struct rv_handler *handler, const uint8_t *bytes, size_t len,
                      const uint8_t **reply, size_t *reply_len);
