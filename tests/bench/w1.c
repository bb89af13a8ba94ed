/* W1, W1o: runs of three steps, one after the other. W2: one run of a thousand at once. */

#include <stdlib.h>

#include "base/time.h"

#include "measure.h"

static const char completed[] = "/v1/events?type=run.completed";

static bool figures(const struct stretch *stretch, int in_flight)
{
    const struct load *load = stretch->load;

    if (!load_is_good(load))
        return false;
    bench_figure(load->bench, "runs_per_s", (double)load->completed / stretch_seconds(stretch),
                 "runs/s", in_flight);
    bench_figure(load->bench, "p50_ms", histogram_ms(&load->took, 0.50), "ms", in_flight);
    bench_figure(load->bench, "p99_ms", histogram_ms(&load->took, 0.99), "ms", in_flight);
    if (load->refused + load->lost > 0)
        bench_figure(load->bench, "errors", (double)(load->refused + load->lost), "runs",
                     in_flight);
    figure_cpu(stretch, in_flight);
    return true;
}

static bool closed_with(struct bench *bench, int in_flight)
{
    struct load *load = rv_new(bench->cx, struct load);
    struct stretch stretch;
    bool ok;

    if (!load_open(load, bench, "three", in_flight, completed, 1))
        return false;
    measure_closed(&stretch, load, bench_warm_up(bench), bench_seconds(bench, 10));
    ok = figures(&stretch, in_flight);
    load_close(load);
    return ok;
}

bool w1_closed(struct bench *bench)
{
    bool ok = true;

    if (bench->in_flight > 0)
        return closed_with(bench, bench->in_flight);
    for (int in_flight = 16; in_flight <= 256; in_flight *= 4)
        ok = closed_with(bench, in_flight) && ok;
    return ok;
}

bool w1_open(struct bench *bench)
{
    enum { PER_SECOND = 50, PLACES = 256 };
    struct load *load = rv_new(bench->cx, struct load);
    struct stretch stretch;
    bool ok;

    if (!load_open(load, bench, "three", PLACES, completed, 1))
        return false;
    measure_open(&stretch, load, PER_SECOND, bench_seconds(bench, 20));
    ok = figures(&stretch, 0);
    load_close(load);
    return ok;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

/* How long one run took; below 0: it did not complete. */
static double one_run_ms(struct load *load)
{
    int64_t began_ns = rv_monotonic_ns();

    load_submit(load, began_ns);
    while (load->in_flight > 0 && load->refused + load->lost == 0)
        load_serve(load, rv_monotonic_ns() + 100000);
    return load->in_flight > 0 ? -1 : (double)(rv_monotonic_ns() - began_ns) / 1e6;
}

bool w2_wide(struct bench *bench)
{
    enum { TIMES = 5 };
    struct load *load = rv_new(bench->cx, struct load);
    double took_ms[TIMES];

    if (!load_open(load, bench, "wide", 1, completed, 1))
        return false;
    load->measuring = true;
    for (int i = 0; i < TIMES; i++)
        took_ms[i] = one_run_ms(load);
    load->measuring = false;
    qsort(took_ms, TIMES, sizeof(took_ms[0]), by_value);
    if (took_ms[0] >= 0 && load_is_good(load)) {
        bench_figure(bench, "median_ms", took_ms[TIMES / 2], "ms", 0);
        bench_figure(bench, "fastest_ms", took_ms[0], "ms", 0);
        bench_figure(bench, "slowest_ms", took_ms[TIMES - 1], "ms", 0);
    }
    load_close(load);
    return took_ms[0] >= 0 && load_is_good(load);
}
