#pragma once

/* Discovery: answers $SRV.PING, INFO and STATS (ADR-32), so that any NATS tool sees the suite. */

#include "runtime/service.h"

rv_result rv_discovery_listen(struct rv_ctx *cx, struct rv_runtime *runtime);
