#pragma once

/*
 * Ends: runs that are over, whose holds the budget is to settle. Nobody waits for that, and one
 * settlement costs the budget as much as twenty that come together: so they gather here, and go out
 * at once only after a while without any. What a crash loses is found by the budget's sweep.
 */

#include "domain/run.h"
#include "scheduler.h"

struct ends *ends_new(void);
void ends_free(struct ends *ends); /* NULL is fine */

/* Once the end of @run is committed. When too many have gathered it is left to the sweep. */
void ends_add(struct ends *ends, const struct run *run);
