#pragma once

/* OpenAPI: the route table and its records, printed as an OpenAPI 3.1 document. */

#include "base/buf.h"
#include "gateway.h"

rv_result openapi_print(struct rv_ctx *cx, const struct rv_route *routes, struct rv_buf *into);

/* "get_v1_runs_run_id": one for each route. */
const char *openapi_id(struct rv_ctx *cx, const struct rv_route *route);
