#include "executor/plans.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "contract/subjects.h"
#include "domain/work.h"
#include "executor/step.h"

struct entry {
    struct pinned_plan pinned; /* first: a pin is the entry */
    struct plans *plans;
    char key[80];     /* tenant_id/plan_id */
    struct rv_ctx cx; /* the plan's memory */
    size_t pins;
    bool loading, gone; /* gone: asking failed, or it is no longer in the table */
    struct entry *newer, *older;
};

struct plans {
    struct rv_bus *bus;
    size_t most;
    int64_t timeout_ms;
    pthread_mutex_t lock;
    pthread_cond_t loaded;
    struct rv_hash *table;
    struct entry *newest, *oldest;
};

struct plans *plans_new(struct rv_bus *bus, size_t most, int64_t timeout_ms)
{
    struct plans *plans = calloc(1, sizeof(*plans));

    if (!plans)
        abort();
    plans->bus = bus;
    plans->most = most;
    plans->timeout_ms = timeout_ms;
    plans->table = rv_hash_new();
    pthread_mutex_init(&plans->lock, NULL);
    pthread_cond_init(&plans->loaded, NULL);
    return plans;
}

static void entry_free(void *arg)
{
    struct entry *entry = arg;

    rv_ctx_release(&entry->cx);
    free(entry);
}

void plans_free(struct plans *plans)
{
    if (!plans)
        return;
    rv_hash_free(plans->table, entry_free);
    pthread_mutex_destroy(&plans->lock);
    pthread_cond_destroy(&plans->loaded);
    free(plans);
}

/* The functions from here to plan_pin are called with the lock held. */

static void unlink_entry(struct plans *plans, struct entry *entry)
{
    *(entry->newer ? &entry->newer->older : &plans->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &plans->oldest) = entry->newer;
    entry->newer = entry->older = NULL;
}

static void link_newest(struct plans *plans, struct entry *entry)
{
    entry->older = plans->newest;
    *(plans->newest ? &plans->newest->newer : &plans->oldest) = entry;
    plans->newest = entry;
}

static void forget(struct plans *plans, struct entry *entry)
{
    unlink_entry(plans, entry);
    rv_hash_take(plans->table, entry->key);
    entry->gone = true;
    if (entry->pins == 0)
        entry_free(entry);
}

static void make_room(struct plans *plans)
{
    struct entry *entry = plans->oldest;

    while (entry && rv_hash_count(plans->table) >= plans->most) {
        struct entry *newer = entry->newer;

        if (entry->pins == 0)
            forget(plans, entry);
        entry = newer;
    }
}

static struct entry *add_entry(struct plans *plans, const char *key)
{
    struct entry *entry;

    make_room(plans);
    entry = calloc(1, sizeof(*entry));
    if (!entry)
        abort();
    entry->plans = plans;
    strcpy(entry->key, key);
    entry->loading = true;
    rv_ctx_init(&entry->cx);
    rv_hash_put(plans->table, key, entry);
    link_newest(plans, entry);
    return entry;
}

static void drop_pin(struct entry *entry)
{
    if (--entry->pins == 0 && entry->gone)
        entry_free(entry);
}

static rv_result load(struct rv_ctx *cx, struct entry *entry, const struct plan_ask *ask)
{
    struct plan *plan = rv_new(&entry->cx, struct plan);
    struct plan_text text = { 0 };
    enum rv_status status;
    bool pure = true;

    RV_TRY(cx,
           rv_bus_ask(cx, entry->plans->bus, &SUBJ_PLAN_GET, ask, &text, entry->plans->timeout_ms));
    if (!text.spec)
        return rv_fail(cx, RV_NOT_FOUND, "there is no plan %s", ask->plan_id);
    status =
        rv_json_read(&entry->cx, text.spec, strlen(text.spec), RV_JSON_STRICT, rv_out(plan, plan));
    if (status != RV_OK)
        return rv_fail(cx, RV_INTERNAL, "plan %s cannot be read: %s", ask->plan_id,
                       entry->cx.error.text);
    for (size_t i = 0; i < plan->n_nodes; i++)
        pure = pure && step_is_pure(plan->nodes[i].kind);
    entry->pinned = (struct pinned_plan){ plan, pure };
    return RV_OK;
}

/* Asks without the lock; whoever waits for the same plan is woken either way. */
static rv_result load_for_all(struct rv_ctx *cx, struct entry *entry, const struct plan_ask *ask)
{
    struct plans *plans = entry->plans;
    enum rv_status status;

    pthread_mutex_unlock(&plans->lock);
    status = load(cx, entry, ask);
    pthread_mutex_lock(&plans->lock);
    entry->loading = false;
    if (status != RV_OK)
        forget(plans, entry);
    pthread_cond_broadcast(&plans->loaded);
    return status;
}

static rv_result pin_locked(struct rv_ctx *cx, struct plans *plans, const struct plan_ask *ask,
                            const char *key, struct entry **pinned)
{
    struct entry *entry = rv_hash_get(plans->table, key);
    enum rv_status status = RV_OK;

    if (entry) {
        entry->pins++;
        while (entry->loading)
            pthread_cond_wait(&plans->loaded, &plans->lock);
        if (!entry->pinned.plan)
            status = rv_fail(cx, RV_UNAVAILABLE, "plan %s could not be had", ask->plan_id);
    } else {
        entry = add_entry(plans, key);
        entry->pins++;
        status = load_for_all(cx, entry, ask);
    }
    if (status != RV_OK) {
        drop_pin(entry);
        return status;
    }
    if (!entry->gone && plans->newest != entry) {
        unlink_entry(plans, entry);
        link_newest(plans, entry);
    }
    *pinned = entry;
    return RV_OK;
}

rv_result plan_pin(struct rv_ctx *cx, struct plans *plans, const char *tenant_id,
                   const char *plan_id, struct pinned_plan **pinned)
{
    struct plan_ask ask = { tenant_id, plan_id };
    struct entry *entry = NULL;
    enum rv_status status;
    char key[80];

    if (snprintf(key, sizeof(key), "%s/%s", tenant_id, plan_id) >= (int)sizeof(key))
        return rv_fail(cx, RV_INVALID, "that is no plan");
    pthread_mutex_lock(&plans->lock);
    status = pin_locked(cx, plans, &ask, key, &entry);
    pthread_mutex_unlock(&plans->lock);
    *pinned = entry ? &entry->pinned : NULL;
    return status;
}

void plan_unpin(struct pinned_plan *pinned)
{
    struct entry *entry = (struct entry *)pinned;
    struct plans *plans = entry ? entry->plans : NULL;

    if (!entry)
        return;
    pthread_mutex_lock(&plans->lock);
    drop_pin(entry);
    pthread_mutex_unlock(&plans->lock);
}
