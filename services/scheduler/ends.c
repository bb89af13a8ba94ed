#include "ends.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/log.h"
#include "contract/subjects.h"
#include "domain/budget.h"

/* A client alone finds its money free when it hears of its run's end: only where many end is there
 * a rest. A message is no more than the budget settles at once. */
enum { ENDS_MAX = 1000, TELL_MAX = 256, SETTLE_MANY = 8, SETTLE_REST_MS = 20 };

struct end {
    char tenant_id[RV_ID_LEN + 1], hold_id[RV_ID_LEN + 1];
};

struct ends {
    pthread_mutex_t lock;
    struct end items[ENDS_MAX];
    size_t n;
};

struct ends *ends_new(void)
{
    struct ends *ends = calloc(1, sizeof(*ends));

    if (!ends)
        abort();
    pthread_mutex_init(&ends->lock, NULL);
    return ends;
}

void ends_free(struct ends *ends)
{
    if (!ends)
        return;
    pthread_mutex_destroy(&ends->lock);
    free(ends);
}

void ends_add(struct ends *ends, const struct run *run)
{
    pthread_mutex_lock(&ends->lock);
    if (ends->n < ENDS_MAX) {
        struct end *end = &ends->items[ends->n++];

        snprintf(end->tenant_id, sizeof(end->tenant_id), "%s", run->tenant_id);
        snprintf(end->hold_id, sizeof(end->hold_id), "%s", run->hold_id);
    }
    pthread_mutex_unlock(&ends->lock);
}

static struct end *take_all(struct rv_ctx *cx, struct ends *ends, size_t *n)
{
    struct end *items;

    pthread_mutex_lock(&ends->lock);
    *n = ends->n;
    ends->n = 0;
    items = rv_new_array(cx, struct end, *n);
    memcpy(items, ends->items, *n * sizeof(*items));
    pthread_mutex_unlock(&ends->lock);
    return items;
}

static void tell_some(struct rv_ctx *cx, struct scheduler_service *service, const struct end *ends,
                      size_t n)
{
    struct settle_ask *asks = rv_new_array(cx, struct settle_ask, n);

    for (size_t i = 0; i < n; i++)
        asks[i] = (struct settle_ask){ .tenant_id = ends[i].tenant_id, .hold_id = ends[i].hold_id };
    if (rv_bus_tell(cx, service->runtime->bus, &SUBJ_BUDGET_SETTLE, asks, n) != RV_OK)
        rv_warn(cx, "settlements were not told; the budget's sweep will find them",
                RV_F("runs", (int64_t)n), RV_F("why", (const char *)cx->error.text));
    cx->error = (struct rv_error){ 0 };
}

size_t ends_tell(struct rv_ctx *cx, struct scheduler_service *service)
{
    size_t n;
    struct end *ends = take_all(cx, service->ends, &n);

    if (n == ENDS_MAX)
        rv_warn(cx, "more runs ended than are told; the budget's sweep finds the others");
    for (size_t from = 0; from < n; from += TELL_MAX)
        tell_some(cx, service, ends + from, n - from < TELL_MAX ? n - from : TELL_MAX);
    return n;
}

enum rv_status tick_settle(struct rv_ctx *cx, void *state, struct rv_tick_next *next)
{
    next->rest_ms = ends_tell(cx, state) >= SETTLE_MANY ? SETTLE_REST_MS : 0;
    return RV_OK;
}
