/* The watchers of a load: event streams that tell which runs have completed. */

#include "load.h"

#include <string.h>

#include "base/time.h"

enum { OPEN_MS = 5000 };

static void on_watch_event(struct conn *conn, const char *frame, size_t len)
{
    struct load *load = conn_owner(conn);
    int64_t at_ms = event_int(frame, len, "at_ms");
    struct run_id run;

    if (at_ms < 0)
        return;
    if (load->measuring) {
        load->delivered++;
        histogram_add(&load->delay, bench_now_us() - at_ms * 1000);
    }
    if (event_is(frame, len, "run.completed") && event_run_id(frame, len, &run))
        load_saw(load, run);
}

static void on_watch_stream(struct conn *conn)
{
    struct load *load = conn_owner(conn);

    load->n_watching++;
}

static void on_watch_reply(struct conn *conn, int status, const char *body, size_t len)
{
    struct load *load = conn_owner(conn);

    if (!load->watchers_lost)
        bench_sorry(load->bench, "no stream: %d %.*s", status, (int)(len < 600 ? len : 600), body);
    load->watchers_lost = true;
}

static void on_watch_gone(struct conn *conn, const char *why)
{
    struct load *load = conn_owner(conn);

    if (!load->watchers_lost)
        bench_sorry(load->bench, "a watcher is lost: %s", why);
    load->watchers_lost = true;
}

static const struct conn_ops watch_ops = { on_watch_reply, on_watch_stream, on_watch_event,
                                           on_watch_gone };

static void ask_for(struct load *load, const char *events)
{
    struct bench *bench = load->bench;
    const char *ask_text = rv_printf(bench->cx,
                                     "GET %s HTTP/1.1\r\nHost: %s:%d\r\n%s"
                                     "Accept: text/event-stream\r\n\r\n",
                                     events, bench->host, bench->port, bench->key_header);

    load->watchers = rv_new_array(bench->cx, struct conn *, (size_t)load->n_watchers);
    for (int i = 0; i < load->n_watchers; i++) {
        load->watchers[i] = conn_new(load->wire, &watch_ops, load);
        conn_ask(load->watchers[i], ask_text, strlen(ask_text));
    }
}

bool load_watch(struct load *load, const char *events)
{
    int64_t until_ns = rv_monotonic_ns() + OPEN_MS * 1000000LL;

    ask_for(load, events);
    while (load->n_watching < load->n_watchers && !load->watchers_lost &&
           rv_monotonic_ns() < until_ns)
        wire_serve(load->wire, until_ns);
    if (load->n_watching == load->n_watchers)
        return true;
    return bench_sorry(load->bench, "%d of %d streams of %s opened", load->n_watching,
                       load->n_watchers, events);
}
