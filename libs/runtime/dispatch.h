#pragma once

/*
 * Dispatch: from messages on the bus to units of work and back to answers. Everything that waits
 * for a subject becomes one unit, up to the handler's batch; a message that does not decode is
 * refused alone; a queue full of messages or bytes is answered RV_BUSY at once, and so is an ask
 * that waited longer than its asker does.
 */

#include "runtime/service.h"

enum { RV_DISPATCH_BATCH = 256 }; /* items of a unit, when the handler's row does not say */

/* The queues of all handlers of the service; call before the pool starts. */
rv_result rv_dispatch_add(struct rv_ctx *cx, struct rv_runtime *runtime);

/* Listens on the subjects of all handlers; call when the workers run. */
rv_result rv_dispatch_listen(struct rv_ctx *cx, struct rv_runtime *runtime);

/* Forgets the handlers; call when pool and bus are gone. */
void rv_dispatch_free(struct rv_runtime *runtime);
