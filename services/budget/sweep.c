/* The sweep: holds that nobody closes. Safe with any number of budget services. */

#include <string.h>

#include "budget.h"
#include "store/sql.h"

enum { SWEEP_MAX = 500 }; /* as the statements say */

enum rv_status tick_sweep(struct rv_ctx *cx, void *state, struct rv_tick_next *next)
{
    struct budget_service *service = state;
    struct hold_ask extend = { .expires_ms = service->config.hold_ttl_ms };
    struct rv_rows runs, calls;
    struct settle_ask *asks;

    RV_TRY(cx, rv_db_read(cx, &SQL_SWEEP_RUNS, rv_nothing, &settle_ask_record, &runs));
    RV_TRY(cx, rv_db_read(cx, &SQL_SWEEP_CALLS, rv_nothing, &settle_ask_record, &calls));
    RV_TRY(cx, rv_db_exec(cx, &SQL_SWEEP_EXTEND, rv_in(hold_ask, &extend)));
    RV_TRY(cx, rv_db_sync(cx));
    asks = rv_new_array(cx, struct settle_ask, runs.n + calls.n + 1);
    memcpy(asks, calls.items, calls.n * sizeof(*asks));
    memcpy(asks + calls.n, runs.items, runs.n * sizeof(*asks));
    next->again = runs.n == SWEEP_MAX || calls.n == SWEEP_MAX;
    return settle_all(cx, service, asks, rv_new_array(cx, struct settled, runs.n + calls.n + 1),
                      runs.n + calls.n);
}
