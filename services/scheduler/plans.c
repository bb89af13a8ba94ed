#include "plans.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "store/sql.h"

/* clang-format off */
static const struct rv_field plan_key_fields[] = {
    RV_UUID(plan_key, tenant_id, 0),
    RV_UUID(plan_key, plan_id, 0),
    RV_JSON(plan_key, spec, 0),
};
RV_RECORD(plan_key, plan_key_fields);
/* clang-format on */

/* One plan, in memory of its own: units of work hold on to it while they use it. */
struct entry {
    struct rv_ctx cx;
    char key[80];
    struct known_plan known;
    int users; /* under the cache's lock */
    struct plan_cache *cache;
    struct entry *older, *newer;
};

struct plan_cache {
    pthread_mutex_t lock;
    struct rv_hash *entries;
    struct entry *oldest, *newest;
    size_t most;
};

struct plan_cache *plan_cache_new(size_t most)
{
    struct plan_cache *cache = calloc(1, sizeof(*cache));

    if (!cache)
        abort();
    pthread_mutex_init(&cache->lock, NULL);
    cache->entries = rv_hash_new();
    cache->most = most;
    return cache;
}

static void entry_free(void *value)
{
    struct entry *entry = value;

    rv_ctx_release(&entry->cx);
    free(entry);
}

void plan_cache_free(struct plan_cache *cache)
{
    if (!cache)
        return;
    rv_hash_free(cache->entries, entry_free);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static void unlink_entry(struct plan_cache *cache, struct entry *entry)
{
    *(entry->older ? &entry->older->newer : &cache->oldest) = entry->newer;
    *(entry->newer ? &entry->newer->older : &cache->newest) = entry->older;
    entry->older = entry->newer = NULL;
}

static void link_newest(struct plan_cache *cache, struct entry *entry)
{
    entry->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

/* Forgets what was not used for longest; what somebody is using stays. */
static void shrink(struct plan_cache *cache)
{
    struct entry *entry = cache->oldest;

    while (entry && rv_hash_count(cache->entries) > cache->most) {
        struct entry *next = entry->newer;

        if (entry->users == 0) {
            unlink_entry(cache, entry);
            rv_hash_take(cache->entries, entry->key);
            entry_free(entry);
        }
        entry = next;
    }
}

static void let_go(void *arg)
{
    struct entry *entry = arg;
    struct plan_cache *cache = entry->cache;

    pthread_mutex_lock(&cache->lock);
    entry->users--;
    pthread_mutex_unlock(&cache->lock);
}

static void key_of(char key[80], const struct plan_key *plan)
{
    snprintf(key, 80, "%.36s/%.36s", plan->tenant_id, plan->plan_id);
}

static bool find(struct rv_ctx *cx, struct plan_cache *cache, const struct plan_key *plan,
                 struct known_plan *found)
{
    struct entry *entry;
    char key[80];

    key_of(key, plan);
    pthread_mutex_lock(&cache->lock);
    entry = rv_hash_get(cache->entries, key);
    if (entry) {
        entry->users++;
        unlink_entry(cache, entry);
        link_newest(cache, entry);
        *found = entry->known;
    }
    pthread_mutex_unlock(&cache->lock);
    if (entry)
        rv_defer(cx, let_go, entry);
    return entry != NULL;
}

static bool parse(struct entry *entry, const char *spec)
{
    struct rv_ctx *cx = &entry->cx;
    struct plan *plan = rv_new(cx, struct plan);

    entry->known.spec = rv_strdup(cx, spec);
    if (rv_json_read(cx, entry->known.spec, strlen(spec), RV_JSON_STRICT, rv_out(plan, plan)) !=
        RV_OK)
        return false;
    entry->known.plan = plan;
    entry->known.dag = dag_new(cx, plan->nodes, plan->n_nodes);
    return entry->known.dag != NULL;
}

static void keep(struct rv_ctx *cx, struct plan_cache *cache, const struct plan_key *plan)
{
    struct entry *entry = calloc(1, sizeof(*entry));

    if (!entry)
        abort();
    rv_ctx_init(&entry->cx);
    entry->cache = cache;
    key_of(entry->key, plan);
    if (!parse(entry, plan->spec)) {
        rv_error(cx, "a stored plan cannot be read", RV_F("plan_id", plan->plan_id),
                 RV_F("why", entry->cx.error.text));
        entry_free(entry);
        return;
    }
    pthread_mutex_lock(&cache->lock);
    if (rv_hash_get(cache->entries, entry->key)) { /* another worker was quicker */
        entry_free(entry);
    } else {
        rv_hash_put(cache->entries, entry->key, entry);
        link_newest(cache, entry);
        shrink(cache);
    }
    pthread_mutex_unlock(&cache->lock);
}

rv_result plan_cache_find(struct rv_ctx *cx, struct plan_cache *cache, const struct plan_key *keys,
                          size_t n, struct known_plan *found)
{
    struct plan_key *missing = rv_new_array(cx, struct plan_key, n);
    struct rv_rows rows;
    size_t n_missing = 0;

    memset(found, 0, n * sizeof(*found));
    for (size_t i = 0; i < n; i++)
        if (!find(cx, cache, &keys[i], &found[i]))
            missing[n_missing++] = keys[i];
    if (n_missing == 0)
        return RV_OK;
    RV_TRY(cx, rv_db_rows(cx, &SQL_PLANS_LOAD, rv_in_many(plan_key, missing, n_missing),
                          &plan_key_record, &rows));
    for (size_t i = 0; i < rows.n; i++)
        keep(cx, cache, &((struct plan_key *)rows.items)[i]);
    for (size_t i = 0; i < n; i++)
        if (!found[i].plan)
            find(cx, cache, &keys[i], &found[i]);
    return RV_OK;
}
