#pragma once

/*
 * Ticks at work: one thread watches the clock and pushes what is due into the pool, where each
 * tick has a queue of its own, one deep; so a tick never runs twice at once in a process. A wake
 * while it runs or rests makes it run once more, when it has rested.
 */

#include "runtime/service.h"

/* The queues of the service's ticks and of the runtime's own (@own ends with a row without a
 * name; its state is @own_state). Call before the pool starts. */
void rv_ticks_add(struct rv_runtime *runtime, const struct rv_tick *own, void *own_state);
rv_result rv_ticks_start(struct rv_ctx *cx, struct rv_runtime *runtime); /* all are due now */
void rv_ticks_stop(
    struct rv_runtime *runtime); /* nothing new is pushed; call before the pool stops */
void rv_ticks_free(struct rv_runtime *runtime); /* when the pool is gone */
