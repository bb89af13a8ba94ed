#include "runtime/metrics.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* The upper ends of the buckets, in seconds. */
static const double bounds[RV_LATENCY_BUCKETS] = { 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025,
                                                   0.05,   0.1,    0.25,  0.5,   1,     2.5,  10 };
static const char *const kinds[] = { [RV_COUNTER] = "counter", [RV_GAUGE] = "gauge" };

static _Atomic(struct rv_meter *) meters;

struct rv_meter *rv_meter_new(const char *name)
{
    struct rv_meter *meter = calloc(1, sizeof(*meter));

    if (!meter)
        abort();
    meter->name = name;
    meter->next = atomic_load(&meters);
    while (!atomic_compare_exchange_weak(&meters, &meter->next, meter))
        ;
    return meter;
}

struct rv_meter *rv_meters(void)
{
    return atomic_load(&meters);
}

#define ADD(counter, by) atomic_fetch_add_explicit(&(counter), (by), memory_order_relaxed)

void rv_meter_add(struct rv_meter *meter, size_t items, int64_t took_ns, const char *failed)
{
    size_t bucket = 0;

    while (bucket < RV_LATENCY_BUCKETS && (double)took_ns > bounds[bucket] * 1e9)
        bucket++;
    ADD(meter->units, 1);
    ADD(meter->items, (int64_t)items);
    ADD(meter->busy_ns, took_ns);
    ADD(meter->buckets[bucket], 1);
    if (failed) {
        ADD(meter->errors, 1);
        atomic_store(&meter->last_error, failed);
    }
}

static void print_head(FILE *out, const char *name, const char *kind, const char *doc)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, doc, name, kind);
}

static void print_latency(FILE *out, struct rv_meter *meter)
{
    int64_t sum = 0;

    for (size_t i = 0; i < RV_LATENCY_BUCKETS; i++) {
        sum += atomic_load(&meter->buckets[i]);
        fprintf(out, "reeve_work_seconds_bucket{what=\"%s\",le=\"%g\"} %lld\n", meter->name,
                bounds[i], (long long)sum);
    }
    sum += atomic_load(&meter->buckets[RV_LATENCY_BUCKETS]);
    fprintf(out, "reeve_work_seconds_bucket{what=\"%s\",le=\"+Inf\"} %lld\n", meter->name,
            (long long)sum);
    fprintf(out, "reeve_work_seconds_sum{what=\"%s\"} %.9f\n", meter->name,
            (double)atomic_load(&meter->busy_ns) / 1e9);
    fprintf(out, "reeve_work_seconds_count{what=\"%s\"} %lld\n", meter->name, (long long)sum);
}

static void print_meters(FILE *out)
{
    if (!rv_meters())
        return;
    print_head(out, "reeve_work_seconds", "histogram", "how long a unit of work took");
    for (struct rv_meter *meter = rv_meters(); meter; meter = meter->next)
        print_latency(out, meter);
    print_head(out, "reeve_work_items_total", "counter", "items in the units of work");
    for (struct rv_meter *meter = rv_meters(); meter; meter = meter->next)
        fprintf(out, "reeve_work_items_total{what=\"%s\"} %lld\n", meter->name,
                (long long)atomic_load(&meter->items));
    print_head(out, "reeve_work_failures_total", "counter", "units of work that failed");
    for (struct rv_meter *meter = rv_meters(); meter; meter = meter->next)
        fprintf(out, "reeve_work_failures_total{what=\"%s\"} %lld\n", meter->name,
                (long long)atomic_load(&meter->errors));
}

/* Resident pages; 0 where /proc is not to be had. */
static long long resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long long total = 0, resident = 0;

    if (!file)
        return 0;
    if (fscanf(file, "%lld %lld", &total, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

static void print_process(const char *service, FILE *out)
{
    struct timespec cpu = { 0 };

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    print_head(out, "reeve_info", "gauge", "which service this is");
    fprintf(out, "reeve_info{service=\"%s\"} 1\n", service);
    print_head(out, "process_cpu_seconds_total", "counter", "processor time used");
    fprintf(out, "process_cpu_seconds_total %lld.%09ld\n", (long long)cpu.tv_sec, cpu.tv_nsec);
    print_head(out, "process_resident_memory_bytes", "gauge", "resident memory");
    fprintf(out, "process_resident_memory_bytes %lld\n", resident_bytes());
}

void rv_metrics_print(const char *service, const struct rv_metric *rows, FILE *out)
{
    for (const struct rv_metric *row = rows; row && row->name; row++) {
        print_head(out, row->name, kinds[row->kind], row->doc);
        fprintf(out, "%s %lld\n", row->name, (long long)atomic_load(&row->value));
    }
    print_meters(out);
    print_process(service, out);
}
