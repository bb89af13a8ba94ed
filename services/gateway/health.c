/* What anybody may ask: health, and the description of the API. */

#include <string.h>

#include "answer.h"
#include "base/time.h"
#include "openapi.h"
#include "routes.h"

enum { BELIEVED_MS = 1000 };

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

/* No key is asked for, so an answer is believed for a while: nobody can keep Postgres busy here. */
static enum rv_status look(struct rv_ctx *cx, struct gateway *gateway)
{
    int64_t version;

    if (rv_monotonic_ms() - atomic_load(&gateway->looked_ms) >= BELIEVED_MS) {
        atomic_store(&gateway->is_there, rv_db_schema_version(cx, &version));
        atomic_store(&gateway->looked_ms, rv_monotonic_ms());
    }
    return atomic_load(&gateway->is_there);
}

RV_HANDLER(route_ready, struct call *call, const void *nothing, void *none)
{
    enum rv_status status = look(cx, call->gateway);

    if (status != RV_OK)
        return rv_fail(cx, RV_UNAVAILABLE, "the database is away");
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
