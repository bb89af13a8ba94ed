#pragma once

/* Plans, parsed once and kept: they never change, so a copy is never old. Thread safe. */

#include "domain/plan.h"
#include "runtime/db.h"

struct plan_cache;

/* A plan with its shape and its text as it was stored. */
struct known_plan {
    const struct plan *plan;
    const struct dag *dag;
    const char *spec;
};

struct plan_cache *plan_cache_new(size_t most);
void plan_cache_free(struct plan_cache *cache); /* NULL is fine */

struct plan_key {
    const char *tenant_id, *plan_id, *spec;
};
extern const struct rv_record plan_key_record;

/*
 * Finds all of @keys, reading those it does not have in one statement. A plan that does not exist
 * or cannot be read leaves its place empty (plan NULL). What is found lives as long as the ctx.
 */
rv_result plan_cache_find(struct rv_ctx *cx, struct plan_cache *cache, const struct plan_key *keys,
                          size_t n, struct known_plan *found);
