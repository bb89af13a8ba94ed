#include "runtime/bus_nats.h"

#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/log.h"

/* News, bytes, listening, answering: what does not wait for anybody. */

enum { DEAFEN_MS = 2000 };

struct listener {
    void (*heard)(void *arg, const struct rv_heard *heard);
    void *arg;
};

static void on_sub_ended(void *closure)
{
    struct bus_sub *sub = closure;
    struct rv_bus *bus = sub->bus;

    pthread_mutex_lock(&bus->lock);
    bus->living--;
    bus->listening -= sub->listens;
    pthread_cond_broadcast(&bus->gone);
    pthread_mutex_unlock(&bus->lock);
}

static natsStatus subscribe(struct rv_bus *bus, bool listens, const char *subject,
                            const char *group, natsMsgHandler handler, void *closure)
{
    struct bus_sub *kept = calloc(1, sizeof(*kept));
    natsStatus got;

    if (!kept)
        abort();
    *kept = (struct bus_sub){ .bus = bus, .listens = listens };
    got = group ? natsConnection_QueueSubscribe(&kept->sub, bus->conn, subject, group, handler,
                                                closure)
                : natsConnection_Subscribe(&kept->sub, bus->conn, subject, handler, closure);
    if (got != NATS_OK) {
        free(kept);
        return got;
    }
    natsSubscription_SetPendingLimits(kept->sub, -1, -1);
    pthread_mutex_lock(&bus->lock);
    if (natsSubscription_SetOnCompleteCB(kept->sub, on_sub_ended, kept) == NATS_OK) {
        bus->living++;
        bus->listening += listens;
    }
    kept->next = bus->subs;
    bus->subs = kept;
    pthread_mutex_unlock(&bus->lock);
    return NATS_OK;
}

natsStatus rv_bus_subscribe(struct rv_bus *bus, const char *subject, natsMsgHandler handler,
                            void *closure)
{
    return subscribe(bus, false, subject, NULL, handler, closure);
}

void rv_bus_adopt(struct rv_bus *bus, void (*reconnected)(void *arg), void (*drop)(void *arg),
                  void *arg)
{
    struct bus_part *part = calloc(1, sizeof(*part));

    if (!part)
        abort();
    *part = (struct bus_part){ .reconnected = reconnected, .drop = drop, .arg = arg };
    pthread_mutex_lock(&bus->lock);
    part->next = bus->parts;
    bus->parts = part;
    pthread_mutex_unlock(&bus->lock);
}

/* The trace id in a traceparent header (00-<32 hex>-<16 hex>-<2 hex>); false: there is none. */
static bool trace_of(const char *header, char trace_id[33])
{
    if (!header || strlen(header) < 55 || header[2] != '-' || header[35] != '-')
        return false;
    memcpy(trace_id, header + 3, 32);
    trace_id[32] = '\0';
    return strspn(trace_id, "0123456789abcdef") == 32 && strspn(trace_id, "0") != 32;
}

static void on_message(natsConnection *conn, natsSubscription *sub, natsMsg *message, void *closure)
{
    const struct listener *listener = closure;
    const char *trace = NULL, *waits = NULL;
    char trace_id[33];
    struct rv_heard heard = {
        .subject = natsMsg_GetSubject(message),
        .reply = natsMsg_GetReply(message),
        .bytes = (const uint8_t *)natsMsg_GetData(message),
        .len = (size_t)natsMsg_GetDataLength(message),
    };

    (void)conn;
    (void)sub;
    natsMsgHeader_Get(message, RV_HEADER_TRACE, &trace);
    natsMsgHeader_Get(message, RV_HEADER_REQUEST, &heard.request_id);
    natsMsgHeader_Get(message, RV_HEADER_WAITS, &waits);
    natsMsgHeader_Get(message, RV_HEADER_STATUS, &heard.status);
    heard.trace_id = trace_of(trace, trace_id) ? trace_id : NULL;
    heard.patience_ms = waits ? strtoll(waits, NULL, 10) : 0;
    listener->heard(listener->arg, &heard);
    rv_bus_drop(message);
}

rv_result rv_bus_listen(struct rv_ctx *cx, struct rv_bus *bus, const char *subject,
                        const char *group, void (*heard)(void *arg, const struct rv_heard *heard),
                        void *arg)
{
    struct listener *listener = calloc(1, sizeof(*listener));

    if (!listener)
        abort();
    *listener = (struct listener){ heard, arg };
    rv_bus_adopt(bus, NULL, free, listener);
    return rv_bus_checked(cx, subscribe(bus, true, subject, group, on_message, listener), subject);
}

void rv_bus_deafen(struct rv_bus *bus)
{
    pthread_mutex_lock(&bus->lock);
    for (struct bus_sub *sub = bus->subs; sub; sub = sub->next)
        if (sub->listens)
            natsSubscription_Drain(sub->sub);
    pthread_mutex_unlock(&bus->lock);
    if (rv_bus_connected(bus) && !rv_bus_wait_gone(bus, &bus->listening, DEAFEN_MS))
        rv_warn(NULL, "bus still listens");
}

rv_result rv_bus_publish(struct rv_ctx *cx, struct rv_bus *bus, const char *subject,
                         const void *bytes, size_t len)
{
    auto_message message = NULL;
    natsStatus got;

    if (len > RV_BUS_PAYLOAD_MAX)
        return rv_fail_inside(cx, RV_TOO_LARGE, "%s: %zu bytes are more than a message may have",
                              subject, len);
    if (!cx->trace_id)
        return rv_bus_checked(cx, natsConnection_Publish(bus->conn, subject, bytes, (int)len),
                              subject);
    got = natsMsg_Create(&message, subject, NULL, bytes, (int)len);
    if (got == NATS_OK)
        got = natsMsgHeader_Set(message, RV_HEADER_TRACE, rv_traceparent(cx, cx->trace_id));
    if (got == NATS_OK)
        got = natsConnection_PublishMsg(bus->conn, message);
    return rv_bus_checked(cx, got, subject);
}

rv_result rv_bus_tell(struct rv_ctx *cx, struct rv_bus *bus, const struct rv_subject *subject,
                      const void *items, size_t n)
{
    const uint8_t *bytes;
    size_t len;

    if (n == 0)
        return RV_OK;
    RV_TRY(cx, rv_pb_write_many(cx, &subject->in, items, n, &bytes, &len));
    return rv_bus_publish(cx, bus, subject->name, bytes, len);
}

void rv_bus_answer(struct rv_bus *bus, const char *reply, const void *bytes, size_t len)
{
    struct rv_error error = { .status = RV_TOO_LARGE, .text = "the answer is too large" };

    if (!reply)
        return;
    if (len > RV_BUS_PAYLOAD_MAX)
        rv_bus_answer_failure(bus, reply, &error);
    else
        natsConnection_Publish(bus->conn, reply, bytes, (int)len);
}

void rv_bus_answer_failure(struct rv_bus *bus, const char *reply, const struct rv_error *error)
{
    auto_message message = NULL;
    auto_buf body = { 0 };
    char code[16];

    if (!reply)
        return;
    rv_bus_failure_write(error, &body);
    snprintf(code, sizeof(code), "%d", rv_status_http(error->status));
    if (natsMsg_Create(&message, reply, NULL, body.data, (int)body.len) != NATS_OK)
        return;
    natsMsgHeader_Set(message, RV_HEADER_STATUS, rv_status_text(error->status));
    natsMsgHeader_Set(message, "Nats-Service-Error", rv_status_text(error->status));
    natsMsgHeader_Set(message, "Nats-Service-Error-Code", code);
    natsConnection_PublishMsg(bus->conn, message);
}
