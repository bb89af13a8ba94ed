/* Policies in memory: read again when their tenant's epoch has risen. */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/text.h"
#include "policy.h"
#include "store/sql.h"

struct epoch_row {
    const char *tenant_id;
    int64_t epoch;
};

/* A policy whose rules nobody has looked into yet. */
struct policy_row {
    const char *tenant_id, *policy_id, *project_id, *name, *state, *rules;
    int64_t version;
};

/* clang-format off */
static const struct rv_field epoch_row_fields[] = {
    RV_UUID(epoch_row, tenant_id, 0),
    RV_INT(epoch_row, epoch, 0),
};
static RV_RECORD(epoch_row, epoch_row_fields);

static const struct rv_field policy_row_fields[] = {
    RV_UUID(policy_row, tenant_id, 0),
    RV_UUID(policy_row, policy_id, 0),
    RV_UUID(policy_row, project_id, 0),
    RV_TEXT(policy_row, name, 0),
    RV_INT(policy_row, version, 0),
    RV_TEXT(policy_row, state, 0),
    RV_TEXT(policy_row, rules, 0),
};
static RV_RECORD(policy_row, policy_row_fields);
/* clang-format on */

static void set_free(struct policy_set *set)
{
    rv_ctx_release(&set->cx);
    free(set);
}

/* Whoever lets go last frees it. */
static void set_drop(struct policy_cache *cache, struct policy_set *set)
{
    bool last;

    pthread_mutex_lock(&cache->lock);
    last = --set->refs == 0;
    pthread_mutex_unlock(&cache->lock);
    if (last)
        set_free(set);
}

void policy_cache_release(struct policy_cache *cache)
{
    for (size_t i = 0; i < cache->n_sets; i++)
        set_drop(cache, cache->sets[i]);
    cache->n_sets = 0;
    pthread_mutex_destroy(&cache->lock);
}

struct borrowed {
    struct policy_cache *cache;
    struct policy_set *set;
};

static void give_back(void *arg)
{
    struct borrowed *borrowed = arg;

    set_drop(borrowed->cache, borrowed->set);
}

/* Keeps @set for as long as the work lasts; its reference is taken already. */
static struct policy_set *borrow(struct rv_ctx *cx, struct policy_cache *cache,
                                 struct policy_set *set)
{
    struct borrowed *borrowed = rv_new(cx, struct borrowed);

    *borrowed = (struct borrowed){ cache, set };
    rv_defer(cx, give_back, borrowed);
    return set;
}

static struct policy_set *cache_get(struct policy_cache *cache, const char *tenant_id,
                                    int64_t epoch)
{
    struct policy_set *found = NULL;

    pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < cache->n_sets && !found; i++)
        if (strcmp(cache->sets[i]->tenant_id, tenant_id) == 0 && cache->sets[i]->epoch == epoch)
            found = cache->sets[i];
    if (found)
        found->refs++;
    pthread_mutex_unlock(&cache->lock);
    return found;
}

/* The place of the tenant's older set, a free one, or that of whoever came first. */
static size_t place_for(struct policy_cache *cache, const char *tenant_id)
{
    for (size_t i = 0; i < cache->n_sets; i++)
        if (strcmp(cache->sets[i]->tenant_id, tenant_id) == 0)
            return i;
    if (cache->n_sets < POLICY_TENANTS_MAX)
        return cache->n_sets++;
    return cache->next_out++ % POLICY_TENANTS_MAX;
}

static void cache_put(struct policy_cache *cache, struct policy_set *set)
{
    struct policy_set *old;
    size_t place;

    pthread_mutex_lock(&cache->lock);
    place = place_for(cache, set->tenant_id);
    old = cache->sets[place];
    cache->sets[place] = set;
    set->refs++;
    pthread_mutex_unlock(&cache->lock);
    if (old)
        set_drop(cache, old);
}

static rv_result read_policy(struct policy_set *set, const struct policy_row *row,
                             struct policy *policy)
{
    struct rv_ctx *cx = &set->cx;
    const char *text = rv_printf(cx, "{\"name\":\"unnamed\",\"rules\":%s}", row->rules);

    RV_TRY(cx, rv_json_read(cx, text, strlen(text), RV_JSON_STRICT, rv_out(policy, policy)));
    policy->policy_id = rv_strdup(cx, row->policy_id);
    policy->project_id = row->project_id ? rv_strdup(cx, row->project_id) : NULL;
    policy->name = rv_strdup(cx, row->name);
    policy->version = row->version;
    policy->state = (enum policy_state)rv_enum_parse(&policy_state_enum, row->state);
    if (!policy->state)
        return rv_fail(cx, RV_INVALID, "state %s is none", row->state);
    policy_check(cx, policy);
    RV_TRY(cx, rv_refuse(cx));
    return policy_compile(cx, policy);
}

static void set_break(struct rv_ctx *cx, struct policy_set *set, const struct policy_row *row)
{
    set->broken = rv_printf(&set->cx, "policy %s cannot be read, so everything is denied: %s",
                            row->name, set->cx.error.text);
    rv_error(cx, "a policy cannot be read, so everything is denied",
             RV_F("tenant_id", row->tenant_id), RV_F("policy_id", row->policy_id),
             RV_F("why", (const char *)set->cx.error.text));
    set->cx.error = (struct rv_error){ 0 };
}

/* The set outlives the work, so nothing in it points into the rows. */
static struct policy_set *set_new(struct rv_ctx *cx, const struct epoch_row *epoch,
                                  struct rv_rows rows)
{
    struct policy_set *set = calloc(1, sizeof(*set));
    const struct policy_row *row = rows.items;
    struct policy *policies;

    if (!set)
        abort();
    rv_ctx_init(&set->cx);
    set->refs = 1;
    set->tenant_id = rv_strdup(&set->cx, epoch->tenant_id);
    set->epoch = epoch->epoch;
    policies = rv_new_array(&set->cx, struct policy, rows.n);
    for (size_t i = 0; i < rows.n && !set->broken; i++, row++)
        if (read_policy(set, row, &policies[i]) != RV_OK)
            set_break(cx, set, row);
    set->policies = policies;
    set->n_policies = set->broken ? 0 : rows.n;
    return set;
}

static rv_result load(struct rv_ctx *cx, struct policy_service *service,
                      const struct epoch_row *epoch, struct policy_set **set)
{
    struct policy_ask whose = { .tenant_id = epoch->tenant_id };
    struct rv_rows rows;

    RV_TRY(cx,
           rv_db_rows(cx, &SQL_POLICY_LIST, rv_in(policy_ask, &whose), &policy_row_record, &rows));
    *set = borrow(cx, &service->cache, set_new(cx, epoch, rows));
    cache_put(&service->cache, *set);
    if ((*set)->broken)
        rv_count(&service->metrics[POLICY_BROKEN], 1);
    return RV_OK;
}

static rv_result set_at(struct rv_ctx *cx, struct policy_service *service,
                        const struct epoch_row *epoch, struct policy_set **set)
{
    struct policy_set *cached = cache_get(&service->cache, epoch->tenant_id, epoch->epoch);

    if (!cached)
        return load(cx, service, epoch, set);
    *set = borrow(cx, &service->cache, cached);
    return RV_OK;
}

rv_result policy_sets_for(struct rv_ctx *cx, struct policy_service *service,
                          const struct policy_ask *asks, size_t n, struct policy_set **sets)
{
    struct rv_rows epochs;
    const struct epoch_row *row;

    RV_TRY(cx, rv_db_rows(cx, &SQL_POLICY_EPOCHS, rv_in_many(policy_ask, asks, n),
                          &epoch_row_record, &epochs));
    row = epochs.items;
    for (size_t e = 0; e < epochs.n; e++, row++) {
        struct policy_set *set;

        RV_TRY(cx, set_at(cx, service, row, &set));
        for (size_t i = 0; i < n; i++)
            if (strcasecmp(asks[i].tenant_id, row->tenant_id) == 0)
                sets[i] = set;
    }
    return RV_OK;
}
