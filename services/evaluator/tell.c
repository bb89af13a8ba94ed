/*
 * News of scores, for the run's event log. A score is told after it is kept; one that the scheduler
 * did not hear waits here, and a crash in between is mended by hearing the run's end again.
 */

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "contract/subjects.h"
#include "evaluator.h"

enum { TELL_TIMEOUT_MS = 5000, TELL_BATCH = 500, UNTOLD_MAX = 100000 };

/* The event's data; its fields are those of an evaluation. */
/* clang-format off */
static const struct rv_field scored_fields[] = {
    RV_UUID(evaluation, evaluation_id, 0),
    RV_TEXT(evaluation, scorer, 0),
    RV_ENUM(evaluation, kind, scorer_kind, 0),
    RV_DOUBLE(evaluation, score, 0),
    RV_BOOL(evaluation, passed, 0),
    RV_TEXT(evaluation, reason, 0),
    RV_DOUBLE(evaluation, weight, 0),
};
static const struct rv_record scored_record = { "scored", sizeof(struct evaluation), scored_fields,
                                                sizeof(scored_fields) / sizeof(scored_fields[0]) };
/* clang-format on */

/* A copy that outlives the work. */
struct untold_event {
    struct untold_event *next;
    struct event_add add;
};

struct news {
    struct evaluator_service *service;
    struct event_add *adds;
    size_t n;
    int64_t scores;
};

static char *copied(const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        abort();
    return copy;
}

/* The texts of a kept one are its own: const only to those who read the record. */
static void free_text(const char *text)
{
    free((void *)(uintptr_t)text);
}

static void untold_free(struct untold_event *event)
{
    free_text(event->add.tenant_id);
    free_text(event->add.run_id);
    free_text(event->add.key);
    free_text(event->add.data);
    free(event);
}

static bool keep(struct evaluator_service *service, const struct event_add *add)
{
    struct untold *untold = &service->untold;
    struct untold_event *event;
    bool room;

    pthread_mutex_lock(&untold->lock);
    room = untold->n < UNTOLD_MAX;
    if (room) {
        event = calloc(1, sizeof(*event));
        if (!event)
            abort();
        event->add = (struct event_add){ .tenant_id = copied(add->tenant_id),
                                         .run_id = copied(add->run_id),
                                         .type = add->type,
                                         .key = copied(add->key),
                                         .data = copied(add->data) };
        *untold->last = event;
        untold->last = &event->next;
        untold->n++;
        rv_count(&service->metrics[EVALUATOR_UNTOLD], 1);
    }
    pthread_mutex_unlock(&untold->lock);
    return room;
}

static rv_result tell(struct rv_ctx *cx, struct evaluator_service *service,
                      const struct event_add *adds, size_t n)
{
    struct event_added *answers = rv_new_array(cx, struct event_added, n);

    return rv_bus_ask_many(cx, service->bus, &SUBJ_EVENT_ADD, adds, n, answers, TELL_TIMEOUT_MS);
}

static void tell_or_keep(struct rv_ctx *cx, void *arg)
{
    const struct news *news = arg;
    size_t lost = 0;

    rv_count(&news->service->metrics[EVALUATOR_SCORES], news->scores);
    if (tell(cx, news->service, news->adds, news->n) == RV_OK)
        return;
    for (size_t i = 0; i < news->n; i++)
        lost += !keep(news->service, &news->adds[i]);
    rv_warn(cx, "scores are told later", RV_F("n", (int64_t)news->n), RV_F("lost", (int64_t)lost),
            RV_F("why", (const char *)cx->error.text));
    cx->error = (struct rv_error){ 0 };
}

rv_result tell_scored(struct rv_ctx *cx, struct evaluator_service *service,
                      const struct evaluation *evaluations, size_t n)
{
    struct news *news = rv_new(cx, struct news);

    *news = (struct news){ service, rv_new_array(cx, struct event_add, n), n, (int64_t)n };
    for (size_t i = 0; i < n; i++) {
        news->adds[i] = (struct event_add){ .tenant_id = evaluations[i].tenant_id,
                                            .run_id = evaluations[i].run_id,
                                            .type = "evaluation.completed",
                                            .key = evaluations[i].evaluation_id };
        RV_TRY(cx, rv_json_write(cx, (struct rv_in){ &scored_record, &evaluations[i], 1 },
                                 &news->adds[i].data));
    }
    rv_after(cx, tell_or_keep, news);
    return RV_OK;
}

/* The oldest ones, borrowed: only the tick takes any away. */
static size_t oldest(struct untold *untold, struct event_add *adds, size_t most)
{
    size_t n = 0;

    pthread_mutex_lock(&untold->lock);
    for (struct untold_event *at = untold->first; at && n < most; at = at->next)
        adds[n++] = at->add;
    pthread_mutex_unlock(&untold->lock);
    return n;
}

static void forget(struct untold *untold, size_t n)
{
    pthread_mutex_lock(&untold->lock);
    while (n-- > 0) {
        struct untold_event *told = untold->first;

        untold->first = told->next;
        untold->n--;
        untold_free(told);
    }
    if (!untold->first)
        untold->last = &untold->first;
    pthread_mutex_unlock(&untold->lock);
}

enum rv_status tick_tell(struct rv_ctx *cx, void *state, struct rv_tick_next *next)
{
    struct evaluator_service *service = state;
    struct event_add *adds = rv_new_array(cx, struct event_add, TELL_BATCH);
    size_t n = oldest(&service->untold, adds, TELL_BATCH);

    if (n == 0)
        return RV_OK;
    RV_TRY(cx, tell(cx, service, adds, n));
    forget(&service->untold, n);
    rv_count(&service->metrics[EVALUATOR_UNTOLD], -(int64_t)n);
    next->again = n == TELL_BATCH;
    return RV_OK;
}

void untold_release(struct untold *untold)
{
    while (untold->n > 0)
        forget(untold, 1);
    pthread_mutex_destroy(&untold->lock);
}
