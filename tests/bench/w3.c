/* W3: everything is started and nobody asks for anything. */

#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"

#include "bench.h"
#include "usage.h"

enum { SETTLE_MS = 3000 }; /* for what the workload before has left to do */

static void figures_each(const struct bench *bench, const struct usage *before,
                         const struct usage *after, double seconds)
{
    char figure[64];

    for (size_t i = 0; i < after->n; i++) {
        const struct usage_row *row = &after->rows[i];

        snprintf(figure, sizeof(figure), "pss_mib_%s", row->name);
        bench_figure(bench, figure, row->pss_mib, "MiB", 0);
        snprintf(figure, sizeof(figure), "cpu_ms_per_s_%s", row->name);
        bench_figure(bench, figure, (double)(row->cpu_ns - before->rows[i].cpu_ns) / 1e6 / seconds,
                     "ms/s", 0);
    }
}

bool w3_idle(struct bench *bench)
{
    double seconds = bench_seconds(bench, 30), pss_mib = 0;
    struct usage before, after;

    if (!bench->data)
        return bench_sorry(bench, "the processes of the system are not known: use --data");
    rv_sleep_ms(bench->seconds > 0 ? 0 : SETTLE_MS);
    if (usage_read(bench->cx, bench->data, false, &before) != RV_OK)
        return bench_sorry(bench, "%s", bench->cx->error.text);
    rv_sleep_ms((int64_t)(seconds * 1000));
    if (usage_read(bench->cx, bench->data, true, &after) != RV_OK)
        return bench_sorry(bench, "%s", bench->cx->error.text);
    for (size_t i = 0; i < after.n; i++)
        pss_mib += after.rows[i].is_service ? after.rows[i].pss_mib : 0;
    if (pss_mib <= 0 || before.n != after.n)
        return bench_sorry(bench, "/proc does not say what the services use");
    bench_figure(bench, "pss_mib_services", pss_mib, "MiB", 0);
    bench_figure(bench, "cpu_ms_per_s_services", usage_cpu_ms(&before, &after, true) / seconds,
                 "ms/s", 0);
    figures_each(bench, &before, &after, seconds);
    return true;
}
