#include "runtime/ear.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/time.h"
#include "runtime/failpoint.h"
#include "runtime/unit.h"

enum { EAR_BATCH = 64, TAKE_MS = 1000, AGAIN_MS = 1000, AGAIN_MAX_MS = 30000 };

/* A load costs as much as some events: where there are many, the ear waits a moment for more. */
enum { EAR_MANY = 8, REST_MS = 5 };

struct ear {
    struct rv_ears *all;
    const struct rv_ear *row;
    struct rv_runtime *runtime;
    struct rv_queue *queue;
    struct rv_work work;
    struct rv_consumer *consumer;
    pthread_t thread;
    bool running;
};

struct rv_ears {
    struct ear *items;
    size_t n;
    atomic_bool stopping;
};

/* What the ear's thread lends to a worker until it is done. */
struct load {
    struct ear *ear;
    struct rv_delivery *items;
    size_t n;
    struct rv_delivery **parts; /* those that could be read */
    const char **acks;          /* of what is done */
    size_t n_acks;
    pthread_mutex_t lock;
    pthread_cond_t change;
    bool done;
};

static int64_t delay_of(int64_t deliveries)
{
    int64_t delay_ms =
        deliveries < 6 ? AGAIN_MS << (deliveries > 0 ? deliveries - 1 : 0) : AGAIN_MAX_MS;

    return delay_ms < AGAIN_MAX_MS ? delay_ms : AGAIN_MAX_MS;
}

static void fate_known(void *arg, struct rv_ctx *cx, size_t part, const void *answers)
{
    struct load *load = arg;
    const struct rv_delivery *item = load->parts[part];

    (void)cx;
    if (answers)
        load->acks[load->n_acks++] = item->ack;
    else
        rv_consumer_nak(load->ear->runtime->bus, item->ack, delay_of(item->deliveries));
}

static rv_result acknowledge(struct rv_ctx *cx, const struct load *load)
{
    const char *name = load->ear->row->consumer->name;

    if (load->n_acks == 0)
        return RV_OK;
    RV_TRY(cx, rv_failpoint_at(cx, name, "ack.before"));
    rv_consumer_ack_many(cx, load->ear->runtime->bus, load->acks, load->n_acks);
    return rv_failpoint_at(cx, name, "ack.after");
}

static void bury(struct rv_ctx *cx, struct rv_runtime *runtime, const struct rv_delivery *item)
{
    const struct rv_dead dead = { .subject = item->subject,
                                  .reason = rv_strdup(cx, cx->error.text),
                                  .bytes = item->bytes,
                                  .len = item->len,
                                  .deliveries = item->deliveries };

    if (runtime->service->dead)
        runtime->service->dead(cx, runtime, &dead);
}

/* It never will be readable, so it must not come again. */
static void refuse(struct rv_ctx *cx, struct ear *ear, const struct rv_delivery *item)
{
    rv_log_failure(cx, "event is not readable and is dropped", item->subject);
    rv_meter_add(ear->work.meter, 1, 0, rv_status_text(cx->error.status));
    bury(cx, ear->runtime, item);
    rv_consumer_term(ear->runtime->bus, item->ack);
    cx->error = (struct rv_error){ 0 };
}

static void work_load(struct rv_ctx *cx, struct load *load)
{
    struct ear *ear = load->ear;
    size_t size = ear->row->subject->in.record->size, n_parts = 0, total = 0;
    struct rv_part *parts = rv_new_array(cx, struct rv_part, load->n);
    auto_buf flat = { 0 };

    load->parts = rv_new_array(cx, struct rv_delivery *, load->n);
    load->acks = rv_new_array(cx, const char *, load->n);
    for (size_t i = 0; i < load->n; i++) {
        struct rv_delivery *item = &load->items[i];
        void *items;
        size_t found;

        if (rv_unit_read(cx, ear->row->subject, item->bytes, item->len, &items, &found) != RV_OK) {
            refuse(cx, ear, item);
            continue;
        }
        if (found == 0) {
            load->acks[load->n_acks++] = item->ack;
            continue;
        }
        if (!cx->trace_id)
            cx->trace_id = item->trace_id;
        rv_buf_add(&flat, items, found * size);
        load->parts[n_parts] = item;
        parts[n_parts++] = (struct rv_part){ total, found };
        total += found;
    }
    if (n_parts > 0)
        rv_unit_run(cx, &ear->work, flat.data, parts, n_parts, fate_known, load);
    if (acknowledge(cx, load) != RV_OK) /* what is not acknowledged comes back */
        cx->error = (struct rv_error){ 0 };
}

static void finish(struct load *load)
{
    pthread_mutex_lock(&load->lock);
    load->done = true;
    pthread_cond_signal(&load->change);
    pthread_mutex_unlock(&load->lock);
}

static void work_loads(struct rv_ctx *cx, void *arg, void **items, size_t n)
{
    (void)arg;
    for (size_t i = 0; i < n; i++) {
        work_load(cx, items[i]);
        finish(items[i]);
    }
}

static void drop_load(void *item)
{
    finish(item); /* unacknowledged: it comes back */
}

static void hear(struct rv_ctx *cx, struct ear *ear)
{
    struct load load = { .ear = ear,
                         .lock = PTHREAD_MUTEX_INITIALIZER,
                         .change = PTHREAD_COND_INITIALIZER };
    size_t want = ear->row->batch ? ear->row->batch : EAR_BATCH;

    if (rv_consumer_take(cx, ear->consumer, want, TAKE_MS, &load.items, &load.n) != RV_OK) {
        rv_log_failure(cx, "ear hears nothing", ear->row->consumer->name);
        rv_sleep_ms(AGAIN_MS);
        return;
    }
    if (load.n == 0 || !rv_queue_push(ear->queue, &load))
        return;
    pthread_mutex_lock(&load.lock);
    while (!load.done)
        pthread_cond_wait(&load.change, &load.lock);
    pthread_mutex_unlock(&load.lock);
    if (load.n >= EAR_MANY && load.n < want)
        rv_sleep_ms(REST_MS);
}

static void *listen_on(void *arg)
{
    struct ear *ear = arg;
    struct rv_ctx cx;

    rv_ctx_init(&cx);
    while (!atomic_load(&ear->all->stopping)) {
        hear(&cx, ear);
        rv_ctx_reset(&cx);
    }
    rv_consumer_close(ear->consumer);
    rv_ctx_release(&cx);
    return NULL;
}

static void add(struct rv_runtime *runtime, struct ear *ear, const struct rv_ear *row)
{
    struct rv_queue_options options = {
        .name = row->consumer->name,
        .depth = 1,
        .batch = 1,
        .parallel = 1,
        .work = work_loads,
        .drop = drop_load,
        .arg = ear,
    };

    *ear = (struct ear){ .all = runtime->ears, .row = row, .runtime = runtime };
    ear->work = (struct rv_work){
        .name = row->consumer->name,
        .subject = row->subject,
        .handle_many = row->handle_many,
        .state = runtime->service->state,
        .meter = rv_meter_new(row->consumer->name),
    };
    ear->queue = rv_pool_add(runtime->pool, &options);
}

void rv_ears_add(struct rv_runtime *runtime)
{
    const struct rv_ear *rows = runtime->service->ears;
    struct rv_ears *ears = calloc(1, sizeof(*ears));

    if (!ears)
        abort();
    runtime->ears = ears;
    while (rows && rows[ears->n].consumer)
        ears->n++;
    ears->items = calloc(ears->n + 1, sizeof(*ears->items));
    if (!ears->items)
        abort();
    for (size_t i = 0; i < ears->n; i++)
        add(runtime, &ears->items[i], &rows[i]);
}

rv_result rv_ears_start(struct rv_ctx *cx, struct rv_runtime *runtime)
{
    struct rv_ears *ears = runtime->ears;

    for (size_t i = 0; i < ears->n; i++) {
        struct ear *ear = &ears->items[i];

        RV_TRY(cx, rv_consumer_open(cx, runtime->bus, ear->row->consumer, &ear->consumer));
        if (pthread_create(&ear->thread, NULL, listen_on, ear) != 0)
            return rv_fail(cx, RV_EXHAUSTED, "no thread for an ear");
        ear->running = true;
    }
    return RV_OK;
}

void rv_ears_stop(struct rv_runtime *runtime)
{
    struct rv_ears *ears = runtime->ears;

    if (!ears)
        return;
    atomic_store(&ears->stopping, true);
    for (size_t i = 0; i < ears->n; i++)
        if (ears->items[i].running)
            pthread_join(ears->items[i].thread, NULL);
}

void rv_ears_free(struct rv_runtime *runtime)
{
    if (!runtime->ears)
        return;
    free(runtime->ears->items);
    free(runtime->ears);
    runtime->ears = NULL;
}
