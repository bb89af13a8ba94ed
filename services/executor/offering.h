#pragma once

/*
 * Offering: one thread that tells the scheduler of free hands and waits to be given work at once,
 * beside the pullers, who take what is announced.
 */

#include "executor/executor.h"

struct offering;

rv_result offering_new(struct rv_ctx *cx, struct executor *executor, struct offering **offering);
void offering_end(struct offering *offering); /* waits for the last answer; NULL is fine */
