#pragma once

/*
 * Health: /healthz (the process runs), /readyz (Postgres, the schema and the bus answer, asked at
 * most once a second, by a session of its own) and /metrics, on REEVE_HEALTH_LISTEN.
 */

#include "runtime/service.h"

/* Does nothing when the setting is empty. */
rv_result rv_health_open(struct rv_ctx *cx, struct rv_runtime *runtime);
void rv_health_serving(bool serving); /* not before and not while it drains: /readyz is 503 */
void rv_health_close(void);
