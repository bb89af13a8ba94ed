/*
 * W4, the streams of one run: two hundred watch a run of 500 steps, one after the other, from
 * soon after its start to its end. Every one must get every event, in order, without a gap.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

#include "event.h"
#include "histogram.h"
#include "wire.h"

#include "bench.h"

enum { STREAMS = 200, RUN_MS = 60000 };

struct watched {
    struct bench *bench;
    struct wire *wire;
    struct watcher {
        struct watched *watched;
        struct conn *conn;
        int64_t last_seq;
    } watchers[STREAMS];
    struct conn *poster;
    struct run_id run;
    int n_open, n_done;
    bool submitted, broken;
    int64_t open_us, done_us; /* since when all watch; when all had seen the end */
    int64_t delivered, live, gaps;
    struct histogram delay; /* of events that happened when all were watching */
};

static void gone(struct watched *watched, const char *what, const char *why)
{
    if (!watched->broken)
        bench_sorry(watched->bench, "%s: %s", what, why);
    watched->broken = true;
}

static void on_submitted(struct conn *conn, int status, const char *body, size_t len)
{
    struct watched *watched = conn_owner(conn);

    if (status == 202 && event_run_id(body, len, &watched->run))
        watched->submitted = true;
    else
        gone(watched, "the run is refused", body);
}

static void on_poster_gone(struct conn *conn, const char *why)
{
    gone(conn_owner(conn), "the run is not submitted", why);
}

static void on_refused(struct conn *conn, int status, const char *body, size_t len)
{
    struct watcher *watcher = conn_owner(conn);

    (void)status, (void)len;
    gone(watcher->watched, "no stream", body);
}

static void on_open(struct conn *conn)
{
    struct watcher *watcher = conn_owner(conn);

    if (++watcher->watched->n_open == STREAMS)
        watcher->watched->open_us = bench_now_us();
}

static bool is_done(const struct watcher *watcher)
{
    return watcher->last_seq < 0;
}

/* After the run's last event a stream may end. */
static void on_closed(struct conn *conn, const char *why)
{
    struct watcher *watcher = conn_owner(conn);

    if (!is_done(watcher))
        gone(watcher->watched, "a watcher is lost before the end of the run", why);
}

static void on_event(struct conn *conn, const char *frame, size_t len)
{
    struct watcher *watcher = conn_owner(conn);
    struct watched *watched = watcher->watched;
    int64_t at_ms = event_int(frame, len, "at_ms"), seq = event_int(frame, len, "run_seq");

    if (at_ms < 0 || seq < 0 || is_done(watcher))
        return;
    watched->delivered++;
    watched->gaps += seq != watcher->last_seq + 1;
    watcher->last_seq = seq;
    if (watched->open_us > 0 && at_ms * 1000 >= watched->open_us) {
        watched->live++;
        histogram_add(&watched->delay, bench_now_us() - at_ms * 1000);
    }
    if (!event_is(frame, len, "run.completed") && !event_is(frame, len, "run.failed"))
        return;
    watcher->last_seq = -1;
    if (++watched->n_done == STREAMS)
        watched->done_us = bench_now_us();
}

static void on_nothing(struct conn *conn)
{
    (void)conn;
}

/* clang-format off */
static const struct conn_ops poster_ops = { on_submitted, on_nothing, NULL, on_poster_gone };
static const struct conn_ops watcher_ops = { on_refused, on_open, on_event, on_closed };
/* clang-format on */

static bool submit(struct watched *watched)
{
    static const char body[] = "{\"project\":\"bench\",\"workflow\":\"chain\"}";
    struct bench *bench = watched->bench;
    const char *ask =
        rv_printf(bench->cx,
                  "POST /v1/runs HTTP/1.1\r\nHost: %s:%d\r\n%s"
                  "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                  bench->host, bench->port, bench->key_header, sizeof(body) - 1, body);
    int64_t until_ms = rv_monotonic_ms() + BENCH_LOST_MS;

    watched->poster = conn_new(watched->wire, &poster_ops, watched);
    conn_ask(watched->poster, ask, strlen(ask));
    while (!watched->submitted && !watched->broken && rv_monotonic_ms() < until_ms)
        wire_serve(watched->wire, rv_monotonic_ns() + 1000000);
    return watched->submitted;
}

static void watch(struct watched *watched)
{
    struct bench *bench = watched->bench;
    const char *ask;
    char run[37];

    run_id_text(watched->run, run);
    ask = rv_printf(bench->cx,
                    "GET /v1/runs/%s/events HTTP/1.1\r\nHost: %s:%d\r\n%s"
                    "Accept: text/event-stream\r\n\r\n",
                    run, bench->host, bench->port, bench->key_header);
    for (int i = 0; i < STREAMS; i++) {
        struct watcher *watcher = &watched->watchers[i];

        *watcher = (struct watcher){ .watched = watched };
        watcher->conn = conn_new(watched->wire, &watcher_ops, watcher);
        conn_ask(watcher->conn, ask, strlen(ask));
    }
}

static bool follow(struct watched *watched)
{
    int64_t until_ms = rv_monotonic_ms() + RUN_MS;

    while (watched->n_done < STREAMS && !watched->broken && rv_monotonic_ms() < until_ms)
        wire_serve(watched->wire, rv_monotonic_ns() + 1000000);
    if (watched->broken)
        return false;
    if (watched->n_done < STREAMS)
        return bench_sorry(watched->bench, "%d of %d saw the end of the run", watched->n_done,
                           STREAMS);
    if (watched->live == 0)
        return bench_sorry(watched->bench, "the run was over before all were watching");
    return true;
}

static void figures(const struct watched *watched)
{
    double seconds = (double)(watched->done_us - watched->open_us) / 1e6;
    struct bench *bench = watched->bench;

    bench_figure(bench, "one_run_deliveries_per_s", (double)watched->live / seconds, "events/s", 0);
    bench_figure(bench, "one_run_delay_p50_ms", histogram_ms(&watched->delay, 0.50), "ms", 0);
    bench_figure(bench, "one_run_delay_p99_ms", histogram_ms(&watched->delay, 0.99), "ms", 0);
    bench_figure(bench, "one_run_gaps", (double)watched->gaps, "events", 0);
}

bool w4_one_run(struct bench *bench)
{
    struct watched *watched = rv_new(bench->cx, struct watched);
    bool ok = false;

    watched->bench = bench;
    watched->wire = wire_new(bench->host, bench->port);
    if (submit(watched)) {
        watch(watched);
        ok = follow(watched);
    }
    if (ok)
        figures(watched);
    for (int i = 0; i < STREAMS; i++)
        conn_free(watched->watchers[i].conn);
    conn_free(watched->poster);
    wire_free(watched->wire);
    if (watched->gaps > 0)
        return bench_sorry(bench, "%lld gaps in the streams of one run", (long long)watched->gaps);
    return ok;
}
