#pragma once

/*
 * Plans: from a workflow or an agent, in its current version, to all that a run of it needs: its
 * steps with every agent and tool they name. Made once per version of the project and remembered;
 * a plan is named by the hash of what is in it, so the same twice is one.
 */

#include "domain/definition.h"
#include "gateway.h"

/* What is remembered of a plan. */
struct planned {
    char plan_id[40], name[64];
    int64_t n_tasks;
    bool agent; /* of an agent alone */
};

/* Where a run belongs, as gateway_run_places tells it. */
struct run_place {
    const char *tenant_id, *key_project;
    int64_t place;
    const char *project_id, *project;
    enum definition_kind kind;
    const char *definition_id, *name;
    int64_t definitions_rev;
};
extern const struct rv_record run_place_record;

struct plan_cache;

struct plan_cache *plan_cache_new(void);
void plan_cache_free(struct plan_cache *cache);

/* The plan of @place, if its project has not changed since. */
bool plan_cache_find(struct plan_cache *cache, const struct run_place *place,
                     struct planned *planned);
void plan_cache_keep(struct plan_cache *cache, const struct run_place *place,
                     const struct planned *planned);

/*
 * Makes the plan of @place and stores it, in this transaction. RV_INVALID when it names what its
 * project does not have.
 */
rv_result plan_make(struct rv_ctx *cx, const struct run_place *place, struct planned *planned);
