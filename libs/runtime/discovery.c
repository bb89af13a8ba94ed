#include "runtime/discovery.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/time.h"

/* Set once, before anybody listens; as long as the process. */
static struct {
    const struct rv_runtime *runtime;
    char name[80], started[40];
} self;

static void put_pair(struct rv_buf *out, const char *name, const char *value)
{
    rv_buf_printf(out, "\"%s\":", name);
    rv_buf_json(out, value);
}

static void put_head(struct rv_buf *out, const char *type)
{
    rv_buf_printf(out, "{\"type\":\"io.nats.micro.v1.%s\",", type);
    put_pair(out, "name", self.name);
    rv_buf_text(out, ",");
    put_pair(out, "id", self.runtime->instance_id);
    rv_buf_text(out, ",");
    put_pair(out, "version", REEVE_VERSION);
    rv_buf_text(out, ",\"metadata\":{}");
}

static void put_endpoint(struct rv_buf *out, const struct rv_handler *handler)
{
    const char *subject = handler->subject->name;
    const char *verb = strrchr(subject, '.');

    rv_buf_text(out, "{");
    put_pair(out, "name", verb ? verb + 1 : subject);
    rv_buf_text(out, ",");
    put_pair(out, "subject", subject);
    rv_buf_text(out, ",");
    put_pair(out, "queue_group", self.runtime->service->name);
}

static void put_stats(struct rv_buf *out, const struct rv_handler *handler)
{
    struct rv_meter *meter = rv_meters();
    long long units, busy_ns;
    const char *last;

    while (meter && strcmp(meter->name, handler->subject->name) != 0)
        meter = meter->next;
    if (!meter)
        return;
    units = (long long)atomic_load(&meter->units);
    busy_ns = (long long)atomic_load(&meter->busy_ns);
    last = atomic_load(&meter->last_error);
    rv_buf_printf(out,
                  ",\"num_requests\":%lld,\"num_errors\":%lld,\"processing_time\":%lld,"
                  "\"average_processing_time\":%lld,",
                  units, (long long)atomic_load(&meter->errors), busy_ns,
                  units ? busy_ns / units : 0);
    put_pair(out, "last_error", last ? last : "");
}

static void put_endpoints(struct rv_buf *out, bool stats)
{
    const struct rv_handler *handlers = self.runtime->service->handlers;

    rv_buf_text(out, ",\"endpoints\":[");
    for (size_t i = 0; handlers && handlers[i].subject; i++) {
        if (i > 0)
            rv_buf_text(out, ",");
        put_endpoint(out, &handlers[i]);
        if (stats)
            put_stats(out, &handlers[i]);
        else
            rv_buf_text(out, ",\"metadata\":{}");
        rv_buf_text(out, "}");
    }
    rv_buf_text(out, "]");
}

static void on_ping(struct rv_buf *out)
{
    put_head(out, "ping_response");
}

static void on_info(struct rv_buf *out)
{
    put_head(out, "info_response");
    rv_buf_text(out, ",");
    put_pair(out, "description", self.runtime->service->doc);
    put_endpoints(out, false);
}

static void on_stats(struct rv_buf *out)
{
    put_head(out, "stats_response");
    rv_buf_text(out, ",");
    put_pair(out, "started", self.started);
    put_endpoints(out, true);
}

static struct verb {
    const char *name;
    void (*put)(struct rv_buf *out);
} verbs[] = { { "PING", on_ping }, { "INFO", on_info }, { "STATS", on_stats } };

/* Small and from memory: answered in the bus' own thread. */
static void on_heard(void *arg, const struct rv_heard *heard)
{
    const struct verb *verb = arg;
    auto_buf out = { 0 };

    verb->put(&out);
    rv_buf_text(&out, "}");
    rv_bus_answer(self.runtime->bus, heard->reply, out.data, out.len);
}

static rv_result listen_to(struct rv_ctx *cx, struct rv_bus *bus, struct verb *verb)
{
    const char *subjects[] = {
        rv_printf(cx, "$SRV.%s", verb->name),
        rv_printf(cx, "$SRV.%s.%s", verb->name, self.name),
        rv_printf(cx, "$SRV.%s.%s.%s", verb->name, self.name, self.runtime->instance_id),
    };

    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
        RV_TRY(cx, rv_bus_listen(cx, bus, subjects[i], NULL, on_heard, verb));
    return RV_OK;
}

rv_result rv_discovery_listen(struct rv_ctx *cx, struct rv_runtime *runtime)
{
    self.runtime = runtime;
    snprintf(self.name, sizeof(self.name), "reeve-%s", runtime->service->name);
    snprintf(self.started, sizeof(self.started), "%s", rv_time_text(cx, rv_now_ms()));
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        RV_TRY(cx, listen_to(cx, runtime->bus, &verbs[i]));
    return RV_OK;
}
