/* Scorers of plans, read once. */

#include <stdlib.h>
#include <string.h>

#include "domain/plan.h"
#include "evaluator.h"
#include "store/sql.h"

enum { PLANS_MAX = 2000 };

/* A plan's scorers, not looked into yet. */
struct scorers_row {
    const char *tenant_id, *plan_id, *scorers;
};

/* clang-format off */
static const struct rv_field plan_key_fields[] = {
    RV_UUID(plan_key, tenant_id, 0),
    RV_UUID(plan_key, plan_id, 0),
};
static RV_RECORD(plan_key, plan_key_fields);

static const struct rv_field scorers_row_fields[] = {
    RV_UUID(scorers_row, tenant_id, 0),
    RV_UUID(scorers_row, plan_id, 0),
    RV_TEXT(scorers_row, scorers, 0),
};
static RV_RECORD(scorers_row, scorers_row_fields);

static const struct rv_field holder_fields[] = {
    RV_LIST(plan, scorers, scorer, 0),
};
static const struct rv_record holder_record = { "plan", sizeof(struct plan), holder_fields, 1 };
/* clang-format on */

static const char *key_of(struct rv_ctx *cx, const char *tenant_id, const char *plan_id)
{
    return rv_printf(cx, "%s/%s", tenant_id, plan_id);
}

/* A copy for this work; NULL: not here. */
static const char *cached(struct rv_ctx *cx, struct scorer_cache *cache, const char *key)
{
    const char *text;

    pthread_mutex_lock(&cache->lock);
    text = rv_hash_get(cache->by_plan, key);
    if (text)
        text = rv_strdup(cx, text);
    pthread_mutex_unlock(&cache->lock);
    return text;
}

static void keep(struct scorer_cache *cache, const char *key, const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        abort();
    pthread_mutex_lock(&cache->lock);
    if (rv_hash_count(cache->by_plan) >= PLANS_MAX) { /* old plans are not asked for again */
        rv_hash_free(cache->by_plan, free);
        cache->by_plan = rv_hash_new();
    }
    free(rv_hash_put(cache->by_plan, key, copy));
    pthread_mutex_unlock(&cache->lock);
}

rv_result scorers_load(struct rv_ctx *cx, struct scorer_cache *cache, const struct plan_key *keys,
                       size_t n)
{
    struct plan_key *missing = rv_new_array(cx, struct plan_key, n);
    const struct scorers_row *row;
    struct rv_rows rows;
    size_t n_missing = 0;

    for (size_t i = 0; i < n; i++)
        if (!cached(cx, cache, key_of(cx, keys[i].tenant_id, keys[i].plan_id)))
            missing[n_missing++] = keys[i];
    if (n_missing == 0)
        return RV_OK;
    RV_TRY(cx, rv_db_rows(cx, &SQL_EVALUATOR_SCORERS, rv_in_many(plan_key, missing, n_missing),
                          &scorers_row_record, &rows));
    row = rows.items;
    for (size_t i = 0; i < rows.n; i++, row++)
        keep(cache, key_of(cx, row->tenant_id, row->plan_id), row->scorers);
    return RV_OK;
}

rv_result scorers_of(struct rv_ctx *cx, struct scorer_cache *cache, const struct plan_key *key,
                     struct scorer **scorers, size_t *n)
{
    const char *text = cached(cx, cache, key_of(cx, key->tenant_id, key->plan_id));
    struct plan plan = { 0 };

    if (!text)
        return rv_fail(cx, RV_NOT_FOUND, "no plan %s", key->plan_id);
    text = rv_printf(cx, "{\"scorers\":%s}", text);
    RV_TRY(cx, rv_json_read(cx, text, strlen(text), RV_JSON_LENIENT,
                            (struct rv_out){ &holder_record, &plan }));
    *scorers = plan.scorers;
    *n = plan.n_scorers;
    return RV_OK;
}

void scorers_release(struct scorer_cache *cache)
{
    rv_hash_free(cache->by_plan, free);
    pthread_mutex_destroy(&cache->lock);
}
