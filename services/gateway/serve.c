/* A unit of work: roles, what is asked, the handler, the commit, the answers. */

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/id.h"
#include "base/log.h"
#include "base/time.h"
#include "front.h"
#include "runtime/failpoint.h"

/* Visits of one route that wait together. */
struct unit {
    struct desk *desk;
    struct call *calls;
    struct visit **visits;
    char *asks, *outs;
    size_t n;
};

static const char *trace_of(struct rv_ctx *cx, const struct rv_http_request *request)
{
    const char *header = rv_http_header(request, "traceparent");
    const char *trace_id = header ? rv_traceparent_parse(cx, header) : NULL;

    return trace_id ? trace_id : rv_trace_new(cx);
}

/* Who asks goes into the fields of these names, whatever a client has said. */
static void stamp(const struct rv_record *record, void *ask, const char *name, const char *text)
{
    const struct rv_field *field = rv_record_field(record, name);

    if (field)
        *(const char **)rv_field_at(field, ask) = text;
}

static rv_result check_role(struct rv_ctx *cx, const struct call *call)
{
    const struct rv_route *route = call->route;

    if (route->roles == MAY_ANYBODY || role_may(call->caller->role, route->roles))
        return RV_OK;
    return rv_fail(cx, RV_DENIED, "a key with the role %s may not do this",
                   rv_enum_word(&role_enum, (int)call->caller->role));
}

static rv_result read_ask(struct rv_ctx *cx, const struct call *call, const struct visit *visit,
                          void *ask)
{
    const struct rv_record *in = call->route->in;

    RV_TRY(cx, rv_route_fill(cx, &visit->found, call->request, (struct rv_out){ in, ask }));
    if (in && call->caller) {
        stamp(in, ask, "tenant_id", call->caller->tenant_id);
        stamp(in, ask, "key_project", call_project(call));
    }
    return RV_OK;
}

/* Logs what is our fault, answers, and counts it. */
static void fail_call(struct rv_ctx *cx, struct call *call, struct desk *desk)
{
    static const struct rv_http_header_row replayed = { "Idempotency-Replayed", "true" };

    cx->request_id = rv_http_request_id(call->request);
    cx->trace_id = call->trace_id;
    if (rv_status_http(cx->error.status) >= 500)
        rv_log_failure(cx, "request failed", desk->meter->name);
    rv_meter_add(desk->meter, 1, 0, rv_status_text(cx->error.status));
    answer_failure(cx, call->request, &cx->error, call->replayed ? &replayed : NULL);
    cx->error = (struct rv_error){ 0 };
}

static size_t size_of(const struct rv_record *in)
{
    return in ? in->size : 1;
}

/* What a handler fills: its record, or the page of a list. */
static size_t out_size(const struct rv_route *route)
{
    return route->list ? sizeof(struct page) : route->out ? route->out->size : 1;
}

/* Takes into @unit the visits that may be worked on; the others are answered here. */
static void admit(struct rv_ctx *cx, struct unit *unit, struct visit **visits, size_t n)
{
    struct desk *desk = unit->desk;

    for (size_t i = 0; i < n; i++) {
        struct visit *visit = visits[i];
        struct call *call = &unit->calls[unit->n];
        void *ask = unit->asks + unit->n * size_of(desk->route->in);

        *call = (struct call){ .gateway = desk->gateway,
                               .request = visit->request,
                               .route = desk->route,
                               .caller = desk->route->roles ? &visit->caller : NULL,
                               .trace_id = trace_of(cx, visit->request) };
        if (check_role(cx, call) == RV_OK && read_ask(cx, call, visit, ask) == RV_OK)
            unit->visits[unit->n++] = visit;
        else
            fail_call(cx, call, desk);
    }
}

static rv_result handle(struct rv_ctx *cx, struct unit *unit, size_t first, size_t n)
{
    const struct rv_route *route = unit->desk->route;
    void *asks = unit->asks + first * size_of(route->in);
    void *outs = unit->outs + first * out_size(route);
    struct call *calls = unit->calls + first;
    const char *name = unit->desk->meter->name;

    cx->trace_id = calls->trace_id;
    cx->request_id = n == 1 ? rv_http_request_id(calls->request) : NULL;
    RV_TRY(cx, rv_failpoint_at(cx, name, "begin"));
    if (calls->caller)
        RV_TRY(cx, rv_db_tenant(cx, calls->caller->tenant_id));
    if (route->call)
        RV_TRY(cx, route->call(cx, calls, asks, outs));
    else
        RV_TRY(cx, route->call_many(cx, calls, asks, outs, n));
    RV_TRY(cx, rv_failpoint_at(cx, name, "commit.before"));
    RV_TRY(cx, rv_db_commit(cx));
    RV_TRY(cx, rv_failpoint_at(cx, name, "commit.after"));
    rv_ctx_run_after(cx);
    return RV_OK;
}

static void answer_call(struct rv_ctx *cx, struct unit *unit, size_t i)
{
    struct call *call = &unit->calls[i];

    if (call->error.status != RV_OK) {
        cx->error = call->error;
        fail_call(cx, call, unit->desk);
    } else {
        answer_done(cx, call, unit->outs + i * out_size(unit->desk->route));
    }
}

/*
 * One transaction for @n; when one of several is to blame they are done one by one, so that nobody
 * pays for a neighbour. What may succeed later is not tried again: the client does that; nor is
 * what another service has done already.
 */
static void run(struct rv_ctx *cx, struct unit *unit, size_t first, size_t n)
{
    int64_t start_ns = rv_monotonic_ns();
    enum rv_status status = handle(cx, unit, first, n);

    if (status == RV_OK) {
        rv_meter_add(unit->desk->meter, n, rv_monotonic_ns() - start_ns, NULL);
        for (size_t i = first; i < first + n; i++)
            answer_call(cx, unit, i);
        if (rv_failpoint_at(cx, unit->desk->meter->name, "reply.after") != RV_OK)
            cx->error = (struct rv_error){ 0 };
        return;
    }
    rv_db_rollback(cx);
    cx->after = NULL;
    if (n > 1 && !rv_status_retry(status) && !unit->calls[first].asked) {
        cx->error = (struct rv_error){ 0 };
        for (size_t i = first; i < first + n; i++)
            run(cx, unit, i, 1);
        return;
    }
    for (size_t i = first; i < first + n; i++) {
        struct rv_error error = cx->error;

        if (unit->calls[i].error.status != RV_OK)
            cx->error = unit->calls[i].error; /* its own */
        if (!unit->calls[i].taken)
            fail_call(cx, &unit->calls[i], unit->desk);
        cx->error = error;
    }
    cx->error = (struct rv_error){ 0 };
}

/* A transaction sees one tenant, and its statements one project when the key is bound to it. */
static int compare_sight(const struct visit *a, const struct visit *b)
{
    int tenants = strcmp(a->caller.tenant_id, b->caller.tenant_id);

    return tenants ? tenants : strcmp(a->caller.project_id, b->caller.project_id);
}

/* Those that see the same stand together, in the order they came. */
static void by_sight(struct visit **visits, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct visit *visit = visits[i];
        size_t at = i;

        for (; at > 0 && compare_sight(visits[at - 1], visit) > 0; at--)
            visits[at] = visits[at - 1];
        visits[at] = visit;
    }
}

static size_t same_sight(const struct unit *unit, size_t first)
{
    size_t n = 1;

    while (first + n < unit->n && compare_sight(unit->visits[first], unit->visits[first + n]) == 0)
        n++;
    return n;
}

void serve_visits(struct rv_ctx *cx, void *arg, void **items, size_t n)
{
    struct visit **visits = (struct visit **)items;
    struct desk *desk = arg;
    struct unit unit = {
        .desk = desk,
        .calls = rv_new_array(cx, struct call, n),
        .visits = rv_new_array(cx, struct visit *, n),
        .asks = rv_arena_array(cx->arena, size_of(desk->route->in), n),
        .outs = rv_arena_array(cx->arena, out_size(desk->route), n),
    };

    by_sight(visits, n);
    admit(cx, &unit, visits, n);
    for (size_t at = 0; at < unit.n;) {
        size_t together = same_sight(&unit, at);

        run(cx, &unit, at, together);
        at += together;
    }
    for (size_t i = 0; i < n; i++)
        free(visits[i]);
}
