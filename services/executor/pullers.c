#include "executor/pullers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "contract/subjects.h"
#include "executor/claim.h"
#include "executor/room.h"
#include "runtime/stream.h"

enum {
    QUICK_MS = 10,
    LONG_MS = 1000,
    MESSAGES_MAX = 64,
    ACK_WAIT_MS = 30000,
    ACK_PENDING_MAX = 10000
};

struct puller {
    struct pullers *pullers;
    pthread_t thread;
    size_t rank; /* of its priority: 0 is critical */
    char name[96], filter[96];
    struct rv_consumer_row row;
    struct rv_consumer *consumer;
    struct claiming claiming;
};

struct pullers {
    struct executor *executor;
    size_t n;
    struct puller all[CLASSES_MAX * ROOM_RANKS];
};

/* Looks first for what is there; only then lets the less urgent look, and waits. */
static rv_result round_of(struct rv_ctx *cx, struct rv_ctx *scratch, struct puller *puller,
                          bool *looking)
{
    struct executor *executor = puller->pullers->executor;
    struct rv_delivery *items;
    size_t n, want = claim_messages(&puller->claiming, executor, MESSAGES_MAX);

    RV_TRY(cx, rv_consumer_take(cx, puller->consumer, want, QUICK_MS, &items, &n));
    if (n == 0) {
        room_leave(executor->room, puller->rank);
        *looking = false;
        RV_TRY(cx, rv_consumer_take(cx, puller->consumer, want, LONG_MS, &items, &n));
    }
    if (atomic_load(&executor->stopping))
        claim_refuse(executor, items, n, 0);
    else
        claim_all(cx, scratch, executor, &puller->claiming, items, n);
    return RV_OK;
}

static void *work(void *arg)
{
    struct puller *puller = arg;
    struct executor *executor = puller->pullers->executor;
    struct rv_ctx cx, scratch;

    rv_ctx_init(&cx);
    rv_ctx_init(&scratch);
    while (room_enter(executor->room, puller->rank)) {
        bool looking = true;
        enum rv_status status = round_of(&cx, &scratch, puller, &looking);

        if (looking)
            room_leave(executor->room, puller->rank);
        if (status != RV_OK && !atomic_load(&executor->stopping)) {
            rv_log_failure(&cx, "cannot pull work", puller->name);
            rv_sleep_ms(LONG_MS);
        }
        rv_ctx_reset(&cx);
    }
    rv_ctx_release(&scratch);
    rv_ctx_release(&cx);
    return NULL;
}

static rv_result add(struct rv_ctx *cx, struct pullers *pullers, const char *class_name,
                     size_t rank)
{
    struct puller *puller = &pullers->all[pullers->n];
    const char *priority = rv_enum_word(&priority_enum, (int)rank + PRIORITY_CRITICAL);

    puller->pullers = pullers;
    puller->rank = rank;
    snprintf(puller->name, sizeof(puller->name), "work-%s-%s", class_name, priority);
    snprintf(puller->filter, sizeof(puller->filter), "%s.%s.%s", SUBJ_WORK.name, class_name,
             priority);
    puller->row = (struct rv_consumer_row){ &STREAM_WORK, puller->name, puller->filter, ACK_WAIT_MS,
                                            ACK_PENDING_MAX };
    RV_TRY(cx, rv_consumer_open(cx, pullers->executor->bus, &puller->row, &puller->consumer));
    pullers->n++;
    return RV_OK;
}

static rv_result add_class(struct rv_ctx *cx, struct pullers *pullers, const char *class_name)
{
    if (strlen(class_name) > 60 || strpbrk(class_name, " .*>/\\\t"))
        return rv_fail(cx, RV_INVALID, "REEVE_EXECUTOR_CLASSES: \"%.60s\" is no class", class_name);
    for (size_t rank = 0; rank < ROOM_RANKS; rank++)
        RV_TRY(cx, add(cx, pullers, class_name, rank));
    return RV_OK;
}

static rv_result start(struct rv_ctx *cx, struct pullers *pullers)
{
    const struct executor *executor = pullers->executor;
    size_t n = 0;

    RV_TRY(cx, add_class(cx, pullers, "any"));
    for (size_t i = 0; i < executor->n_classes; i++)
        RV_TRY(cx, add_class(cx, pullers, executor->classes[i]));
    for (; n < pullers->n; n++)
        if (pthread_create(&pullers->all[n].thread, NULL, work, &pullers->all[n]) != 0)
            break;
    if (n == pullers->n)
        return RV_OK;
    pullers->n = n;
    return rv_fail(cx, RV_EXHAUSTED, "no thread for a puller");
}

rv_result pullers_new(struct rv_ctx *cx, struct executor *executor, struct pullers **out)
{
    struct pullers *pullers = calloc(1, sizeof(*pullers));
    enum rv_status status;

    if (!pullers)
        abort();
    pullers->executor = executor;
    status = start(cx, pullers);
    if (status == RV_OK || status == RV_EXHAUSTED) {
        *out = pullers;
        return status;
    }
    pullers->n = 0; /* their threads have not begun */
    pullers_free(pullers);
    return status;
}

void pullers_end(struct pullers *pullers)
{
    for (size_t i = 0; i < pullers->n; i++)
        pthread_join(pullers->all[i].thread, NULL);
    for (size_t i = 0; i < pullers->n; i++)
        rv_consumer_close(pullers->all[i].consumer);
}

void pullers_free(struct pullers *pullers)
{
    free(pullers);
}
