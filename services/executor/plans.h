#pragma once

/*
 * Plans that were asked for once: parsed, kept as long as they are used and there is room. Many
 * may wait for the same plan; one asks.
 */

#include "domain/plan.h"
#include "runtime/bus.h"

struct plans;

/* A plan somebody works with: it stays until it is unpinned. */
struct pinned_plan {
    const struct plan *plan;
    bool pure; /* none of its steps calls the outside */
};

struct plans *plans_new(struct rv_bus *bus, size_t most, int64_t timeout_ms);
void plans_free(struct plans *plans); /* when nobody holds one any more; NULL is fine */

rv_result plan_pin(struct rv_ctx *cx, struct plans *plans, const char *tenant_id,
                   const char *plan_id, struct pinned_plan **pinned);
void plan_unpin(struct pinned_plan *pinned); /* NULL is fine */
