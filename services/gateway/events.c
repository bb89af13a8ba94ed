/* GET …/events: as a page of JSON, or as a stream for whoever accepts one. */

#include <string.h>

#include "asks.h"
#include "base/text.h"
#include "domain/event.h"
#include "frame.h"
#include "projects.h"
#include "replay.h"
#include "routes.h"
#include "store/sql.h"
#include "stream.h"

enum { EVENTS_DEFAULT = 100, EVENTS_MAX = 1000, TYPE_MAX = 63 };

static bool wants_stream(const struct call *call)
{
    const char *accept = rv_http_header(call->request, "Accept");

    return accept && strstr(accept, "text/event-stream");
}

/* What a client has seen last: EventSource says it in a header, others in the query. */
static const char *last_seen(const struct call *call, const struct ask *ask)
{
    const char *header = rv_http_header(call->request, "Last-Event-ID");

    return header && *header ? header : ask->last_event_id;
}

static rv_result wrong_place(struct rv_ctx *cx, const char *path)
{
    rv_wrong(cx, path, "is not the id of an event here");
    return rv_refuse(cx);
}

static rv_result see_run(struct rv_ctx *cx, const struct ask *ask, struct run *run)
{
    struct rv_rows rows;

    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_RUN_SEE, ask_in(run_ref, ask), &run_record, &rows));
    if (rows.n == 0)
        return rv_fail(cx, RV_NOT_FOUND, "no such run");
    *run = *(const struct run *)rows.items;
    return RV_OK;
}

/* 204 tells an EventSource that nothing will come any more. */
static rv_result stream_run(struct rv_ctx *cx, struct call *call, const struct ask *ask,
                            const struct run *run)
{
    const char *seen = last_seen(call, ask);
    struct stream_ask open = { .tenant_id = ask->tenant_id,
                               .key_id = call->caller->key_id,
                               .run_id = ask->id,
                               .after = ask->number,
                               .over = run_is_over(run->state) };

    if (seen && (!rv_text_int(seen, &open.after) || open.after < 0))
        return wrong_place(cx, "last_event_id");
    if (open.after > run->run_seq) /* it would wait for numbers that may never come */
        return wrong_place(cx, seen ? "last_event_id" : "after");
    if (open.over && open.after >= run->run_seq && open.after > 0) {
        call->taken = true;
        rv_http_answer(call->request, 204, NULL, NULL, "", 0);
        return RV_OK;
    }
    stream_open(call->gateway->streams, call, &open);
    return RV_OK;
}

static void page_of_events(struct rv_ctx *cx, struct rv_rows rows, int64_t limit, bool of_run,
                           struct page *page)
{
    const struct event *events = rows.items, *last;

    *page = (struct page){ .items = rows.items, .n = page_fits(&event_record, &rows, limit) };
    page->has_more = page->n < rows.n;
    if (page->n == 0)
        return;
    last = &events[page->n - 1];
    page->next_cursor = of_run ? rv_printf(cx, "%lld", (long long)last->run_seq)
                               : rv_printf(cx, "%s.%lld", last->run_id, (long long)last->run_seq);
}

RV_HANDLER(route_run_events, struct call *call, const struct ask *asked, struct page *page)
{
    struct replay_ask replay = { .tenant_id = asked->tenant_id, .run_id = asked->id };
    struct rv_rows rows;
    struct run run;
    struct ask ask;

    RV_TRY(cx, ask_page(cx, asked, EVENTS_DEFAULT, EVENTS_MAX, &ask));
    RV_TRY(cx, see_run(cx, &ask, &run));
    if (wants_stream(call))
        return stream_run(cx, call, &ask, &run);
    replay.after.run_seq = ask.number;
    replay.limit = ask.limit + 1;
    RV_TRY(cx, replay_read(cx, &replay, &rows));
    page_of_events(cx, rows, ask.limit, true, page);
    return RV_OK;
}

/* The place after which all runs' events are wanted; without one, a stream begins now. */
static rv_result place_of(struct rv_ctx *cx, const struct call *call, const struct ask *ask,
                          bool stream, struct place *place)
{
    const char *seen = stream ? last_seen(call, ask) : NULL;
    bool knows;

    *place = (struct place){ 0 };
    if (!seen)
        seen = ask->after;
    if (!seen && stream)
        return replay_newest(cx, ask->tenant_id, place);
    if (!seen || strcmp(seen, "0") == 0)
        return RV_OK; /* from the beginning */
    if (!frame_place(seen, place->run_id, &place->run_seq))
        return wrong_place(cx, "after");
    RV_TRY(cx, replay_knows(cx, ask->tenant_id, call_project(call), place, &knows));
    return knows ? RV_OK : wrong_place(cx, "after");
}

static rv_result project_of(struct rv_ctx *cx, const struct call *call, const struct ask *ask,
                            const char **project_id)
{
    struct project project;

    *project_id = call_project(call);
    if (!ask->project_id && !ask->project)
        return RV_OK;
    RV_TRY(cx, project_find(cx, call, ask->project_id, ask->project, false, &project));
    *project_id = project.project_id;
    return RV_OK;
}

/* "run.*", "task.completed"; pages and streams match them in ways of their own, so nothing else. */
static rv_result check_type(struct rv_ctx *cx, const char *type)
{
    size_t len = type ? strlen(type) : 0;

    if (len > TYPE_MAX || (type && strspn(type, "abcdefghijklmnopqrstuvwxyz_.*") < len))
        rv_wrong(cx, "type", "is not a type like run.completed or run.*");
    return rv_refuse(cx);
}

RV_HANDLER(route_events, struct call *call, const struct ask *asked, struct page *page)
{
    struct replay_ask replay = { .tenant_id = asked->tenant_id, .type = asked->type };
    bool stream = wants_stream(call);
    struct rv_rows rows;
    struct ask ask;

    RV_TRY(cx, ask_page(cx, asked, EVENTS_DEFAULT, EVENTS_MAX, &ask));
    RV_TRY(cx, check_type(cx, ask.type));
    RV_TRY(cx, project_of(cx, call, &ask, &replay.project_id));
    RV_TRY(cx, place_of(cx, call, &ask, stream, &replay.after));
    if (stream) {
        struct stream_ask open = { .tenant_id = ask.tenant_id,
                                   .key_id = call->caller->key_id,
                                   .project_id = replay.project_id,
                                   .type = ask.type,
                                   .after_run = replay.after.run_id,
                                   .after = replay.after.run_seq };

        stream_open(call->gateway->streams, call, &open);
        return RV_OK;
    }
    replay.limit = ask.limit + 1;
    RV_TRY(cx, replay_read(cx, &replay, &rows));
    page_of_events(cx, rows, ask.limit, false, page);
    return RV_OK;
}
