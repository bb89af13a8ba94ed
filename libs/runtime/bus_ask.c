#include "runtime/bus_nats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/id.h"
#include "base/time.h"

/*
 * Questions: one subscription on <inbox>.* hears all answers; the token says whose it is:
 * <slot>-<generation>-<index>.
 */

static void give(struct rv_bus *bus, uint32_t slot, uint32_t generation, size_t index,
                 natsMsg *message)
{
    struct rv_pending *pending;

    pthread_mutex_lock(&bus->lock);
    pending = slot < bus->n_slots ? bus->slots[slot].pending : NULL;
    if (pending && pending->generation == generation && pending->got < pending->want) {
        if (pending->each) {
            pending->each(pending, index, message);
        } else {
            pending->answer = message;
            message = NULL;
        }
        if (++pending->got == pending->want)
            pthread_cond_signal(&pending->ready);
    }
    pthread_mutex_unlock(&bus->lock);
    rv_bus_drop(message);
}

static void on_answer(natsConnection *conn, natsSubscription *sub, natsMsg *message, void *closure)
{
    const char *token = strrchr(natsMsg_GetSubject(message), '.');
    char *rest = NULL;
    uint32_t slot = 0, generation = 0;
    size_t index = 0;

    (void)conn;
    (void)sub;
    if (token)
        slot = (uint32_t)strtoul(token + 1, &rest, 16);
    if (rest && *rest == '-')
        generation = (uint32_t)strtoul(rest + 1, &rest, 16);
    if (rest && *rest == '-')
        index = strtoul(rest + 1, &rest, 16);
    give(closure, slot, generation, index, message);
}

rv_result rv_bus_asks_open(struct rv_ctx *cx, struct rv_bus *bus)
{
    natsInbox *inbox = NULL;
    char wild[80];

    RV_TRY(cx, rv_bus_checked(cx, natsInbox_Create(&inbox), "make an inbox"));
    snprintf(bus->inbox, sizeof(bus->inbox), "%s", inbox);
    natsInbox_Destroy(inbox);
    snprintf(wild, sizeof(wild), "%s.*", bus->inbox);
    return rv_bus_checked(cx, rv_bus_subscribe(bus, wild, on_answer, bus), wild);
}

void rv_bus_asks_lose(struct rv_bus *bus)
{
    pthread_mutex_lock(&bus->lock);
    for (size_t i = 0; i < bus->n_slots; i++)
        if (bus->slots[i].pending) {
            bus->slots[i].pending->lost = true;
            pthread_cond_signal(&bus->slots[i].pending->ready);
        }
    pthread_mutex_unlock(&bus->lock);
}

/* With the lock held: twice as many slots, the new ones free. */
static void grow(struct rv_bus *bus)
{
    size_t n = bus->n_slots ? bus->n_slots * 2 : 64;

    bus->slots = realloc(bus->slots, n * sizeof(*bus->slots));
    if (!bus->slots)
        abort();
    for (size_t i = bus->n_slots; i < n; i++)
        bus->slots[i] = (struct bus_slot){ .next_free = (uint32_t)i + 1 };
    bus->first_free = (uint32_t)bus->n_slots;
    bus->n_slots = n;
}

static void drop_pending(void *arg)
{
    struct rv_pending *pending = arg;

    rv_bus_forget(pending);
    pthread_cond_destroy(&pending->ready);
    rv_bus_drop(pending->answer);
}

rv_result rv_bus_expect(struct rv_ctx *cx, struct rv_bus *bus, const char *name, size_t want,
                        int64_t timeout_ms, struct rv_pending **pending)
{
    struct rv_pending *asked;
    pthread_condattr_t monotonic;
    struct bus_slot *slot;

    if (!rv_bus_connected(bus))
        return rv_fail(cx, RV_UNAVAILABLE, "the bus is down, %s cannot be asked", name);
    asked = rv_new(cx, struct rv_pending);
    *asked = (struct rv_pending){ .bus = bus,
                                  .name = name,
                                  .want = want,
                                  .asked_ms = rv_monotonic_ms(),
                                  .timeout_ms = timeout_ms };
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&asked->ready, &monotonic);
    pthread_mutex_lock(&bus->lock);
    if (bus->first_free == bus->n_slots)
        grow(bus);
    asked->slot = bus->first_free;
    slot = &bus->slots[asked->slot];
    bus->first_free = slot->next_free;
    slot->pending = asked;
    asked->generation = ++slot->generation;
    pthread_mutex_unlock(&bus->lock);
    rv_defer(cx, drop_pending, asked);
    *pending = asked;
    return RV_OK;
}

/* Frees its place, so that no answer finds it any more; what it got stays until the cx goes. */
static void leave(struct rv_pending *pending)
{
    struct rv_bus *bus = pending->bus;
    struct bus_slot *slot = &bus->slots[pending->slot];

    slot->pending = NULL;
    slot->next_free = bus->first_free;
    bus->first_free = pending->slot;
    pending->bus = NULL;
}

void rv_bus_forget(struct rv_pending *pending)
{
    struct rv_bus *bus = pending->bus;

    if (!bus) /* it has left before, and the bus may be closed */
        return;
    pthread_mutex_lock(&bus->lock);
    leave(pending);
    pthread_mutex_unlock(&bus->lock);
}

void rv_bus_reply_to(const struct rv_pending *pending, size_t index, char reply[RV_REPLY_SIZE])
{
    snprintf(reply, RV_REPLY_SIZE, "%s.%x-%x-%zx", pending->bus->inbox, pending->slot,
             pending->generation, index);
}

static struct timespec deadline_of(const struct rv_ctx *cx, const struct rv_pending *pending)
{
    int64_t until_ms = pending->asked_ms + pending->timeout_ms;

    if (cx->deadline_ms > 0 && cx->deadline_ms < until_ms)
        until_ms = cx->deadline_ms;
    return (struct timespec){ until_ms / 1000, until_ms % 1000 * 1000000 };
}

rv_result rv_bus_collect(struct rv_ctx *cx, struct rv_pending *pending)
{
    struct timespec until = deadline_of(cx, pending);
    struct rv_bus *bus = pending->bus;
    int late = 0;
    bool lost;

    pthread_mutex_lock(&bus->lock);
    while (pending->got < pending->want && !pending->lost && !late)
        late = pthread_cond_timedwait(&pending->ready, &bus->lock, &until);
    lost = pending->lost;
    leave(pending);
    pthread_mutex_unlock(&bus->lock);
    if (pending->got == pending->want)
        return RV_OK;
    if (lost)
        return rv_fail(cx, RV_UNAVAILABLE, "the bus went down while %s was asked", pending->name);
    return rv_fail(cx, RV_TIMEOUT, "%s did not answer in %lld ms", pending->name,
                   (long long)pending->timeout_ms);
}

static rv_result publish_ask(struct rv_ctx *cx, struct rv_pending *pending, const void *bytes,
                             size_t len)
{
    struct rv_bus *bus = pending->bus;
    auto_message message = NULL;
    char reply[RV_REPLY_SIZE], waits[24];
    natsStatus got;

    rv_bus_reply_to(pending, 0, reply);
    snprintf(waits, sizeof(waits), "%lld", (long long)pending->timeout_ms);
    got = natsMsg_Create(&message, pending->name, reply, bytes, (int)len);
    if (got == NATS_OK)
        got = natsMsgHeader_Set(message, RV_HEADER_WAITS, waits);
    if (got == NATS_OK && cx->trace_id)
        got = natsMsgHeader_Set(message, RV_HEADER_TRACE, rv_traceparent(cx, cx->trace_id));
    if (got == NATS_OK && cx->request_id)
        got = natsMsgHeader_Set(message, RV_HEADER_REQUEST, cx->request_id);
    if (got == NATS_OK)
        got = natsConnection_PublishMsg(bus->conn, message);
    return rv_bus_checked(cx, got, pending->name);
}

static rv_result begin_bytes(struct rv_ctx *cx, struct rv_bus *bus, const char *name,
                             const void *bytes, size_t len, int64_t timeout_ms,
                             struct rv_pending **pending)
{
    enum rv_status status;

    if (len > RV_BUS_PAYLOAD_MAX)
        return rv_fail_inside(cx, RV_TOO_LARGE, "%s: %zu bytes are more than a message may have",
                              name, len);
    RV_TRY(cx, rv_bus_expect(cx, bus, name, 1, timeout_ms, pending));
    status = publish_ask(cx, *pending, bytes, len);
    if (status != RV_OK)
        rv_bus_forget(*pending);
    return status;
}

static rv_result await_message(struct rv_ctx *cx, struct rv_pending *pending)
{
    const char *status;

    RV_TRY(cx, rv_bus_collect(cx, pending));
    if (natsMsg_IsNoResponders(pending->answer))
        return rv_fail(cx, RV_UNAVAILABLE, "nobody answers %s", pending->name);
    if (natsMsgHeader_Get(pending->answer, RV_HEADER_STATUS, &status) == NATS_OK)
        return rv_bus_failure_read(cx, status, natsMsg_GetData(pending->answer),
                                   (size_t)natsMsg_GetDataLength(pending->answer));
    return RV_OK;
}

rv_result rv_bus_ask_bytes(struct rv_ctx *cx, struct rv_bus *bus, const char *subject,
                           const void *bytes, size_t len, int64_t timeout_ms, natsMsg **answer)
{
    struct rv_pending *pending;

    RV_TRY(cx, begin_bytes(cx, bus, subject, bytes, len, timeout_ms, &pending));
    RV_TRY(cx, await_message(cx, pending));
    *answer = pending->answer;
    return RV_OK;
}

rv_result rv_bus_begin(struct rv_ctx *cx, struct rv_bus *bus, const struct rv_subject *subject,
                       const void *asks, size_t n, int64_t timeout_ms, struct rv_pending **pending)
{
    const uint8_t *bytes = NULL;
    size_t len = 0;

    if (subject->speech == RV_REQUEST)
        RV_TRY(cx, rv_pb_write(cx, &subject->in, asks, &bytes, &len));
    else
        RV_TRY(cx, rv_pb_write_many(cx, &subject->in, asks, n, &bytes, &len));
    RV_TRY(cx, begin_bytes(cx, bus, subject->name, bytes, len, timeout_ms, pending));
    (*pending)->subject = subject;
    (*pending)->n = n;
    return RV_OK;
}

rv_result rv_bus_await(struct rv_ctx *cx, struct rv_pending *pending, void *answers)
{
    const struct rv_subject *subject = pending->subject;
    const uint8_t *bytes;
    void *items;
    size_t len, n;

    RV_TRY(cx, await_message(cx, pending));
    bytes = (const uint8_t *)natsMsg_GetData(pending->answer);
    len = (size_t)natsMsg_GetDataLength(pending->answer);
    if (subject->speech == RV_REQUEST)
        return rv_pb_read(cx, &subject->out, bytes, len, answers);
    RV_TRY(cx, rv_pb_read_many(cx, &subject->out, bytes, len, &items, &n));
    if (n != pending->n)
        return rv_fail(cx, RV_INTERNAL, "%s answered %zu of %zu", subject->name, n, pending->n);
    memcpy(answers, items, n * subject->out.record->size);
    return RV_OK;
}

rv_result rv_bus_ask(struct rv_ctx *cx, struct rv_bus *bus, const struct rv_subject *subject,
                     const void *in, void *out, int64_t timeout_ms)
{
    return rv_bus_ask_many(cx, bus, subject, in, 1, out, timeout_ms);
}

rv_result rv_bus_ask_many(struct rv_ctx *cx, struct rv_bus *bus, const struct rv_subject *subject,
                          const void *asks, size_t n, void *answers, int64_t timeout_ms)
{
    struct rv_pending *pending;

    if (n == 0)
        return RV_OK;
    RV_TRY(cx, rv_bus_begin(cx, bus, subject, asks, n, timeout_ms, &pending));
    return rv_bus_await(cx, pending, answers);
}
