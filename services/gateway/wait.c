#include "wait.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/time.h"
#include "hub.h"
#include "run_answer.h"

enum { DEPTH = 20000, BATCH = 32, AT_ONCE = 2 };

/* One request that waits. In the table until somebody answers it. */
struct wait {
    struct waits *waits;
    struct wait *next; /* of the same run */
    char run_id[40];
    bool heard;  /* the run's end, before anybody could be answered */
    bool armed;  /* there is a request */
    bool queued; /* a worker looks at it, or soon will */
    int64_t until_ms;
    struct call call;
    struct caller caller;
};

struct waits {
    struct gateway *gateway;
    struct rv_queue *queue;
    pthread_mutex_t lock;
    struct rv_hash *runs; /* run_id → list */
};

static void put_in(struct wait *wait)
{
    wait->next = rv_hash_get(wait->waits->runs, wait->run_id);
    rv_hash_put(wait->waits->runs, wait->run_id, wait);
    atomic_fetch_add(&wait->waits->gateway->n_waits, 1);
}

static void take_out(struct wait *wait)
{
    struct rv_hash *runs = wait->waits->runs;
    struct wait *first = rv_hash_get(runs, wait->run_id), **at = &first;

    while (*at != wait)
        at = &(*at)->next;
    *at = wait->next;
    if (first)
        rv_hash_put(runs, wait->run_id, first);
    else
        rv_hash_take(runs, wait->run_id);
    atomic_fetch_sub(&wait->waits->gateway->n_waits, 1);
}

/* A full queue is tried again with the next tick. */
static void look_at(struct wait *wait)
{
    wait->heard = true;
    if (wait->armed && !wait->queued)
        wait->queued = rv_queue_push(wait->waits->queue, wait);
}

struct wait *wait_new(struct waits *waits, const char *run_id)
{
    struct wait *wait = calloc(1, sizeof(*wait));

    if (!wait)
        abort();
    wait->waits = waits;
    memcpy(wait->run_id, run_id, strlen(run_id) + 1);
    pthread_mutex_lock(&waits->lock);
    put_in(wait);
    pthread_mutex_unlock(&waits->lock);
    hub_stir(waits->gateway->hub);
    return wait;
}

void wait_cancel(struct wait *wait)
{
    if (!wait)
        return;
    pthread_mutex_lock(&wait->waits->lock);
    take_out(wait);
    pthread_mutex_unlock(&wait->waits->lock);
    free(wait);
}

void wait_begin(struct wait *wait, struct call *call, int64_t ms, bool look)
{
    call->taken = true;
    pthread_mutex_lock(&wait->waits->lock);
    wait->caller = *call->caller;
    wait->call = (struct call){ .gateway = call->gateway,
                                .request = call->request,
                                .route = call->route,
                                .caller = &wait->caller,
                                .replayed = call->replayed };
    wait->until_ms = rv_monotonic_ms() + ms;
    wait->armed = true;
    if (wait->heard || look)
        look_at(wait);
    pthread_mutex_unlock(&wait->waits->lock);
}

/* -- answering -- */

static rv_result read_run(struct rv_ctx *cx, const struct wait *wait, struct run *run)
{
    RV_TRY(cx, rv_db_tenant(cx, wait->caller.tenant_id));
    RV_TRY(cx, run_read(cx, wait->caller.tenant_id, call_project(&wait->call), wait->run_id, run));
    return rv_db_commit(cx);
}

static void answer(struct rv_ctx *cx, struct wait *wait, const struct run *run)
{
    struct call *call = &wait->call;

    if (run) {
        call->status = run_is_over(run->state) ? 200 : 202;
        call->location = rv_printf(cx, "/v1/runs/%s", wait->run_id);
        answer_done(cx, call, run);
    } else {
        rv_log_failure(cx, "a run that was waited for cannot be read", wait->run_id);
        answer_failure(cx, call->request, &cx->error, NULL);
        cx->error = (struct rv_error){ 0 };
    }
    wait_cancel(wait);
}

/*
 * Whether it goes on waiting: the run is not over, and there is time. What came meanwhile counts.
 * Whoever does not go on stays queued, so that nobody else takes it while it is answered.
 */
static bool goes_on(struct wait *wait)
{
    bool on;

    pthread_mutex_lock(&wait->waits->lock);
    on = rv_monotonic_ms() < wait->until_ms;
    if (on) {
        wait->queued = false;
        if (wait->heard)
            look_at(wait);
    }
    pthread_mutex_unlock(&wait->waits->lock);
    return on;
}

static void look(struct rv_ctx *cx, struct wait *wait)
{
    struct run run;

    pthread_mutex_lock(&wait->waits->lock);
    wait->heard = false;
    pthread_mutex_unlock(&wait->waits->lock);
    if (read_run(cx, wait, &run) != RV_OK) {
        rv_db_rollback(cx);
        answer(cx, wait, NULL);
    } else if (run_is_over(run.state) || !goes_on(wait)) {
        answer(cx, wait, &run);
    }
}

static void work(struct rv_ctx *cx, void *arg, void **items, size_t n)
{
    (void)arg;
    for (size_t i = 0; i < n; i++)
        look(cx, items[i]);
}

/* -- from the hub -- */

void waits_over(struct waits *waits, const char *run_id)
{
    if (!waits_any(waits->gateway))
        return;
    pthread_mutex_lock(&waits->lock);
    for (struct wait *w = rv_hash_get(waits->runs, run_id); w; w = w->next)
        look_at(w);
    pthread_mutex_unlock(&waits->lock);
}

bool waits_any(const struct gateway *gateway)
{
    return atomic_load(&gateway->n_waits) > 0;
}

void waits_tick(struct waits *waits, bool all)
{
    int64_t now_ms = rv_monotonic_ms();
    size_t at = 0;
    const char *run_id;
    void *list;

    if (!waits_any(waits->gateway))
        return;
    pthread_mutex_lock(&waits->lock);
    while (rv_hash_next(waits->runs, &at, &run_id, &list))
        for (struct wait *w = list; w; w = w->next)
            if (all || w->heard || (w->armed && now_ms >= w->until_ms))
                look_at(w);
    pthread_mutex_unlock(&waits->lock);
}

void waits_end(struct waits *waits)
{
    size_t at = 0;
    const char *run_id;
    void *list;

    pthread_mutex_lock(&waits->lock);
    while (rv_hash_next(waits->runs, &at, &run_id, &list))
        for (struct wait *w = list; w; w = w->next) {
            w->until_ms = 0;
            look_at(w);
        }
    pthread_mutex_unlock(&waits->lock);
}

struct waits *waits_new(struct gateway *gateway)
{
    struct waits *waits = calloc(1, sizeof(*waits));
    struct rv_queue_options options = { .name = "gateway.wait",
                                        .depth = DEPTH,
                                        .batch = BATCH,
                                        .parallel = AT_ONCE,
                                        .work = work,
                                        .arg = waits };

    if (!waits)
        abort();
    waits->gateway = gateway;
    waits->runs = rv_hash_new();
    pthread_mutex_init(&waits->lock, NULL);
    waits->queue = rv_pool_add(gateway->runtime->pool, &options);
    return waits;
}

/* Whoever is left is let go: the server has told them already. */
static void let_go(struct rv_ctx *cx, struct wait *list)
{
    for (struct wait *next; list; list = next) {
        next = list->next;
        rv_fail(cx, RV_UNAVAILABLE, "the gateway is stopping");
        if (list->armed)
            answer_failure(cx, list->call.request, &cx->error, NULL);
        free(list);
    }
}

void waits_free(struct waits *waits)
{
    size_t at = 0;
    const char *run_id;
    struct rv_ctx cx;
    void *list;

    if (!waits)
        return;
    rv_ctx_init(&cx);
    while (rv_hash_next(waits->runs, &at, &run_id, &list))
        let_go(&cx, list);
    rv_ctx_release(&cx);
    rv_hash_free(waits->runs, NULL);
    pthread_mutex_destroy(&waits->lock);
    free(waits);
}
