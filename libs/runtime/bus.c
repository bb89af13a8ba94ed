#include "runtime/bus_nats.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/id.h"
#include "base/log.h"
#include "base/text.h"

enum { DELIVERY_THREADS = 2, PING_MS = 2000, PINGS_OUT = 2, CLOSE_MS = 5000 };

/* The next call of a chain that ends with the first failure. */
#define THEN(got, call)                                                                            \
    do {                                                                                           \
        if ((got) == NATS_OK)                                                                      \
            (got) = (call);                                                                        \
    } while (0)

void rv_bus_drop_message(natsMsg **message)
{
    rv_bus_drop(*message);
}

rv_result rv_bus_checked(struct rv_ctx *cx, natsStatus got, const char *doing)
{
    switch (got) {
    case NATS_OK:
        return RV_OK;
    case NATS_TIMEOUT:
        return rv_fail_inside(cx, RV_TIMEOUT, "%s: timed out", doing);
    case NATS_MAX_PAYLOAD:
        return rv_fail_inside(cx, RV_TOO_LARGE, "%s: message too large", doing);
    default:
        return rv_fail_inside(cx, RV_UNAVAILABLE, "%s: %s", doing, natsStatus_GetText(got));
    }
}

/* Callbacks of the connection, from libnats' own thread. */

static void on_closed(natsConnection *conn, void *closure)
{
    struct rv_bus *bus = closure;

    (void)conn;
    pthread_mutex_lock(&bus->lock);
    bus->living--;
    pthread_cond_broadcast(&bus->gone);
    pthread_mutex_unlock(&bus->lock);
}

static void on_disconnected(natsConnection *conn, void *closure)
{
    (void)conn;
    rv_bus_asks_lose(closure);
}

static void on_connected(natsConnection *conn, void *closure)
{
    struct rv_bus *bus = closure;

    (void)conn;
    atomic_fetch_add(&bus->connects, 1);
    pthread_mutex_lock(&bus->lock);
    for (struct bus_part *part = bus->parts; part; part = part->next)
        if (part->reconnected)
            part->reconnected(part->arg);
    pthread_mutex_unlock(&bus->lock);
    if (bus->options.on_reconnect)
        bus->options.on_reconnect(bus->options.arg);
}

static void on_error(natsConnection *conn, natsSubscription *sub, natsStatus got, void *closure)
{
    const char *words = NULL;

    (void)sub;
    (void)closure;
    natsConnection_GetLastError(conn, &words);
    rv_warn(NULL, "bus complains", RV_F("why", natsStatus_GetText(got)), RV_F("text", words));
}

/* 0.1 s, doubling to 1.6 s, and a quarter second of chance so that not all come back at once. */
static int64_t reconnect_delay(natsConnection *conn, int attempts, void *closure)
{
    static _Thread_local unsigned seed;

    (void)conn;
    (void)closure;
    if (!seed)
        seed = (unsigned)time(NULL) ^ (unsigned)(uintptr_t)&seed;
    return (100 << (attempts < 5 ? (attempts > 0 ? attempts - 1 : 0) : 4)) + rand_r(&seed) % 250;
}

static natsStatus make_options(struct rv_bus *bus, bool asking, natsOptions **options)
{
    natsStatus got = natsOptions_Create(options);

    THEN(got, natsOptions_SetURL(*options, bus->options.url));
    THEN(got, natsOptions_SetName(*options, bus->options.name));
    THEN(got, natsOptions_SetSendAsap(*options, asking));
    THEN(got, natsOptions_UseGlobalMessageDelivery(*options, true));
    THEN(got, natsOptions_SetFailRequestsOnDisconnect(*options, true));
    THEN(got,
         natsOptions_SetRetryOnFailedConnect(*options, true, asking ? on_connected : NULL, bus));
    THEN(got, natsOptions_SetMaxReconnect(*options, -1));
    THEN(got, natsOptions_SetCustomReconnectDelay(*options, reconnect_delay, NULL));
    THEN(got, natsOptions_SetPingInterval(*options, PING_MS));
    THEN(got, natsOptions_SetMaxPingsOut(*options, PINGS_OUT));
    THEN(got, natsOptions_SetErrorHandler(*options, on_error, NULL));
    THEN(got, natsOptions_SetClosedCB(*options, on_closed, bus));
    if (asking) {
        THEN(got, natsOptions_SetDisconnectedCB(*options, on_disconnected, bus));
        THEN(got, natsOptions_SetReconnectedCB(*options, on_connected, bus));
    }
    return got;
}

static void set_library(void)
{
    nats_Open(-1);
    nats_SetMessageDeliveryPoolSize(DELIVERY_THREADS);
}

static rv_result connect_to(struct rv_ctx *cx, struct rv_bus *bus, bool asking,
                            natsConnection **conn)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    natsOptions *options = NULL;
    natsStatus got;

    pthread_once(&once, set_library);
    got = make_options(bus, asking, &options);
    THEN(got, natsConnection_Connect(conn, options));
    natsOptions_Destroy(options);
    if (got == NATS_NOT_YET_CONNECTED)
        got = NATS_OK; /* it tries on, for ever */
    if (got == NATS_OK) {
        pthread_mutex_lock(&bus->lock);
        bus->living++;
        pthread_mutex_unlock(&bus->lock);
    }
    return rv_bus_checked(cx, got, "connect to the bus");
}

rv_result rv_bus_open(struct rv_ctx *cx, const struct rv_bus_options *options, struct rv_bus **bus)
{
    struct rv_bus *opened = calloc(1, sizeof(*opened));
    enum rv_status status;

    if (!opened)
        abort();
    opened->options = *options;
    opened->options.url = strdup(options->url);
    opened->options.name = strdup(options->name);
    pthread_mutex_init(&opened->lock, NULL);
    pthread_mutex_init(&opened->bulk_lock, NULL);
    pthread_cond_init(&opened->gone, NULL);
    status = connect_to(cx, opened, true, &opened->conn);
    if (status == RV_OK)
        status = rv_bus_asks_open(cx, opened);
    if (status != RV_OK) {
        rv_bus_close(opened);
        return rv_trace_at(cx, status, RV_HERE);
    }
    *bus = opened;
    return RV_OK;
}

rv_result rv_bus_bulk(struct rv_ctx *cx, struct rv_bus *bus, natsConnection **bulk)
{
    enum rv_status status = RV_OK;

    pthread_mutex_lock(&bus->bulk_lock);
    if (!bus->bulk)
        status = connect_to(cx, bus, false, &bus->bulk);
    *bulk = bus->bulk;
    pthread_mutex_unlock(&bus->bulk_lock);
    return status;
}

bool rv_bus_connected(const struct rv_bus *bus)
{
    return natsConnection_Status(bus->conn) == NATS_CONN_STATUS_CONNECTED;
}

uint32_t rv_bus_connects(const struct rv_bus *bus)
{
    return atomic_load(&bus->connects);
}

bool rv_bus_wait_gone(struct rv_bus *bus, const size_t *count, int64_t ms)
{
    struct timespec until;
    int late = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    pthread_mutex_lock(&bus->lock);
    while (*count > 0 && !late)
        late = pthread_cond_timedwait(&bus->gone, &bus->lock, &until);
    pthread_mutex_unlock(&bus->lock);
    return !late;
}

static void free_bus(struct rv_bus *bus)
{
    while (bus->subs) {
        struct bus_sub *sub = bus->subs;

        bus->subs = sub->next;
        natsSubscription_Destroy(sub->sub);
        free(sub);
    }
    while (bus->parts) {
        struct bus_part *part = bus->parts;

        bus->parts = part->next;
        if (part->drop)
            part->drop(part->arg);
        free(part);
    }
    natsConnection_Destroy(bus->bulk);
    natsConnection_Destroy(bus->conn);
    pthread_mutex_destroy(&bus->lock);
    pthread_mutex_destroy(&bus->bulk_lock);
    pthread_cond_destroy(&bus->gone);
    free(bus->slots);
    free((void *)(uintptr_t)bus->options.url);
    free((void *)(uintptr_t)bus->options.name);
    free(bus);
}

void rv_bus_close(struct rv_bus *bus)
{
    if (!bus)
        return;
    if (bus->conn && rv_bus_connected(bus))
        natsConnection_FlushTimeout(bus->conn, 1000); /* the last answers */
    if (bus->bulk && rv_bus_connected(bus))
        natsConnection_FlushTimeout(bus->bulk, 1000); /* the last acknowledgements */
    natsConnection_Close(bus->bulk);
    natsConnection_Close(bus->conn);
    if (rv_bus_wait_gone(bus, &bus->living, CLOSE_MS)) /* nothing of libnats will call us */
        free_bus(bus);
    else
        rv_warn(NULL, "bus did not close in time"); /* and stays: a callback may still run */
}
