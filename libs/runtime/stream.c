#define _GNU_SOURCE /* memmem */

#include "runtime/stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/log.h"
#include "runtime/bus_nats.h"
#include "runtime/json.h"

/* The server's own API, spoken as JSON: specs/nats.md §3. Times are nanoseconds there. */

enum { API_MS = 5000, DUPLICATES_MS = 120000, MAX_WAITING = 4096, NAMES_MAX = 64 };

#define MS_NS ((int64_t)1000000)

/* "It is there, and other than you say": streams and consumers. */
static const int64_t differs[] = { 10058, 10012, 10013, 10148 };

static bool is_difference(int64_t code)
{
    for (size_t i = 0; i < sizeof(differs) / sizeof(differs[0]); i++)
        if (differs[i] == code)
            return true;
    return false;
}

/* True once for each name: what differs is said once, not with every provide. */
static bool first_time(const char *name)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static char *said[NAMES_MAX];
    size_t i = 0;
    bool first;

    pthread_mutex_lock(&lock);
    while (i < NAMES_MAX && said[i] && strcmp(said[i], name) != 0)
        i++;
    first = i < NAMES_MAX && !said[i];
    if (first)
        said[i] = strdup(name);
    pthread_mutex_unlock(&lock);
    return first;
}

static rv_result api(struct rv_ctx *cx, struct rv_bus *bus, const char *subject, const char *what,
                     const struct rv_buf *ask)
{
    natsMsg *answer;
    json_t *json, *error;
    int64_t code;

    RV_TRY(cx, rv_bus_ask_bytes(cx, bus, subject, ask->data, ask->len, API_MS, &answer));
    RV_TRY(cx, rv_json_parse(cx, natsMsg_GetData(answer), (size_t)natsMsg_GetDataLength(answer),
                             subject, &json));
    error = json_object_get(json, "error");
    if (!error)
        return RV_OK;
    code = json_integer_value(json_object_get(error, "err_code"));
    if (!is_difference(code))
        return rv_fail(cx, RV_UNAVAILABLE, "%s: %s (%lld)", what,
                       json_string_value(json_object_get(error, "description")), (long long)code);
    if (first_time(what))
        rv_warn(cx, "a stream or consumer is there with other settings; it stays as it is",
                RV_F("name", what));
    return RV_OK;
}

rv_result rv_stream_provide(struct rv_ctx *cx, struct rv_bus *bus, const struct rv_stream *stream)
{
    int64_t duplicates_ms = DUPLICATES_MS;
    auto_buf ask = { 0 };

    if (stream->max_age_ms > 0 && stream->max_age_ms < duplicates_ms)
        duplicates_ms = stream->max_age_ms;
    rv_buf_text(&ask, "{\"name\":");
    rv_buf_json(&ask, stream->name);
    rv_buf_text(&ask, ",\"subjects\":[");
    rv_buf_json(&ask, stream->subjects);
    rv_buf_printf(&ask,
                  "],\"retention\":\"%s\",\"discard\":\"%s\",\"storage\":\"file\","
                  "\"max_age\":%lld,\"max_bytes\":%lld,\"duplicate_window\":%lld,"
                  "\"max_msgs\":-1,\"max_msgs_per_subject\":-1,\"max_msg_size\":-1,"
                  "\"max_consumers\":-1,\"num_replicas\":1}",
                  stream->work_queue ? "workqueue" : "limits", stream->work_queue ? "new" : "old",
                  (long long)(stream->max_age_ms * MS_NS),
                  (long long)(stream->max_bytes > 0 ? stream->max_bytes : -1),
                  (long long)(duplicates_ms * MS_NS));
    return api(cx, bus, rv_printf(cx, "$JS.API.STREAM.CREATE.%s", stream->name), stream->name,
               &ask);
}

rv_result rv_consumer_provide(struct rv_ctx *cx, struct rv_bus *bus,
                              const struct rv_consumer_row *row)
{
    auto_buf ask = { 0 };

    rv_buf_text(&ask, "{\"stream_name\":");
    rv_buf_json(&ask, row->stream->name);
    rv_buf_text(&ask, ",\"config\":{\"durable_name\":");
    rv_buf_json(&ask, row->name);
    rv_buf_text(&ask, ",\"filter_subject\":");
    rv_buf_json(&ask, row->filter);
    rv_buf_printf(&ask,
                  ",\"deliver_policy\":\"all\",\"ack_policy\":\"explicit\",\"ack_wait\":%lld,"
                  "\"max_deliver\":-1,\"replay_policy\":\"instant\",\"max_waiting\":%d,"
                  "\"max_ack_pending\":%lld}}",
                  (long long)(row->ack_wait_ms * MS_NS), MAX_WAITING,
                  (long long)row->max_ack_pending);
    return api(cx, bus,
               rv_printf(cx, "$JS.API.CONSUMER.DURABLE.CREATE.%s.%s", row->stream->name, row->name),
               rv_printf(cx, "%s/%s", row->stream->name, row->name), &ask);
}

/*
 * Publishing. A connection's messages are stored in their order, so the PubAcks of the first and
 * the last tell of all between them: their places in the stream are as far apart as the messages.
 * When they are not (somebody else published, a message was a duplicate or was not stored),
 * everything is said again and every message asks for its PubAck; ids drop what was stored.
 */

static void refuse(struct rv_pending *pending, const char *words, size_t len)
{
    if (pending->refused != RV_OK)
        return;
    pending->refused = RV_UNAVAILABLE;
    if (len >= sizeof(pending->refusal))
        len = sizeof(pending->refusal) - 1;
    memcpy(pending->refusal, words, len);
    pending->refusal[len] = '\0';
}

static uint64_t seq_of(const char *data, size_t len)
{
    static const char name[] = "\"seq\":", duplicate[] = "\"duplicate\":";
    const char *at = memmem(data, len, name, sizeof(name) - 1);

    if (!at || memmem(data, len, duplicate, sizeof(duplicate) - 1))
        return 0;
    return strtoull(at + sizeof(name) - 1, NULL, 10); /* ends at the brace */
}

static void on_pub_ack(struct rv_pending *pending, size_t index, natsMsg *answer)
{
    static const char no_stream[] = "no stream takes it", error[] = "\"error\":";
    const char *data = natsMsg_GetData(answer);
    size_t len = (size_t)natsMsg_GetDataLength(answer);

    if (data)
        *(index == 0 ? &pending->first_seq : &pending->last_seq) = seq_of(data, len);
    if (natsMsg_IsNoResponders(answer))
        refuse(pending, no_stream, sizeof(no_stream) - 1);
    else if (!data || memmem(data, len, error, sizeof(error) - 1))
        refuse(pending, data ? data : "", len);
}

/* @reply NULL: no PubAck is asked for. */
static rv_result publish_one(struct rv_ctx *cx, natsConnection *conn, const char *reply,
                             const struct rv_publish *item)
{
    auto_message message = NULL;
    natsStatus got;

    if (item->len > RV_BUS_PAYLOAD_MAX)
        return rv_fail_inside(cx, RV_TOO_LARGE, "%s: %zu bytes are more than a message may have",
                              item->subject, item->len);
    got = natsMsg_Create(&message, item->subject, reply, item->bytes, (int)item->len);
    if (got == NATS_OK && item->id)
        got = natsMsgHeader_Set(message, RV_HEADER_ID, item->id);
    if (got == NATS_OK && item->trace_id)
        got = natsMsgHeader_Set(message, RV_HEADER_TRACE, rv_traceparent(cx, item->trace_id));
    if (got == NATS_OK)
        got = natsConnection_PublishMsg(conn, message);
    return rv_bus_checked(cx, got, item->subject);
}

/* Where the PubAck of message @i of @n goes when @n_acks are asked for; NULL: nowhere. */
static const char *reply_for(const struct rv_pending *pending, size_t i, size_t n, size_t n_acks,
                             char reply[RV_REPLY_SIZE])
{
    bool asks = n_acks == n || i == 0 || i == n - 1;

    if (!asks)
        return NULL;
    rv_bus_reply_to(pending, n_acks == n ? i : i != 0, reply);
    return reply;
}

static rv_result publish_all(struct rv_ctx *cx, struct rv_bus *bus,
                             const struct rv_pending *pending, const struct rv_publish *items,
                             size_t n, size_t n_acks)
{
    natsConnection *conn = bus->conn;
    char reply[RV_REPLY_SIZE];

    if (n >= RV_BULK_FROM)
        RV_TRY(cx, rv_bus_bulk(cx, bus, &conn));
    if (natsConnection_Status(conn) != NATS_CONN_STATUS_CONNECTED)
        return rv_fail(cx, RV_UNAVAILABLE, "the bus is down");
    for (size_t i = 0; i < n; i++)
        RV_TRY(cx, publish_one(cx, conn, reply_for(pending, i, n, n_acks, reply), &items[i]));
    return RV_OK;
}

/* *@all_stored is false when the acks that came do not tell of all. */
static rv_result publish_acked(struct rv_ctx *cx, struct rv_bus *bus,
                               const struct rv_publish *items, size_t n, size_t n_acks,
                               int64_t timeout_ms, bool *all_stored)
{
    struct rv_pending *pending;
    enum rv_status status, refused;
    char refusal[sizeof(pending->refusal)];

    RV_TRY(cx, rv_bus_expect(cx, bus, items[0].subject, n_acks, timeout_ms, &pending));
    pending->each = on_pub_ack;
    status = publish_all(cx, bus, pending, items, n, n_acks);
    if (status == RV_OK)
        status = rv_bus_collect(cx, pending);
    refused = pending->refused;
    memcpy(refusal, pending->refusal, sizeof(refusal));
    *all_stored =
        n_acks == n || (pending->first_seq && pending->last_seq - pending->first_seq == n - 1);
    rv_bus_forget(pending);
    if (status == RV_OK && refused != RV_OK)
        return rv_fail(cx, refused, "%s was not stored: %s", items[0].subject, refusal);
    return status;
}

rv_result rv_stream_publish(struct rv_ctx *cx, struct rv_bus *bus, const struct rv_publish *items,
                            size_t n, int64_t timeout_ms)
{
    bool all_stored = false;

    if (n == 0)
        return RV_OK;
    if (n > 2)
        RV_TRY(cx, publish_acked(cx, bus, items, n, 2, timeout_ms, &all_stored));
    if (!all_stored)
        RV_TRY(cx, publish_acked(cx, bus, items, n, n, timeout_ms, &all_stored));
    return RV_OK;
}
