#include "tell.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "contract/subjects.h"
#include "ends.h"
#include "runtime/failpoint.h"

/* Tasks of one message: so that one executor does not swallow a fan-out. */
enum { BUNDLE_MAX = 32 };

struct news {
    struct scheduler_service *service;
    struct outbox *outbox;
};

static void unheard(struct rv_ctx *cx, const char *what)
{
    rv_warn(cx, "news was not told; the sweeper will", RV_F("what", what),
            RV_F("why", (const char *)cx->error.text));
}

static int by_class(const void *a, const void *b)
{
    const struct announcement *x = a, *y = b;
    int got = strcmp(x->class_name, y->class_name);

    return got ? got : (int)x->priority - (int)y->priority;
}

static enum rv_status publish_bundle(struct rv_ctx *cx, struct news *news,
                                     const struct announcement *first, size_t n)
{
    struct task_bundle bundle = { .items = rv_new_array(cx, struct task_ref, n), .n_items = n };
    const uint8_t *bytes;
    size_t len;

    for (size_t i = 0; i < n; i++)
        bundle.items[i] = first[i].ref;
    RV_TRY(cx, rv_failpoint(cx, "scheduler.announce.before"));
    RV_TRY(cx, rv_pb_write(cx, &SUBJ_WORK.in, &bundle, &bytes, &len));
    RV_TRY(cx, rv_bus_publish(cx, news->service->runtime->bus,
                              rv_printf(cx, "%s.%s.%s", SUBJ_WORK.name, first->class_name,
                                        rv_enum_word(&priority_enum, (int)first->priority)),
                              bytes, len));
    return rv_failpoint(cx, "scheduler.announce.after");
}

static void announce(struct rv_ctx *cx, struct news *news)
{
    struct announcement *ready = news->outbox->ready;
    size_t n = news->outbox->n_ready, from = 0;

    if (n)
        qsort(ready, n, sizeof(*ready), by_class);
    for (size_t i = 1; i <= n; i++) {
        if (i < n && i - from < BUNDLE_MAX && by_class(&ready[from], &ready[i]) == 0)
            continue;
        if (publish_bundle(cx, news, &ready[from], i - from) != RV_OK)
            unheard(cx, "ready tasks");
        from = i;
    }
}

static void settle(struct news *news)
{
    struct outbox *out = news->outbox;

    for (size_t i = 0; i < out->n_over; i++)
        ends_add(news->service->ends, out->over[i]);
    if (out->n_over)
        rv_tick_wake(news->service->runtime, "settle");
}

static void stop(struct rv_ctx *cx, struct news *news, struct run **runs, size_t n_runs)
{
    struct task_ref *refs = rv_new_array(cx, struct task_ref, n_runs);
    size_t n = 0;

    for (size_t i = 0; i < n_runs; i++)
        if (runs[i]->state != RUN_COMPLETED)
            refs[n++] = (struct task_ref){ runs[i]->tenant_id, runs[i]->run_id, -1 };
    if (n && rv_bus_tell(cx, news->service->runtime->bus, &SUBJ_TASK_CANCEL, refs, n) != RV_OK)
        unheard(cx, "cancellations");
}

static void tell(struct rv_ctx *cx, void *arg)
{
    struct news *news = arg;
    struct outbox *out = news->outbox;

    rv_count(&scheduler_metric_rows[METRIC_TASKS_CLAIMED], (int64_t)out->n_attempts);
    rv_count(&scheduler_metric_rows[METRIC_RUNS_OVER], (int64_t)out->n_over);
    announce(cx, news);
    settle(news); /* before the end is heard of: its money is wanted for the next run */
    if (out->n_events)
        rv_tick_wake(news->service->runtime, "relay");
    stop(cx, news, out->cancelling, out->n_cancelling);
    stop(cx, news, out->over, out->n_over);
}

void tell_after_commit(struct batch *batch)
{
    struct news *news = rv_new(batch->cx, struct news);

    news->service = batch->service;
    news->outbox = rv_new(batch->cx, struct outbox);
    *news->outbox = batch->outbox;
    rv_after(batch->cx, tell, news);
}
