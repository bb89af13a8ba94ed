#include "ends.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/log.h"
#include "contract/subjects.h"
#include "domain/budget.h"

enum { ENDS_MAX = 1000, SETTLE_REST_MS = 20 };

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

static void put_id(char to[RV_ID_LEN + 1], const char *id)
{
    to[0] = '\0';
    strncat(to, id, RV_ID_LEN);
}

void ends_add(struct ends *ends, const struct run *run)
{
    pthread_mutex_lock(&ends->lock);
    if (ends->n < ENDS_MAX) {
        put_id(ends->items[ends->n].tenant_id, run->tenant_id);
        put_id(ends->items[ends->n++].hold_id, run->hold_id);
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

enum rv_status tick_settle(struct rv_ctx *cx, void *state, struct rv_tick_next *next)
{
    struct scheduler_service *service = state;
    struct settle_ask *asks;
    struct end *ends;
    size_t n;

    ends = take_all(cx, service->ends, &n);
    if (n == 0)
        return RV_OK;
    asks = rv_new_array(cx, struct settle_ask, n);
    for (size_t i = 0; i < n; i++)
        asks[i] = (struct settle_ask){ .tenant_id = ends[i].tenant_id, .hold_id = ends[i].hold_id };
    next->rest_ms = SETTLE_REST_MS;
    return rv_bus_tell(cx, service->runtime->bus, &SUBJ_BUDGET_SETTLE, asks, n);
}
