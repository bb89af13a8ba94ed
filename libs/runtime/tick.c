#define _GNU_SOURCE /* asprintf */

#include "runtime/tick.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "runtime/failpoint.h"

struct clockwork {
    struct clockwork *next;
    struct rv_ticks *all;
    const struct rv_tick *row;
    void *state;
    struct rv_queue *queue;
    struct rv_meter *meter;
    char *point; /* "tick.<name>"; the meter keeps it too, so it stays */
    int64_t due_ms, rested_ms;
    bool busy;   /* pushed or running */
    bool wanted; /* woken meanwhile */
};

struct rv_ticks {
    pthread_mutex_t lock;
    pthread_cond_t change;
    pthread_t thread;
    bool running, stopping;
    int64_t next_ms; /* until when the thread sleeps */
    struct clockwork *first;
};

/* With the lock held. */
static void push(struct clockwork *clock)
{
    if (clock->busy || clock->all->stopping)
        return;
    clock->busy = rv_queue_push(clock->queue, clock);
    clock->wanted = false;
    clock->due_ms = rv_monotonic_ms() + clock->row->every_ms;
}

/* With the lock held: now, or when it has rested. */
static void push_rested(struct clockwork *clock)
{
    if (clock->rested_ms <= rv_monotonic_ms()) {
        push(clock);
        return;
    }
    clock->due_ms = clock->rested_ms;
    if (clock->due_ms < clock->all->next_ms)
        pthread_cond_signal(&clock->all->change);
}

static rv_result run(struct rv_ctx *cx, struct clockwork *clock, struct rv_tick_next *next)
{
    RV_TRY(cx, rv_failpoint_at(cx, clock->point, "begin"));
    RV_TRY(cx, clock->row->tick(cx, clock->state, next));
    RV_TRY(cx, rv_failpoint_at(cx, clock->point, "commit.before"));
    RV_TRY(cx, rv_db_commit(cx));
    rv_ctx_run_after(cx);
    return rv_failpoint_at(cx, clock->point, "commit.after");
}

static void work_tick(struct rv_ctx *cx, void *arg, void **items, size_t n)
{
    struct clockwork *clock = arg;
    struct rv_ticks *all = clock->all;
    int64_t start_ns = rv_monotonic_ns();
    struct rv_tick_next next = { 0 };
    enum rv_status status;
    int64_t now_ms;

    (void)items;
    pthread_mutex_lock(&all->lock);
    clock->wanted = false; /* whoever woke it until now is served by this run */
    pthread_mutex_unlock(&all->lock);
    status = run(cx, clock, &next);
    if (status != RV_OK) {
        rv_db_rollback(cx);
        cx->after = NULL;
        next = (struct rv_tick_next){ 0 };
        rv_log_failure(cx, "tick failed", clock->row->name);
    }
    rv_meter_add(clock->meter, n, rv_monotonic_ns() - start_ns,
                 status == RV_OK ? NULL : rv_status_text(status));
    pthread_mutex_lock(&all->lock);
    clock->busy = false;
    now_ms = rv_monotonic_ms();
    clock->rested_ms = now_ms + next.rest_ms;
    clock->due_ms = now_ms + clock->row->every_ms;
    if (next.again)
        push(clock);
    else if (clock->wanted)
        push_rested(clock);
    if (!clock->busy && clock->due_ms < all->next_ms)
        pthread_cond_signal(&all->change);
    pthread_mutex_unlock(&all->lock);
}

static void add(struct rv_runtime *runtime, const struct rv_tick *row, void *state)
{
    struct clockwork *clock = calloc(1, sizeof(*clock));
    struct rv_queue_options options = {
        .name = row->name,
        .depth = 1,
        .batch = 1,
        .parallel = 1,
        .work = work_tick,
        .arg = clock,
    };

    if (!clock || asprintf(&clock->point, "tick.%s", row->name) < 0)
        abort();
    clock->all = runtime->ticks;
    clock->row = row;
    clock->state = state;
    clock->meter = rv_meter_new(clock->point);
    clock->queue = rv_pool_add(runtime->pool, &options);
    clock->next = runtime->ticks->first;
    runtime->ticks->first = clock;
}

void rv_ticks_add(struct rv_runtime *runtime, const struct rv_tick *own, void *own_state)
{
    struct rv_ticks *ticks = calloc(1, sizeof(*ticks));
    pthread_condattr_t monotonic;

    if (!ticks)
        abort();
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&ticks->lock, NULL);
    pthread_cond_init(&ticks->change, &monotonic);
    runtime->ticks = ticks;
    for (const struct rv_tick *row = own; row && row->name; row++)
        add(runtime, row, own_state);
    for (const struct rv_tick *row = runtime->service->ticks; row && row->name; row++)
        add(runtime, row, runtime->service->state);
}

/* Pushes what is due; returns when the next will be. */
static int64_t push_due(struct rv_ticks *ticks)
{
    int64_t now_ms = rv_monotonic_ms(), next_ms = now_ms + 60000;

    for (struct clockwork *clock = ticks->first; clock; clock = clock->next) {
        if (!clock->busy && clock->due_ms <= now_ms)
            push(clock);
        if (!clock->busy && clock->due_ms < next_ms)
            next_ms = clock->due_ms;
    }
    return next_ms;
}

static void *watch(void *arg)
{
    struct rv_ticks *ticks = arg;

    pthread_mutex_lock(&ticks->lock);
    while (!ticks->stopping) {
        struct timespec until;

        ticks->next_ms = push_due(ticks);
        until = (struct timespec){ ticks->next_ms / 1000, ticks->next_ms % 1000 * 1000000 };
        pthread_cond_timedwait(&ticks->change, &ticks->lock, &until);
    }
    pthread_mutex_unlock(&ticks->lock);
    return NULL;
}

rv_result rv_ticks_start(struct rv_ctx *cx, struct rv_runtime *runtime)
{
    if (pthread_create(&runtime->ticks->thread, NULL, watch, runtime->ticks) != 0)
        return rv_fail(cx, RV_EXHAUSTED, "no thread for the ticks");
    runtime->ticks->running = true;
    return RV_OK;
}

void rv_tick_wake(struct rv_runtime *runtime, const char *name)
{
    struct rv_ticks *ticks = runtime->ticks;

    if (!ticks)
        return;
    pthread_mutex_lock(&ticks->lock);
    for (struct clockwork *clock = ticks->first; clock; clock = clock->next) {
        if (strcmp(clock->row->name, name) != 0)
            continue;
        clock->wanted = true;
        if (!clock->busy)
            push_rested(clock);
    }
    pthread_mutex_unlock(&ticks->lock);
}

void rv_ticks_stop(struct rv_runtime *runtime)
{
    struct rv_ticks *ticks = runtime->ticks;

    if (!ticks)
        return;
    pthread_mutex_lock(&ticks->lock);
    ticks->stopping = true;
    pthread_cond_signal(&ticks->change);
    pthread_mutex_unlock(&ticks->lock);
    if (ticks->running)
        pthread_join(ticks->thread, NULL);
    ticks->running = false;
}

void rv_ticks_free(struct rv_runtime *runtime)
{
    struct rv_ticks *ticks = runtime->ticks;

    if (!ticks)
        return;
    while (ticks->first) {
        struct clockwork *clock = ticks->first;

        ticks->first = clock->next;
        free(clock);
    }
    pthread_mutex_destroy(&ticks->lock);
    pthread_cond_destroy(&ticks->change);
    free(ticks);
    runtime->ticks = NULL;
}
