#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "plans.h"

enum { PLANS_MAX = 4096, KEY_SIZE = 96 };

struct kept {
    int64_t definitions_rev;
    struct planned planned;
};

struct plan_cache {
    pthread_mutex_t lock;
    struct rv_hash *plans; /* by tenant and definition */
};

/* clang-format off */
static const struct rv_field run_place_fields[] = {
    RV_UUID(run_place, tenant_id, 0),
    RV_UUID(run_place, key_project, 0),
    RV_INT(run_place,  place, 0),
    RV_UUID(run_place, project_id, 0),
    RV_TEXT(run_place, project, 0),
    RV_ENUM(run_place, kind, definition_kind, 0),
    RV_UUID(run_place, definition_id, 0),
    RV_TEXT(run_place, name, 0),
    RV_INT(run_place,  definitions_rev, 0),
};
RV_RECORD(run_place, run_place_fields);
/* clang-format on */

struct plan_cache *plan_cache_new(void)
{
    struct plan_cache *cache = calloc(1, sizeof(*cache));

    if (!cache)
        abort();
    pthread_mutex_init(&cache->lock, NULL);
    cache->plans = rv_hash_new();
    return cache;
}

void plan_cache_free(struct plan_cache *cache)
{
    if (!cache)
        return;
    rv_hash_free(cache->plans, free);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static const char *key_of(const struct run_place *place, char key[KEY_SIZE])
{
    snprintf(key, KEY_SIZE, "%s/%s", place->tenant_id, place->definition_id);
    return key;
}

bool plan_cache_find(struct plan_cache *cache, const struct run_place *place,
                     struct planned *planned)
{
    const struct kept *kept;
    char key[KEY_SIZE];
    bool found;

    pthread_mutex_lock(&cache->lock);
    kept = rv_hash_get(cache->plans, key_of(place, key));
    found = kept && kept->definitions_rev == place->definitions_rev;
    if (found)
        *planned = kept->planned;
    pthread_mutex_unlock(&cache->lock);
    return found;
}

void plan_cache_keep(struct plan_cache *cache, const struct run_place *place,
                     const struct planned *planned)
{
    struct kept *kept = malloc(sizeof(*kept));
    char key[KEY_SIZE];

    if (!kept)
        abort();
    *kept = (struct kept){ place->definitions_rev, *planned };
    pthread_mutex_lock(&cache->lock);
    if (rv_hash_count(cache->plans) >= PLANS_MAX) { /* as good as a sweep, and as rare */
        rv_hash_free(cache->plans, free);
        cache->plans = rv_hash_new();
    }
    free(rv_hash_put(cache->plans, key_of(place, key), kept));
    pthread_mutex_unlock(&cache->lock);
}
