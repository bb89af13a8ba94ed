#pragma once

/*
 * Stream: JetStream, as this house uses it. Postgres is the truth and streams carry the news, so
 * nothing here is ever purged or edited: what is missing is created, what differs is reported.
 * Facts that shaped it: DEPENDENCIES §3.2-3.3, RELIABILITY §2.
 */

#include "runtime/bus.h"

struct rv_stream {
    const char *name;     /* "REEVE_EVENTS" */
    const char *subjects; /* one, with wildcards */
    bool work_queue;      /* else limits */
    int64_t max_age_ms, max_bytes;
};
struct rv_consumer_row {
    const struct rv_stream *stream;
    const char *name;   /* durable */
    const char *filter; /* one subject; those of one work queue must not overlap */
    int64_t ack_wait_ms;
    int64_t max_ack_pending;
};

/* Creates what is missing; safe to call at any time and by many at once. */
rv_result rv_stream_provide(struct rv_ctx *cx, struct rv_bus *bus, const struct rv_stream *stream);
rv_result rv_consumer_provide(struct rv_ctx *cx, struct rv_bus *bus,
                              const struct rv_consumer_row *row);

/* Publishes all and waits for every PubAck; RV_OK only when all are stored. @ids deduplicate. */
struct rv_publish {
    const char *subject, *id, *trace_id;
    const void *bytes;
    size_t len;
};
rv_result rv_stream_publish(struct rv_ctx *cx, struct rv_bus *bus, const struct rv_publish *items,
                            size_t n, int64_t timeout_ms);

/* A pull loop of our own (natsSubscription_Fetch is broken in Debian's libnats). */
struct rv_consumer;
struct rv_delivery {
    const char *subject;
    const uint8_t *bytes;
    size_t len;
    const char *trace_id;
    const char *ack;    /* the reply subject; alive with the cx that took it */
    int64_t deliveries; /* 1: the first time */
};

rv_result rv_consumer_open(struct rv_ctx *cx, struct rv_bus *bus, const struct rv_consumer_row *row,
                           struct rv_consumer **consumer);

/*
 * Up to @want messages, waiting at most @wait_ms for the first; none is RV_OK with n = 0. Asks the
 * server for exactly what is wanted; asks again after a silence, and provides stream and consumer
 * again when they are gone.
 */
rv_result rv_consumer_take(struct rv_ctx *cx, struct rv_consumer *consumer, size_t want,
                           int64_t wait_ms, struct rv_delivery **items, size_t *n);
void rv_consumer_ack(struct rv_bus *bus, const char *ack);
void rv_consumer_ack_many(struct rv_ctx *cx, struct rv_bus *bus, const char *const *acks, size_t n);
void rv_consumer_nak(struct rv_bus *bus, const char *ack, int64_t delay_ms);
void rv_consumer_term(struct rv_bus *bus, const char *ack);
void rv_consumer_close(struct rv_consumer *consumer); /* NULL is fine */
