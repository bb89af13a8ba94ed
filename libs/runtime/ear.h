#pragma once

/*
 * Ears at work: a thread for each takes what waits in its consumer and hands it to the pool as one
 * unit; every event is acknowledged after the commit. What failed comes back after 1 s, 2 s … 30 s;
 * what does not decode never comes back.
 */

#include "runtime/service.h"

void rv_ears_add(struct rv_runtime *runtime); /* before the pool starts */
rv_result rv_ears_start(struct rv_ctx *cx, struct rv_runtime *runtime);
void rv_ears_stop(struct rv_runtime *runtime); /* before the pool stops: finishes what was taken */
void rv_ears_free(struct rv_runtime *runtime);
