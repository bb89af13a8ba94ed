#include "runtime/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/id.h"
#include "base/text.h"
#include "base/time.h"
#include "runtime/bus_nats.h"

/*
 * The pull loop. One pull is kept outstanding, so a fresh message comes at once; the next is sent
 * when it has brought all it asked for. Two would be served in turn, a message does not say which
 * of them it belongs to, and so nobody knew what is left of either when one expires.
 *
 * A pull dies in four ways: filled, expired (408), refused (409), or with the server, silently.
 * Silence is noticed by missing heartbeats and by the count of reconnects.
 */

enum { EXPIRES_MS = 20000, HEARTBEAT_MS = 2500, SILENCE_MS = 6000, RETRY_MS = 500 };

#define MS_NS ((int64_t)1000000)

struct pull {
    uint32_t id; /* 0: none is outstanding */
    size_t left;
    int64_t until_ms;
};

struct rv_consumer {
    struct rv_bus *bus;
    const struct rv_consumer_row *row;
    char inbox[64], next[300];
    pthread_mutex_t lock;
    pthread_cond_t change;
    natsMsg **queue; /* a ring */
    size_t size, head, count;
    struct pull pull;
    uint32_t last_id;
    uint32_t connects; /* of the bus, when stream and consumer were last provided */
    int64_t heard_ms;  /* anything at all */
    bool missing;      /* the server said that the consumer is gone */
    bool closed;
};

static void drop_pull(struct rv_consumer *consumer)
{
    consumer->pull = (struct pull){ 0 };
}

/* What the libnats thread does, with the lock held. */

static void enqueue(struct rv_consumer *consumer, natsMsg *message)
{
    if (consumer->count == consumer->size) {
        size_t size = consumer->size ? consumer->size * 2 : 64;
        natsMsg **queue = calloc(size, sizeof(natsMsg *));

        if (!queue)
            abort();
        for (size_t i = 0; i < consumer->count; i++)
            queue[i] = consumer->queue[(consumer->head + i) % consumer->size];
        free(consumer->queue);
        consumer->queue = queue;
        consumer->size = size;
        consumer->head = 0;
    }
    consumer->queue[(consumer->head + consumer->count++) % consumer->size] = message;
    if (consumer->pull.id && --consumer->pull.left == 0)
        drop_pull(consumer);
}

/* A control message: the pull it names has ended, unless it is a heartbeat (100). */
static void control(struct rv_consumer *consumer, natsMsg *message)
{
    const char *status = NULL, *words = NULL;
    const char *token = strrchr(natsMsg_GetSubject(message), '.');
    uint32_t id = token ? (uint32_t)strtoul(token + 1, NULL, 16) : 0;

    natsMsgHeader_Get(message, "Status", &status);
    natsMsgHeader_Get(message, "Description", &words);
    if (!status || strcmp(status, "100") == 0)
        return;
    if (consumer->pull.id == id)
        drop_pull(consumer);
    if (strcmp(status, "503") == 0 ||
        (strcmp(status, "409") == 0 && words && strstr(words, "Deleted")))
        consumer->missing = true;
}

static void on_message(natsConnection *conn, natsSubscription *sub, natsMsg *message, void *closure)
{
    struct rv_consumer *consumer = closure;
    const char *reply = natsMsg_GetReply(message);
    bool delivery = reply && rv_text_starts(reply, "$JS.ACK.");

    (void)sub;
    pthread_mutex_lock(&consumer->lock);
    consumer->heard_ms = rv_monotonic_ms();
    if (delivery && !consumer->closed) {
        enqueue(consumer, message);
        message = NULL;
    } else if (!delivery) {
        control(consumer, message);
    }
    pthread_cond_signal(&consumer->change);
    pthread_mutex_unlock(&consumer->lock);
    if (message && delivery)
        natsConnection_PublishString(conn, reply, "-NAK"); /* nobody is here: to another one */
    rv_bus_drop(message);
}

static void on_reconnect(void *arg)
{
    struct rv_consumer *consumer = arg;

    pthread_mutex_lock(&consumer->lock);
    pthread_cond_signal(&consumer->change);
    pthread_mutex_unlock(&consumer->lock);
}

static void drop_consumer(void *arg)
{
    struct rv_consumer *consumer = arg;

    for (; consumer->count > 0; consumer->count--) {
        rv_bus_drop(consumer->queue[consumer->head]);
        consumer->head = (consumer->head + 1) % consumer->size;
    }
    pthread_mutex_destroy(&consumer->lock);
    pthread_cond_destroy(&consumer->change);
    free(consumer->queue);
    free(consumer);
}

static struct rv_consumer *new_consumer(struct rv_bus *bus, const struct rv_consumer_row *row)
{
    struct rv_consumer *consumer = calloc(1, sizeof(*consumer));
    pthread_condattr_t monotonic;

    if (!consumer)
        abort();
    consumer->bus = bus;
    consumer->row = row;
    snprintf(consumer->next, sizeof(consumer->next), "$JS.API.CONSUMER.MSG.NEXT.%s.%s",
             row->stream->name, row->name);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&consumer->lock, NULL);
    pthread_cond_init(&consumer->change, &monotonic);
    return consumer;
}

/* Makes sure that stream and consumer are there; what was asked before is void. */
static rv_result provide(struct rv_ctx *cx, struct rv_consumer *consumer)
{
    uint32_t connects = atomic_load(&consumer->bus->connects);

    RV_TRY(cx, rv_stream_provide(cx, consumer->bus, consumer->row->stream));
    RV_TRY(cx, rv_consumer_provide(cx, consumer->bus, consumer->row));
    pthread_mutex_lock(&consumer->lock);
    consumer->connects = connects;
    drop_pull(consumer);
    consumer->missing = false;
    consumer->heard_ms = rv_monotonic_ms();
    pthread_mutex_unlock(&consumer->lock);
    return RV_OK;
}

rv_result rv_consumer_open(struct rv_ctx *cx, struct rv_bus *bus, const struct rv_consumer_row *row,
                           struct rv_consumer **consumer)
{
    struct rv_consumer *opened = new_consumer(bus, row);
    natsInbox *inbox = NULL;
    char wild[80];

    rv_bus_adopt(bus, on_reconnect, drop_consumer, opened);
    RV_TRY(cx, rv_bus_checked(cx, natsInbox_Create(&inbox), "make an inbox"));
    snprintf(opened->inbox, sizeof(opened->inbox), "%s", inbox);
    natsInbox_Destroy(inbox);
    snprintf(wild, sizeof(wild), "%s.*", opened->inbox);
    RV_TRY(cx, rv_bus_checked(cx, rv_bus_subscribe(bus, wild, on_message, opened), wild));
    if (provide(cx, opened) != RV_OK) { /* the bus is down: the first take provides */
        cx->error = (struct rv_error){ 0 };
        opened->missing = true;
    }
    *consumer = opened;
    return RV_OK;
}

/* With the lock held: asks for what is wanted and not here, unless some is on its way. */
static rv_result pull(struct rv_ctx *cx, struct rv_consumer *consumer, size_t want)
{
    int64_t now_ms = rv_monotonic_ms();
    char reply[96], ask[128];
    struct pull pull;

    if (consumer->pull.id && consumer->pull.until_ms < now_ms)
        drop_pull(consumer);
    if (consumer->count >= want || consumer->pull.id)
        return RV_OK;
    consumer->heard_ms = now_ms;
    consumer->last_id = consumer->last_id == UINT32_MAX ? 1 : consumer->last_id + 1;
    pull = (struct pull){ consumer->last_id, want - consumer->count, now_ms + EXPIRES_MS + 1000 };
    consumer->pull = pull;
    snprintf(reply, sizeof(reply), "%s.%x", consumer->inbox, pull.id);
    snprintf(ask, sizeof(ask), "{\"batch\":%zu,\"expires\":%lld,\"idle_heartbeat\":%lld}",
             pull.left, (long long)(EXPIRES_MS * MS_NS), (long long)(HEARTBEAT_MS * MS_NS));
    return rv_bus_checked(
        cx, natsConnection_PublishRequestString(consumer->bus->conn, consumer->next, reply, ask),
        consumer->next);
}

/* The number of deliveries stands in the ack's subject, the fifth token of nine, or the seventh
 * where a domain is named. */
static int64_t deliveries_of(const char *ack)
{
    int dots = 0, token;

    for (const char *c = ack; *c; c++)
        dots += *c == '.';
    for (token = dots > 8 ? 6 : 4; token > 0 && ack; token--) {
        ack = strchr(ack, '.');
        ack = ack ? ack + 1 : NULL;
    }
    return ack ? strtoll(ack, NULL, 10) : 1;
}

static void drop_kept(void *message)
{
    rv_bus_drop(message);
}

static void hand_out(struct rv_ctx *cx, natsMsg *message, struct rv_delivery *item)
{
    const char *trace = NULL;

    rv_defer(cx, drop_kept, message);
    natsMsgHeader_Get(message, RV_HEADER_TRACE, &trace);
    *item = (struct rv_delivery){
        .subject = natsMsg_GetSubject(message),
        .bytes = (const uint8_t *)natsMsg_GetData(message),
        .len = (size_t)natsMsg_GetDataLength(message),
        .trace_id = trace ? rv_traceparent_parse(cx, trace) : NULL,
        .ack = natsMsg_GetReply(message),
        .deliveries = deliveries_of(natsMsg_GetReply(message)),
    };
}

static void take_queued(struct rv_ctx *cx, struct rv_consumer *consumer, size_t want,
                        struct rv_delivery **items, size_t *n)
{
    *n = consumer->count < want ? consumer->count : want;
    *items = rv_new_array(cx, struct rv_delivery, *n);
    for (size_t i = 0; i < *n; i++) {
        hand_out(cx, consumer->queue[consumer->head], &(*items)[i]);
        consumer->head = (consumer->head + 1) % consumer->size;
    }
    consumer->count -= *n;
}

static bool must_provide(const struct rv_consumer *consumer)
{
    return consumer->missing || consumer->connects != atomic_load(&consumer->bus->connects) ||
           (consumer->pull.id && rv_monotonic_ms() - consumer->heard_ms > SILENCE_MS);
}

static void wait_until(struct rv_consumer *consumer, int64_t until_ms)
{
    int64_t look_ms = consumer->heard_ms + SILENCE_MS + 1;
    struct timespec until;

    if (look_ms < until_ms && consumer->pull.id)
        until_ms = look_ms;
    until = (struct timespec){ until_ms / 1000, until_ms % 1000 * 1000000 };
    pthread_cond_timedwait(&consumer->change, &consumer->lock, &until);
}

/* One round: messages, or a wait for something to change. */
static rv_result round_of(struct rv_ctx *cx, struct rv_consumer *consumer, size_t want,
                          int64_t until_ms, struct rv_delivery **items, size_t *n)
{
    enum rv_status status = RV_OK;
    bool provide_first;

    pthread_mutex_lock(&consumer->lock);
    provide_first = must_provide(consumer);
    if (!provide_first) {
        status = pull(cx, consumer, want);
        if (status == RV_OK && consumer->count == 0)
            wait_until(consumer, until_ms);
    }
    take_queued(cx, consumer, want, items, n);
    pthread_mutex_unlock(&consumer->lock);
    if (status == RV_OK && provide_first && *n == 0)
        status = provide(cx, consumer);
    return status;
}

/* While the bus is down: a short sleep, so that the caller need not care. */
static rv_result be_patient(struct rv_ctx *cx, enum rv_status status, int64_t until_ms)
{
    int64_t left_ms = until_ms - rv_monotonic_ms();

    if (!rv_status_retry(status) || left_ms <= 0)
        return status;
    cx->error = (struct rv_error){ 0 };
    rv_sleep_ms(left_ms < RETRY_MS ? left_ms : RETRY_MS);
    return RV_OK;
}

rv_result rv_consumer_take(struct rv_ctx *cx, struct rv_consumer *consumer, size_t want,
                           int64_t wait_ms, struct rv_delivery **items, size_t *n)
{
    int64_t until_ms = rv_monotonic_ms() + wait_ms;

    *n = 0;
    if (want == 0)
        return RV_OK;
    do {
        enum rv_status status = round_of(cx, consumer, want, until_ms, items, n);

        if (status != RV_OK && *n == 0)
            RV_TRY(cx, be_patient(cx, status, until_ms));
    } while (*n == 0 && rv_monotonic_ms() < until_ms);
    return RV_OK;
}

void rv_consumer_ack(struct rv_bus *bus, const char *ack)
{
    natsConnection_PublishString(bus->conn, ack, "+ACK");
}

/* On the asking connection each were a write of its own, and a read of the server's. */
void rv_consumer_ack_many(struct rv_ctx *cx, struct rv_bus *bus, const char *const *acks, size_t n)
{
    natsConnection *conn = bus->conn;

    if (!rv_bus_connected(bus)) /* opening the other would wait for the server */
        return;
    if (n >= RV_BULK_FROM && rv_bus_bulk(cx, bus, &conn) != RV_OK) {
        cx->error = (struct rv_error){ 0 };
        conn = bus->conn;
    }
    for (size_t i = 0; i < n; i++)
        natsConnection_PublishString(conn, acks[i], "+ACK");
}

void rv_consumer_nak(struct rv_bus *bus, const char *ack, int64_t delay_ms)
{
    char words[48];

    snprintf(words, sizeof(words), "-NAK {\"delay\":%lld}", (long long)(delay_ms * MS_NS));
    natsConnection_PublishString(bus->conn, ack, delay_ms > 0 ? words : "-NAK");
}

void rv_consumer_term(struct rv_bus *bus, const char *ack)
{
    natsConnection_PublishString(bus->conn, ack, "+TERM");
}

void rv_consumer_close(struct rv_consumer *consumer)
{
    if (!consumer)
        return;
    pthread_mutex_lock(&consumer->lock);
    consumer->closed = true;
    for (size_t i = 0; i < consumer->count; i++)
        rv_consumer_nak(consumer->bus,
                        natsMsg_GetReply(consumer->queue[(consumer->head + i) % consumer->size]),
                        0);
    pthread_mutex_unlock(&consumer->lock); /* the rest goes with the bus */
}
