#pragma once

/*
 * Queues and the pool that empties them: natural batching (ARCHITECTURE rule 4).
 *
 * Whoever has work pushes it; a free worker takes all that waits in one queue, up to its batch
 * limit, and does it as one unit of work. Idle, a batch is one item and nothing waits; under load
 * the same code does hundreds at a time. A worker owns a ctx and a Postgres session, nothing else.
 */

#include "base/ctx.h"

struct rv_pool;
struct rv_db_options;

enum { RV_TURNS_MAX = 8 };

struct rv_queue_options {
    const char *name;
    size_t depth;     /* items that may wait; one more is refused */
    size_t batch;     /* items that one unit of work takes at most */
    size_t parallel;  /* workers that may be busy with this queue at once */
    int64_t alone_ms; /* a second one comes only to what has waited that long: batches stay whole */
    size_t turn; /* below RV_TURNS_MAX: of queues with one turn one is worked on at once; 0: none */
    /* Does the work. Items are the callee's from here on. Not called with n = 0. */
    void (*work)(struct rv_ctx *cx, void *arg, void **items, size_t n);
    void (*drop)(void *item); /* an item that nobody will do any more (at the end) */
    void *arg;
};

struct rv_queue;

struct rv_pool *rv_pool_new(void);
struct rv_queue *rv_pool_add(struct rv_pool *pool, const struct rv_queue_options *options);

/* Starts @workers threads; with @db each opens a session of its own when it first needs one. */
rv_result rv_pool_start(struct rv_ctx *cx, struct rv_pool *pool, size_t workers,
                        const struct rv_db_options *db);

/* False when the queue is full or the pool is stopping: the caller keeps the item and says busy. */
bool rv_queue_push(struct rv_queue *queue, void *item);
size_t rv_queue_waiting(const struct rv_queue *queue);

/*
 * Lets the workers finish what waits, at most @grace_ms, joins them and drops the rest. From then
 * on a push is refused, which callbacks of the bus may still try until it is closed: free it then.
 */
void rv_pool_stop(struct rv_pool *pool, int64_t grace_ms);
void rv_pool_free(struct rv_pool *pool); /* NULL is fine */
