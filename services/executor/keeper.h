#pragma once

/*
 * Keeper: holds the leases of the tasks that slots work on. Renews all that are due in one
 * request, at a third of their lease; tells a task to stop when it is cancelled or was taken from
 * us.
 */

#include "executor/executor.h"

struct keeper;

rv_result keeper_new(struct rv_ctx *cx, struct executor *executor, struct keeper **keeper);
void keeper_end(struct keeper *keeper); /* leases are not renewed any more */

/* Only when the bus is closed: news may come as long as it is open. NULL is fine. */
void keeper_free(struct keeper *keeper);

void keeper_add(struct keeper *keeper, struct job *job);
void keeper_drop(struct keeper *keeper, struct job *job); /* from here on nobody touches it */
void keeper_stop_all(struct keeper *keeper, enum job_stop why);
