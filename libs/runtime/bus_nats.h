#pragma once

/*
 * What the files of the bus share, and nobody else sees: the connections, the table of questions
 * under way, and who wants to know of a reconnect. libnats' rules (DEPENDENCIES §3.3): callbacks
 * only enqueue, a subscription is never destroyed while connected.
 */

#include <nats/nats.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "runtime/bus.h"

#define RV_HEADER_STATUS  "Reeve-Status"
#define RV_HEADER_TRACE   "traceparent"
#define RV_HEADER_REQUEST "Reeve-Request"
#define RV_HEADER_WAITS   "Reeve-Waits" /* ms that whoever asks will wait */
#define RV_HEADER_ID      "Nats-Msg-Id"

/* From as many messages on, the bulk connection is worth its while. */
enum { RV_REPLY_SIZE = 96, RV_BULK_FROM = 8 };

/* A place in the table of questions; its generation tells a late answer from ours. */
struct bus_slot {
    struct rv_pending *pending;
    uint32_t generation, next_free;
};

/* Somebody who lives as long as the bus: hears of reconnects, is freed with it. */
struct bus_part {
    struct bus_part *next;
    void (*reconnected)(void *arg); /* may be NULL; must not block */
    void (*drop)(void *arg);        /* may be NULL */
    void *arg;
};

struct bus_sub {
    struct bus_sub *next;
    natsSubscription *sub;
    struct rv_bus *bus;
    bool listens; /* ends with rv_bus_deafen, the others with the bus */
};

struct rv_bus {
    natsConnection *conn; /* asks and answers: every publish is a write */
    natsConnection *bulk; /* opened by the first who publishes in bulk, flushed by batch */
    pthread_mutex_t bulk_lock;
    struct rv_bus_options options;
    _Atomic uint32_t connects; /* how often the connection stood up later than at once */

    pthread_mutex_t lock; /* all that follows */
    pthread_cond_t gone;  /* a connection or a subscription has ended */
    size_t living;        /* those that have not */
    size_t listening;     /* those of them that rv_bus_listen made */
    struct bus_sub *subs;
    struct bus_part *parts;
    char inbox[64];
    struct bus_slot *slots;
    size_t n_slots;
    uint32_t first_free; /* n_slots: none */
};

/* A question, or several publishes, waiting for @want answers. Lives with its ctx. */
struct rv_pending {
    struct rv_bus *bus;
    const struct rv_subject *subject; /* NULL: bytes */
    const char *name;
    size_t n;
    pthread_cond_t ready;
    uint32_t slot, generation;
    size_t want, got;
    int64_t asked_ms, timeout_ms; /* monotonic, and how long after it is waited */
    bool lost;
    natsMsg *answer; /* the first */
    /* Looks at each of many answers instead, under the bus' lock. */
    void (*each)(struct rv_pending *pending, size_t index, natsMsg *answer);
    enum rv_status refused; /* for each(): the first refusal */
    char refusal[200];
    uint64_t first_seq, last_seq; /* for each(): where a stream put the first and the last */
};

/* Frees @message, which may be NULL, sooner or later: natsMsg_Destroy for all of us. */
void rv_bus_drop(natsMsg *message);
void rv_bus_drop_message(natsMsg **message);
#define auto_message __attribute__((cleanup(rv_bus_drop_message))) natsMsg *

rv_result rv_bus_checked(struct rv_ctx *cx, natsStatus got, const char *doing);

/* Subscribes until the bus is closed. */
natsStatus rv_bus_subscribe(struct rv_bus *bus, const char *subject, natsMsgHandler handler,
                            void *closure);
void rv_bus_adopt(struct rv_bus *bus, void (*reconnected)(void *arg), void (*drop)(void *arg),
                  void *arg);
/* Waits until the number at @count is 0, at most @ms; false: it is not. */
bool rv_bus_wait_gone(struct rv_bus *bus, const size_t *count, int64_t ms);
rv_result rv_bus_bulk(struct rv_ctx *cx, struct rv_bus *bus, natsConnection **bulk);

/* The table of questions. */
rv_result rv_bus_asks_open(struct rv_ctx *cx, struct rv_bus *bus);
void rv_bus_asks_lose(struct rv_bus *bus); /* the connection went: none will be answered */
rv_result rv_bus_expect(struct rv_ctx *cx, struct rv_bus *bus, const char *name, size_t want,
                        int64_t timeout_ms, struct rv_pending **pending);
void rv_bus_reply_to(const struct rv_pending *pending, size_t index, char reply[RV_REPLY_SIZE]);
rv_result rv_bus_collect(struct rv_ctx *cx, struct rv_pending *pending);
void rv_bus_forget(struct rv_pending *pending);

/* Asks bytes, gets a message that lives with the cx; a failure in it becomes ours. */
rv_result rv_bus_ask_bytes(struct rv_ctx *cx, struct rv_bus *bus, const char *subject,
                           const void *bytes, size_t len, int64_t timeout_ms, natsMsg **answer);

/* Failures as they travel: headers for the status, a small JSON body for the rest. */
void rv_bus_failure_write(const struct rv_error *error, struct rv_buf *body);
rv_result rv_bus_failure_read(struct rv_ctx *cx, const char *status, const char *body, size_t len);
