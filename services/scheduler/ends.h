#pragma once

/*
 * Ends: runs that are over, whose holds the budget is to settle. Nobody waits for that, and one
 * settlement costs the budget as much as twenty that come together: so where many runs end they
 * gather here for a moment. What a crash loses is found by the budget's sweep, two seconds later.
 */

#include "domain/run.h"
#include "scheduler.h"

struct ends *ends_new(void);
void ends_free(struct ends *ends); /* NULL is fine */

/* Tells the budget of all that have gathered; how many. */
size_t ends_tell(struct rv_ctx *cx, struct scheduler_service *service);

/* Once the end of @run is committed. When a thousand have gathered it is left to the sweep. */
void ends_add(struct ends *ends, const struct run *run);
