#pragma once

/* Projects: which one is meant. */

#include "asks.h"
#include "gateway.h"

/*
 * The project that is named by id or by name, or the only one the key may see; @lock: until the end
 * of this work nobody else changes what is in it. RV_NOT_FOUND is the same for one that is not
 * there and for one that the key may not see.
 */
rv_result project_find(struct rv_ctx *cx, const struct call *call, const char *project_id,
                       const char *project, bool lock, struct project *found);
