#pragma once

/*
 * Bus: core NATS, as this house speaks it. Requests go through one inbox of ours, so several can
 * be under way at once and a request made while disconnected fails at once with RV_UNAVAILABLE.
 * The connection comes back by itself, for ever, in 0.1-2 s. Everything here is thread safe.
 */

#include "runtime/codec.h"

struct rv_bus;

/* Below the server's 1 MiB; a larger one is RV_TOO_LARGE. */
enum { RV_BUS_PAYLOAD_MAX = 900 * 1024 };

struct rv_bus_options {
    const char *url, *name;
    void (*on_reconnect)(void *arg); /* for the consumer: streams may be gone. NULL: nobody cares */
    void *arg;
};

rv_result rv_bus_open(struct rv_ctx *cx, const struct rv_bus_options *options, struct rv_bus **bus);
void rv_bus_close(struct rv_bus *bus); /* NULL is fine */
bool rv_bus_connected(const struct rv_bus *bus);
/* Grows when the connection stands up again: who sees another number has missed what was said
 * meanwhile. */
uint32_t rv_bus_connects(const struct rv_bus *bus);

/* Asks @subject (RV_REQUEST) and waits for its answer; the asked service's failure becomes ours. */
rv_result rv_bus_ask(struct rv_ctx *cx, struct rv_bus *bus, const struct rv_subject *subject,
                     const void *in, void *out, int64_t timeout_ms);

/* The same for RV_BATCH: @answers has room for @n records. n = 0 asks nobody. */
rv_result rv_bus_ask_many(struct rv_ctx *cx, struct rv_bus *bus, const struct rv_subject *subject,
                          const void *asks, size_t n, void *answers, int64_t timeout_ms);

/*
 * Two halves of rv_bus_ask_many, so that two services can be asked at once. Every begun one must
 * be awaited, also after a failure of another. @timeout_ms counts from the asking and travels with
 * the ask, so that nobody works on what is not waited for any more (rv_handler.stale).
 */
struct rv_pending;
rv_result rv_bus_begin(struct rv_ctx *cx, struct rv_bus *bus, const struct rv_subject *subject,
                       const void *asks, size_t n, int64_t timeout_ms, struct rv_pending **pending);
rv_result rv_bus_await(struct rv_ctx *cx, struct rv_pending *pending, void *answers);

/* Says news; nobody answers and it may be lost. */
rv_result rv_bus_tell(struct rv_ctx *cx, struct rv_bus *bus, const struct rv_subject *subject,
                      const void *items, size_t n);

/* Bytes on any subject; for live deltas and the work stream (whose loss the sweeper mends). */
rv_result rv_bus_publish(struct rv_ctx *cx, struct rv_bus *bus, const char *subject,
                         const void *bytes, size_t len);

/*
 * Calls @heard for every message on @subject (wildcards are fine) from libnats' delivery thread:
 * it may only enqueue. @group NULL: every subscriber hears it. It ends with rv_bus_deafen.
 */
struct rv_heard {
    const char *subject, *reply; /* reply NULL: nobody waits */
    const uint8_t *bytes;
    size_t len;
    const char *trace_id, *request_id, *status; /* headers; NULL when absent */
    int64_t patience_ms;                        /* how long whoever asks will wait; 0: unknown */
};
rv_result rv_bus_listen(struct rv_ctx *cx, struct rv_bus *bus, const char *subject,
                        const char *group, void (*heard)(void *arg, const struct rv_heard *heard),
                        void *arg);

/*
 * Stops listening, so that others in the group get the messages: what was heard already is still
 * given out, and when this returns nothing is heard any more. Asking and answering go on.
 */
void rv_bus_deafen(struct rv_bus *bus);

/* Answers @reply with bytes, or with a failure as headers and text. Does nothing without @reply. */
void rv_bus_answer(struct rv_bus *bus, const char *reply, const void *bytes, size_t len);
void rv_bus_answer_failure(struct rv_bus *bus, const char *reply, const struct rv_error *error);
