/*
 * W4: two hundred event streams. Every event is a committed row before it goes out; its delay is
 * from its at_ms, which is Postgres' clock in whole milliseconds, to when this driver has read it.
 */

#include <stdlib.h>
#include <string.h>

#include "base/time.h"

#include "measure.h"

enum { STREAMS = 200 };

static void figure(const struct load *load, const char *name, double value, const char *unit,
                   int in_flight)
{
    bench_figure(load->bench, name, value, unit, in_flight);
}

/* 25 events a second, evenly: as many runs of one step, of which all streams want the end. */
static bool paced(struct bench *bench)
{
    enum { PER_SECOND = 25, PLACES = 64 };
    struct load *load = rv_new(bench->cx, struct load);
    struct stretch stretch;
    bool ok;

    if (!load_open(load, bench, "one", PLACES, "/v1/events?type=run.completed", STREAMS))
        return false;
    measure_open(&stretch, load, PER_SECOND, bench_seconds(bench, 10));
    ok = load_is_good(load);
    if (ok) {
        figure(load, "streams_ready_ms", load->ready_ms, "ms", 0);
        figure(load, "paced_delay_p50_ms", histogram_ms(&load->delay, 0.50), "ms", 0);
        figure(load, "paced_delay_p99_ms", histogram_ms(&load->delay, 0.99), "ms", 0);
        figure(load, "paced_missed", (double)load->missed, "events", 0);
    }
    load_close(load);
    return ok;
}

/* All events of all runs to everybody; a run is over when every stream has told of it. */
static bool flat_out(struct bench *bench)
{
    enum { IN_FLIGHT = 8 };
    struct load *load = rv_new(bench->cx, struct load);
    struct stretch stretch;
    bool ok;

    if (!load_open(load, bench, "three", IN_FLIGHT, "/v1/events", STREAMS))
        return false;
    measure_closed(&stretch, load, bench_warm_up(bench), bench_seconds(bench, 10));
    ok = load_is_good(load);
    if (ok) {
        figure(load, "deliveries_per_s", (double)load->delivered / stretch_seconds(&stretch),
               "events/s", IN_FLIGHT);
        figure(load, "delay_p50_ms", histogram_ms(&load->delay, 0.50), "ms", IN_FLIGHT);
        figure(load, "missed", (double)load->missed, "events", IN_FLIGHT);
        figure(load, "delay_p99_ms", histogram_ms(&load->delay, 0.99), "ms", IN_FLIGHT);
        figure(load, "runs_per_s", (double)load->completed / stretch_seconds(&stretch), "runs/s",
               IN_FLIGHT);
        figure_cpu(&stretch, IN_FLIGHT);
    }
    load_close(load);
    return ok;
}

bool w4_streams(struct bench *bench)
{
    bool ok = paced(bench);

    ok = flat_out(bench) && ok;
    return w4_one_run(bench) && ok;
}
