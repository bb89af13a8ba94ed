#include "watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/time.h"
#include "domain/event.h"

#include "api.h"
#include "commands.h"
#include "show.h"

enum { DATA_SHOWN = 100 };

struct watching {
    struct cli *cli;
    bool one_run;
    int64_t left; /* events still wanted; below 0: no end */
};

static bool ends_run(const char *type)
{
    return rv_text_same(type, "run.completed") || rv_text_same(type, "run.failed") ||
           rv_text_same(type, "run.cancelled") || rv_text_same(type, "run.denied");
}

static enum show_colour colour_of(const char *type)
{
    const char *dot = strchr(type, '.');

    return dot ? show_colour_of(dot + 1) : SHOW_PLAIN;
}

/* "07:30:01.123   4 task.completed          write  {"…"}" */
static void put_event(struct rv_ctx *cx, const struct event *event, bool with_run)
{
    const char *at = rv_time_text(cx, event->at_ms), *data = event->data ? event->data : "";
    size_t keep = rv_utf8_cut(data, strlen(data), DATA_SHOWN);

    printf("%s%.12s%s ", show_colour(SHOW_FAINT), strlen(at) > 11 ? at + 11 : "",
           show_colour(SHOW_PLAIN));
    if (with_run)
        printf("%s ", event->run_id ? event->run_id : "");
    printf("%3" PRId64 " %s%-26s%s %-10s %s%.*s%s%s\n", event->run_seq,
           show_colour(colour_of(event->type)), event->type, show_colour(SHOW_PLAIN),
           event->node_id ? event->node_id : "", show_colour(SHOW_FAINT), (int)keep,
           strcmp(data, "{}") != 0 ? data : "", keep < strlen(data) ? "…" : "",
           show_colour(SHOW_PLAIN));
}

/* What a stream says besides events (keep-alives, ends) has no run_seq and is passed over. */
static bool on_event(void *arg, const struct rv_sse_event *said)
{
    struct watching *w = arg;
    struct event event = { 0 };
    struct rv_ctx cx;
    bool more = true;

    rv_ctx_init(&cx);
    if (rv_json_read(&cx, said->data, said->len, RV_JSON_LENIENT,
                     (struct rv_out){ &event_view_record, &event }) == RV_OK &&
        event.type && event.run_seq > 0) {
        if (w->cli->options.json)
            printf("%.*s\n", (int)said->len, said->data);
        else
            put_event(&cx, &event, !w->one_run);
        fflush(stdout);
        more = (w->left < 0 || --w->left > 0) && !(w->one_run && ends_run(event.type));
    } else if (rv_text_same(said->event, "end")) {
        more = false;
    }
    rv_ctx_release(&cx);
    return more && !ferror(stdout);
}

rv_result watch_run(struct cli *cli, const char *run_id, const char *after)
{
    struct watching w = { .cli = cli, .one_run = true, .left = -1 };
    const char *path = rv_printf(cli->cx, "/v1/runs/%s/events", api_escape(cli, run_id));

    RV_TRY(cli->cx, api_stream(cli, path, after, on_event, &w));
    return RV_OK;
}

enum rv_status command_events_watch(struct cli *cli)
{
    struct watching w = { .cli = cli, .left = cli->options.limit != 50 ? cli->options.limit : -1 };
    const char *path = api_query(cli, "/v1/events", "project", cli->options.project);

    RV_TRY(cli->cx, api_stream(cli, path, cli->options.since, on_event, &w));
    return RV_OK;
}
