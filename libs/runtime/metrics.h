#pragma once

/*
 * Metrics: one row each, counted with atomics, shown as Prometheus text at /metrics.
 *
 *     #define BUDGET_METRICS(X)                                                     \
 *         X(COUNTER, BUDGET_HOLDS, "reeve_budget_holds_total", "holds granted")     \
 *         X(GAUGE,   BUDGET_OPEN,  "reeve_budget_open_holds",  "holds not settled")
 *     RV_METRICS_DECLARE(budget_metric, BUDGET_METRICS)    in budget.h
 *     RV_METRICS_DEFINE(budget_metric, BUDGET_METRICS)     in one .c; RV_METRICS is both, for one
 * file rv_count(&budget_metric_rows[BUDGET_HOLDS], 1);
 *
 * Histograms have fixed buckets in seconds; the dispatcher keeps one per subject and route.
 */

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

enum rv_metric_kind { RV_COUNTER, RV_GAUGE };

struct rv_metric {
    enum rv_metric_kind kind;
    const char *name, *doc;
    _Atomic int64_t value;
};

#define RV_METRIC_ID_(kind, id, name, doc)  id,
#define RV_METRIC_ROW_(kind, id, name, doc) [id] = { RV_##kind, name, doc, 0 },
#define RV_METRICS_DECLARE(tag, LIST)                                                              \
    enum tag { LIST(RV_METRIC_ID_) tag##_count };                                                  \
    extern struct rv_metric tag##_rows[];
#define RV_METRICS_DEFINE(tag, LIST)                                                               \
    struct rv_metric tag##_rows[] = { LIST(RV_METRIC_ROW_){ .name = NULL } };
#define RV_METRICS(tag, LIST)                                                                      \
    enum tag { LIST(RV_METRIC_ID_) tag##_count };                                                  \
    static struct rv_metric tag##_rows[] = { LIST(RV_METRIC_ROW_){ .name = NULL } };

static inline void rv_count(struct rv_metric *metric, int64_t by)
{
    atomic_fetch_add_explicit(&metric->value, by, memory_order_relaxed);
}

enum { RV_LATENCY_BUCKETS = 14 };

/* What the dispatcher counts of one subject, route or tick. */
struct rv_meter {
    const char *name;
    _Atomic int64_t units, items, errors; /* units of work, items in them, failed units */
    _Atomic int64_t busy_ns;
    _Atomic int64_t buckets[RV_LATENCY_BUCKETS + 1];
    _Atomic(const char *) last_error; /* the text of a status */
    struct rv_meter *next;
};
struct rv_meter *rv_meter_new(const char *name); /* lives as long as the process */
void rv_meter_add(struct rv_meter *meter, size_t items, int64_t took_ns, const char *failed);
struct rv_meter *rv_meters(void); /* the list, newest first */

/* Everything in Prometheus text format 0.0.4: @rows (NULL is fine), all meters, the process. */
void rv_metrics_print(const char *service, const struct rv_metric *rows, FILE *out);
