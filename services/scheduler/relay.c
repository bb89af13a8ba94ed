#include <string.h>

#include "base/log.h"
#include "contract/subjects.h"
#include "domain/event.h"
#include "runtime/failpoint.h"
#include "scheduler.h"
#include "store/sql.h"

/* Each publishing may wait twice; all of it must end before the session is taken for idle. */
enum { RELAY_BATCH = 2000, PUBLISH_TIMEOUT_MS = 1000, TOLD_BYTES = 256 * 1024 };

/* A round costs as much as fifteen events: where there are many, it waits a moment for more. */
enum { RELAY_MANY = 16, RELAY_REST_MS = 2 };

/* An event that no message can carry is said without its data, or it would hold up all others. */
static rv_result write_event(struct rv_ctx *cx, const struct event *event, const uint8_t **bytes,
                             size_t *len)
{
    struct event bare = *event;
    enum rv_status status = rv_pb_write(cx, &SUBJ_EVENT.in, event, bytes, len);

    if (status != RV_TOO_LARGE)
        return status;
    cx->error = (struct rv_error){ 0 };
    bare.data = "{\"truncated\":true}";
    return rv_pb_write(cx, &SUBJ_EVENT.in, &bare, bytes, len);
}

static rv_result fill(struct rv_ctx *cx, const struct event *event, struct rv_publish *item)
{
    const uint8_t *bytes;

    RV_TRY(cx, write_event(cx, event, &bytes, &item->len));
    item->bytes = bytes;
    item->subject = rv_printf(cx, "%s.%s.%s.%s", SUBJ_EVENT.name, event->project_id, event->run_id,
                              event->type);
    item->id = rv_printf(cx, "ev-%lld", (long long)event->seq);
    item->trace_id = event->trace_id;
    return RV_OK;
}

static size_t size_of(const struct event *event)
{
    enum { OTHER_FIELDS = 512 };

    return OTHER_FIELDS + (event->data ? strlen(event->data) : 0);
}

/*
 * Gateways hear of all of them in a few messages: one for each event cost as much as keeping it in
 * the stream. They look into Postgres when they miss some.
 */
static void tell_gateways(struct rv_ctx *cx, struct scheduler_service *service,
                          const struct event *events, size_t n)
{
    for (size_t from = 0, to; from < n; from = to) {
        size_t bytes = size_of(&events[from]);

        for (to = from + 1; to < n && bytes + size_of(&events[to]) <= TOLD_BYTES; to++)
            bytes += size_of(&events[to]);
        if (rv_bus_tell(cx, service->runtime->bus, &SUBJ_EVENT_RELAYED, &events[from], to - from) !=
            RV_OK)
            rv_log_failure(cx, "gateways were not told", SUBJ_EVENT_RELAYED.name);
        cx->error = (struct rv_error){ 0 };
    }
}

/* What the event tells of the plan. */
struct completed {
    int64_t scorers;
};
static const struct rv_field completed_fields[] = { RV_INT(completed, scorers, 0) };
static RV_RECORD(completed, completed_fields);

static bool is_to_be_scored(struct rv_ctx *cx, const struct event *event)
{
    struct completed completed = { 0 };

    if (!event->data || strcmp(event->type, "run.completed") != 0)
        return false;
    if (rv_json_read(cx, event->data, strlen(event->data), RV_JSON_LENIENT,
                     rv_out(completed, &completed)) != RV_OK)
        cx->error = (struct rv_error){ 0 };
    return completed.scorers > 0;
}

static rv_result publish_scoring(struct rv_ctx *cx, struct scheduler_service *service,
                                 const struct event *events, const struct rv_publish *items,
                                 size_t n_events)
{
    struct rv_publish *scored = rv_new_array(cx, struct rv_publish, n_events);
    size_t n = 0;

    for (size_t i = 0; i < n_events; i++) {
        if (!is_to_be_scored(cx, &events[i]))
            continue;
        scored[n] = items[i];
        scored[n++].subject =
            rv_printf(cx, "%s.%s.%s", SUBJ_SCORING.name, events[i].project_id, events[i].run_id);
    }
    return rv_stream_publish(cx, service->runtime->bus, scored, n, PUBLISH_TIMEOUT_MS);
}

static rv_result publish(struct rv_ctx *cx, struct scheduler_service *service,
                         const struct rv_rows *rows)
{
    struct rv_publish *items = rv_new_array(cx, struct rv_publish, rows->n);
    const struct event *events = rows->items;

    for (size_t i = 0; i < rows->n; i++)
        RV_TRY(cx, fill(cx, &events[i], &items[i]));
    RV_TRY(cx, rv_failpoint(cx, "scheduler.relay.publish.before"));
    RV_TRY(cx, publish_scoring(cx, service, events, items, rows->n));
    RV_TRY(cx, rv_stream_publish(cx, service->runtime->bus, items, rows->n, PUBLISH_TIMEOUT_MS));
    RV_TRY(cx, rv_failpoint(cx, "scheduler.relay.publish.after"));
    rv_count(&scheduler_metric_rows[METRIC_EVENTS_RELAYED], (int64_t)rows->n);
    return RV_OK;
}

/*
 * Publishes what was committed, in order, and moves the cursor once all of it is stored in the
 * stream. The transaction only reads until then, so it has no id and holds nobody's horizon back;
 * what was published twice after a crash is dropped by its message id, so the cursor need not be on
 * disk before it goes on.
 */
enum rv_status tick_relay(struct rv_ctx *cx, void *state, struct rv_tick_next *next)
{
    struct scheduler_service *service = state;
    struct rv_rows rows;

    RV_TRY(cx, rv_db_exec(cx, &SQL_RELAY_LEAD, rv_nothing));
    RV_TRY(cx, rv_db_rows(cx, &SQL_RELAY_READ, rv_nothing, &event_row_record, &rows));
    if (rows.n == 0)
        return RV_OK;
    tell_gateways(cx, service, rows.items, rows.n);
    RV_TRY(cx, publish(cx, service, &rows));
    next->again = rows.n == RELAY_BATCH;
    next->rest_ms = rows.n >= RELAY_MANY ? RELAY_REST_MS : 0;
    rv_db_commit_async(cx);
    return rv_db_exec(
        cx, &SQL_RELAY_MOVE,
        (struct rv_in){ &event_row_record, (struct event *)rows.items + rows.n - 1, 1 });
}
