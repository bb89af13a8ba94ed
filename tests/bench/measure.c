#include "measure.h"

#include <stdio.h>

#include "base/time.h"

#define SECOND 1000000000LL
enum { OPEN_WARM_UP = 25 }; /* runs of an open loop that are not counted */

static bool look_at(const struct stretch *stretch, struct usage *usage)
{
    struct bench *bench = stretch->load->bench;

    return bench->data && usage_read(bench->cx, bench->data, false, usage) == RV_OK;
}

void stretch_begin(struct stretch *stretch, struct load *load)
{
    *stretch = (struct stretch){ .load = load };
    stretch->has_usage = look_at(stretch, &stretch->before);
    stretch->began_ns = rv_monotonic_ns();
    load->measuring = true;
}

void stretch_end(struct stretch *stretch)
{
    stretch->load->measuring = false;
    stretch->ended_ns = rv_monotonic_ns();
    stretch->has_usage = stretch->has_usage && look_at(stretch, &stretch->after);
}

double stretch_seconds(const struct stretch *stretch)
{
    return (double)(stretch->ended_ns - stretch->began_ns) / 1e9;
}

void measure_closed(struct stretch *stretch, struct load *load, double warm_up_s, double seconds)
{
    int64_t now_ns = rv_monotonic_ns();

    load->refill = true;
    while (load_submit(load, now_ns))
        ;
    load_serve(load, now_ns + (int64_t)(warm_up_s * SECOND));
    stretch_begin(stretch, load);
    load_serve(load, stretch->began_ns + (int64_t)(seconds * SECOND));
    stretch_end(stretch);
    load_drain(load);
}

/* What was due and found no place is submitted when there is one, and counts from when it was due.
 */
static void submit_evenly(struct load *load, int64_t begin_ns, int64_t gap_ns, int64_t n)
{
    for (int64_t i = 0; i < n;) {
        int64_t due_ns = begin_ns + i * gap_ns;

        load_serve(load, due_ns);
        if (load_submit(load, due_ns))
            i++;
        else
            load_serve(load, rv_monotonic_ns() + SECOND / 1000);
    }
}

void measure_open(struct stretch *stretch, struct load *load, double per_second, double seconds)
{
    int64_t gap_ns = (int64_t)(SECOND / per_second);

    submit_evenly(load, rv_monotonic_ns() + gap_ns, gap_ns, OPEN_WARM_UP);
    load_drain(load);
    stretch_begin(stretch, load);
    submit_evenly(load, stretch->began_ns + gap_ns, gap_ns, (int64_t)(per_second * seconds));
    load_drain(load);
    stretch_end(stretch);
}

void figure_cpu(const struct stretch *stretch, int in_flight)
{
    struct bench *bench = stretch->load->bench;
    double runs = (double)stretch->load->completed;
    char figure[64];

    if (!stretch->has_usage || runs == 0)
        return;
    bench_figure(bench, "cpu_ms_per_run",
                 usage_cpu_ms(&stretch->before, &stretch->after, false) / runs, "ms", in_flight);
    for (size_t i = 0; i < stretch->after.n; i++) {
        int64_t spent_ns = stretch->after.rows[i].cpu_ns - stretch->before.rows[i].cpu_ns;

        snprintf(figure, sizeof(figure), "cpu_ms_per_run_%s", stretch->after.rows[i].name);
        bench_figure(bench, figure, (double)spent_ns / 1e6 / runs, "ms", in_flight);
    }
    bench_figure(bench, "cpu_ms_per_run_driver",
                 (double)(stretch->after.driver_ns - stretch->before.driver_ns) / 1e6 / runs, "ms",
                 in_flight);
}
