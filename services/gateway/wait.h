#pragma once

/*
 * Waits: requests that are answered when a run is over, or when their time is up. Nobody polls: the
 * hub hears the run's last event.
 */

#include "gateway.h"

struct waits;
struct wait;

struct waits *waits_new(struct gateway *gateway); /* adds a queue to the pool */
void waits_free(struct waits *waits);

/* Begins to listen, before the run is there, so that its end cannot be missed. */
struct wait *wait_new(struct waits *waits, const char *run_id);
void wait_cancel(struct wait *wait); /* NULL is fine */

/*
 * Hands the request over: it is answered with 200 and the run once it is over, with 202 and the run
 * as it is after @ms. @look: the run may be over already. The call is taken.
 */
void wait_begin(struct wait *wait, struct call *call, int64_t ms, bool look);

/* From the hub: this run has ended. From its clock: whose time is up is answered; @all: events may
 * have been missed, so everybody looks. */
void waits_over(struct waits *waits, const char *run_id);
void waits_tick(struct waits *waits, bool all);
bool waits_any(const struct gateway *gateway); /* any thread, also when the waits are gone */

/* On the way down: everybody is answered with what there is. */
void waits_end(struct waits *waits);
