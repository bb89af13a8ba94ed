#pragma once

/* How a service buries what it cannot read: struct rv_service's dead, and for pull loops. */

#include "runtime/service.h"

/*
 * Tells the scheduler to park @dead, which @service could not read. It is news and may be lost
 * when nobody hears it; the log line of whoever drops the message is what then remains. A failure
 * to tell is logged here.
 */
void dead_letter_tell(struct rv_ctx *cx, struct rv_bus *bus, const char *service,
                      const struct rv_dead *dead);

/* The same as a row of struct rv_service: .dead = dead_letter_bury. */
void dead_letter_bury(struct rv_ctx *cx, struct rv_runtime *runtime, const struct rv_dead *dead);
