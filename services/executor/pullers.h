#pragma once

/*
 * Pullers: one thread for each class and priority of work. Takes what waits in its consumer,
 * claims all of it in one request, and starts it.
 *
 * A claim does not say whether a task needs a slot. So at first no more is claimed than slots are
 * free; as long as all of it turns out to be pure, twice as much the next time.
 */

#include "executor/executor.h"

struct pullers;

rv_result pullers_new(struct rv_ctx *cx, struct executor *executor, struct pullers **pullers);
void pullers_end(struct pullers *pullers); /* the room is closed: waits for the threads */
void pullers_free(struct pullers *pullers);
