#include "runtime/queue.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/time.h"
#include "runtime/db.h"

enum { QUEUES_MAX = 128 };

struct rv_queue {
    struct rv_queue_options options;
    struct rv_pool *pool;
    void **ring;
    size_t size, head, count; /* the ring grows up to options.depth */
    size_t busy;              /* workers that do its work now */
    int64_t waits_since_ms; /* the first of those that wait, or whoever took what came before it */
};

struct rv_pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct rv_queue *queues[QUEUES_MAX];
    size_t n_queues, next;      /* next: where the round goes on */
    size_t turns[RV_TURNS_MAX]; /* workers at work in each; of 0 any number */
    size_t sleeping, wakes;     /* workers nobody has called; calls not yet heard */
    bool stopping, dropping;
    const struct rv_db_options *db;
    pthread_t *workers;
    size_t n_workers, alive;
    pthread_cond_t gone;
};

struct rv_pool *rv_pool_new(void)
{
    struct rv_pool *pool = calloc(1, sizeof(*pool));
    pthread_condattr_t monotonic;

    if (!pool)
        abort();
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->gone, &monotonic);
    return pool;
}

struct rv_queue *rv_pool_add(struct rv_pool *pool, const struct rv_queue_options *options)
{
    struct rv_queue *queue = calloc(1, sizeof(*queue));

    if (!queue)
        abort();
    assert(options->depth > 0 && options->batch > 0 && options->parallel > 0);
    assert(options->turn < RV_TURNS_MAX);
    queue->options = *options;
    queue->pool = pool;
    pthread_mutex_lock(&pool->lock);
    assert(pool->n_queues < QUEUES_MAX);
    pool->queues[pool->n_queues++] = queue;
    pthread_mutex_unlock(&pool->lock);
    return queue;
}

static void grow(struct rv_queue *queue)
{
    size_t size = queue->size ? queue->size * 2 : 16;
    void **ring;

    if (size > queue->options.depth)
        size = queue->options.depth;
    ring = calloc(size, sizeof(*ring));
    if (!ring)
        abort();
    for (size_t i = 0; i < queue->count; i++)
        ring[i] = queue->ring[(queue->head + i) % queue->size];
    free(queue->ring);
    queue->ring = ring;
    queue->size = size;
    queue->head = 0;
}

/* Asked when something comes and when a worker is free: there is no clock of its own. */
static bool waits_too_long(const struct rv_queue *queue)
{
    return rv_monotonic_ms() - queue->waits_since_ms >= queue->options.alone_ms;
}

static bool runnable(const struct rv_queue *queue)
{
    size_t turn = queue->options.turn;

    return queue->count > 0 && queue->busy < queue->options.parallel &&
           (turn == 0 || queue->pool->turns[turn] == 0) &&
           (queue->busy == 0 || queue->options.alone_ms == 0 || waits_too_long(queue));
}

/*
 * Calls one sleeping worker for @queue. While one is on the way nobody else is called: it takes
 * what it finds and calls the next, so a burst costs one wakeup.
 */
static void call_worker(struct rv_pool *pool, const struct rv_queue *queue)
{
    if (pool->wakes > 0 || pool->sleeping == 0 || !runnable(queue))
        return;
    pool->sleeping--;
    pool->wakes++;
    pthread_cond_signal(&pool->work);
}

bool rv_queue_push(struct rv_queue *queue, void *item)
{
    struct rv_pool *pool = queue->pool;
    bool taken;

    pthread_mutex_lock(&pool->lock);
    taken = queue->count < queue->options.depth && !pool->stopping;
    if (taken) {
        if (queue->count == queue->size)
            grow(queue);
        if (queue->count == 0 && queue->options.alone_ms)
            queue->waits_since_ms = rv_monotonic_ms();
        queue->ring[(queue->head + queue->count++) % queue->size] = item;
        call_worker(pool, queue);
    }
    pthread_mutex_unlock(&pool->lock);
    return taken;
}

size_t rv_queue_waiting(const struct rv_queue *queue)
{
    size_t waiting;

    pthread_mutex_lock(&queue->pool->lock);
    waiting = queue->count;
    pthread_mutex_unlock(&queue->pool->lock);
    return waiting;
}

/* The next queue in the round that has something to do; NULL: none. */
static struct rv_queue *pick(struct rv_pool *pool)
{
    for (size_t i = 0; i < pool->n_queues; i++) {
        size_t at = (pool->next + i) % pool->n_queues;

        if (runnable(pool->queues[at])) {
            pool->next = at + 1;
            return pool->queues[at];
        }
    }
    return NULL;
}

static size_t take(struct rv_queue *queue, void **items)
{
    size_t n = queue->count < queue->options.batch ? queue->count : queue->options.batch;

    for (size_t i = 0; i < n; i++)
        items[i] = queue->ring[(queue->head + i) % queue->size];
    queue->head = (queue->head + n) % queue->size;
    queue->count -= n;
    if (queue->options.alone_ms)
        queue->waits_since_ms = rv_monotonic_ms();
    queue->busy++;
    queue->pool->turns[queue->options.turn]++;
    return n;
}

/* Does one batch of @queue; called with the lock held, which it gives up meanwhile. */
static void do_batch(struct rv_pool *pool, struct rv_queue *queue, struct rv_ctx *cx)
{
    void **items = rv_new_array(
        cx, void *, queue->options.batch < queue->count ? queue->options.batch : queue->count);
    size_t n = take(queue, items);

    for (size_t i = 0; i < pool->n_queues; i++)
        call_worker(pool, pool->queues[i]);
    pthread_mutex_unlock(&pool->lock);
    if (pool->db && !cx->db && rv_db_open(cx, pool->db) != RV_OK)
        cx->error = (struct rv_error){ 0 }; /* the first statement tries again and says so */
    queue->options.work(cx, queue->options.arg, items, n);
    rv_ctx_reset(cx);
    pthread_mutex_lock(&pool->lock);
    queue->busy--;
    pool->turns[queue->options.turn]--;
}

static void sleep_till_called(struct rv_pool *pool)
{
    pool->sleeping++;
    while (pool->wakes == 0 && !pool->stopping)
        pthread_cond_wait(&pool->work, &pool->lock);
    if (pool->wakes > 0)
        pool->wakes--;
    else
        pool->sleeping--;
}

static bool all_done(const struct rv_pool *pool)
{
    for (size_t i = 0; i < pool->n_queues; i++)
        if (pool->queues[i]->count > 0 || pool->queues[i]->busy > 0)
            return false;
    return true;
}

/* While stopping: a queue whose workers are all busy may still fill this one's hands. */
static bool wait_for_more(struct rv_pool *pool)
{
    struct timespec until;
    int64_t at_ms = rv_monotonic_ms() + 20;

    if (pool->dropping || all_done(pool))
        return false;
    until = (struct timespec){ at_ms / 1000, at_ms % 1000 * 1000000 };
    pthread_cond_timedwait(&pool->gone, &pool->lock, &until);
    return true;
}

static void *worker(void *arg)
{
    struct rv_pool *pool = arg;
    struct rv_ctx cx;

    rv_ctx_init(&cx);
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        struct rv_queue *queue = pool->dropping ? NULL : pick(pool);

        if (queue)
            do_batch(pool, queue, &cx);
        else if (!pool->stopping)
            sleep_till_called(pool);
        else if (!wait_for_more(pool))
            break;
    }
    pool->alive--;
    pthread_cond_broadcast(&pool->gone);
    pthread_mutex_unlock(&pool->lock);
    if (cx.db)
        rv_db_close(&cx);
    rv_ctx_release(&cx);
    return NULL;
}

rv_result rv_pool_start(struct rv_ctx *cx, struct rv_pool *pool, size_t workers,
                        const struct rv_db_options *db)
{
    pool->db = db;
    pool->workers = calloc(workers, sizeof(*pool->workers));
    if (!pool->workers)
        abort();
    for (size_t i = 0; i < workers; i++) {
        pthread_mutex_lock(&pool->lock);
        pool->alive++;
        pthread_mutex_unlock(&pool->lock);
        if (pthread_create(&pool->workers[i], NULL, worker, pool) != 0) {
            pthread_mutex_lock(&pool->lock);
            pool->alive--;
            pthread_mutex_unlock(&pool->lock);
            return rv_fail(cx, RV_EXHAUSTED, "no thread for a worker");
        }
        pool->n_workers++;
    }
    return RV_OK;
}

static void drop_rest(struct rv_queue *queue)
{
    for (; queue->count > 0; queue->count--) {
        void *item = queue->ring[queue->head];

        queue->head = (queue->head + 1) % queue->size;
        if (queue->options.drop)
            queue->options.drop(item);
    }
}

void rv_pool_stop(struct rv_pool *pool, int64_t grace_ms)
{
    int64_t until_ms = rv_monotonic_ms() + grace_ms;
    struct timespec until = { until_ms / 1000, until_ms % 1000 * 1000000 };
    int late = 0;

    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->work);
    while (pool->alive > 0 && !late)
        late = pthread_cond_timedwait(&pool->gone, &pool->lock, &until);
    pool->dropping = true; /* whoever still works finishes that, and no more */
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->n_workers; i++)
        pthread_join(pool->workers[i], NULL);
    for (size_t i = 0; i < pool->n_queues; i++)
        drop_rest(pool->queues[i]);
}

void rv_pool_free(struct rv_pool *pool)
{
    if (!pool)
        return;
    for (size_t i = 0; i < pool->n_queues; i++) {
        free(pool->queues[i]->ring);
        free(pool->queues[i]);
    }
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->work);
    pthread_cond_destroy(&pool->gone);
    free(pool->workers);
    free(pool);
}
