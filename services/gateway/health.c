/* What anybody may ask: health, and the description of the API. */

#include <string.h>

#include "answer.h"
#include "openapi.h"
#include "routes.h"

static void say(struct call *call, int status, const char *text)
{
    call->taken = true;
    rv_http_answer(call->request, status, "application/json", NULL, text, strlen(text));
}

RV_HANDLER(route_health, struct call *call, const void *nothing, void *none)
{
    say(call, 200, "{\"status\":\"ok\"}");
    return RV_OK;
}

RV_HANDLER(route_ready, struct call *call, const void *nothing, void *none)
{
    int64_t version;

    RV_TRY(cx, rv_db_schema_version(cx, &version));
    if (!rv_bus_connected(call->gateway->bus))
        return rv_fail(cx, RV_UNAVAILABLE, "the bus is away");
    say(call, 200, "{\"status\":\"ready\"}");
    return RV_OK;
}

RV_HANDLER(route_openapi, struct call *call, const void *nothing, void *none)
{
    say(call, 200, call->gateway->openapi);
    return RV_OK;
}
