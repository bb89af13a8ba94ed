/* /v1/budgets: kept by the budget service, which is asked to change them. */

#include <string.h>

#include "asks.h"
#include "base/text.h"
#include "contract/subjects.h"
#include "projects.h"
#include "routes.h"
#include "store/sql.h"
#include "views.h"

/* What a change says of its limits, as it was written. */
struct limits_said {
    const char *limit_microusd, *limit_tokens;
};
static const struct rv_field limits_said_fields[] = {
    RV_JSON(limits_said, limit_microusd, 0),
    RV_JSON(limits_said, limit_tokens, 0),
};
static RV_RECORD(limits_said, limits_said_fields);

static rv_result named(struct rv_ctx *cx, const struct budget *ask, struct budget *there,
                       bool *found)
{
    struct ask wanted = { .tenant_id = ask->tenant_id,
                          .name = ask->name,
                          .project_id = ask->project_id };
    struct rv_rows rows;

    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_BUDGET_NAMED, ask_in(definition_page, &wanted),
                          &budget_record, &rows));
    *found = rows.n > 0;
    if (*found)
        *there = *(const struct budget *)rows.items;
    return RV_OK;
}

/* @change over @there: what it does not say stays. */
static struct budget merge(const struct budget *there, const struct budget *change)
{
    struct budget budget = *there;

    budget.tenant_id = change->tenant_id;
    if (change->name)
        budget.name = change->name;
    if (change->state)
        budget.state = change->state;
    if (change->limit_microusd)
        budget.limit_microusd = change->limit_microusd;
    if (change->limit_tokens)
        budget.limit_tokens = change->limit_tokens;
    return budget;
}

static bool same(const struct budget *a, const struct budget *b)
{
    return rv_text_same(a->name, b->name) && a->state == b->state &&
           a->limit_microusd == b->limit_microusd && a->limit_tokens == b->limit_tokens;
}

static rv_result put(struct rv_ctx *cx, struct call *call, const struct budget *budget,
                     struct budget_view *view)
{
    struct budget answer = { 0 };

    RV_TRY(cx, call_ask(cx, call, &SUBJ_BUDGET_PUT, budget, &answer));
    *view = budget_view_of(&answer);
    call->location = rv_printf(cx, "/v1/budgets/%s", answer.budget_id);
    call_etag(cx, call, answer.rev);
    return RV_OK;
}

static rv_result put_unless_same(struct rv_ctx *cx, struct call *call, const struct budget *there,
                                 const struct budget *change, struct budget_view *view)
{
    struct budget merged = merge(there, change);

    if (!same(there, &merged))
        return put(cx, call, &merged, view);
    *view = budget_view_of(there);
    call_etag(cx, call, there->rev);
    return RV_OK;
}

/* NULL project: of all projects; a key of one project makes its own only. */
static rv_result place(struct rv_ctx *cx, const struct call *call, struct budget_new *ask)
{
    struct project found;

    if (!ask->budget.project_id && !ask->project && !call_project(call))
        return RV_OK;
    RV_TRY(cx, project_find(cx, call, ask->budget.project_id, ask->project, false, &found));
    ask->budget.project_id = found.project_id;
    return RV_OK;
}

static rv_result check(struct rv_ctx *cx, const struct budget *budget)
{
    if (budget->name && !rv_text_is_name(budget->name))
        rv_wrong(cx, "name", "is not a name: a-z, 0-9, - and _, at most 63");
    if (budget->limit_microusd < 0)
        rv_wrong(cx, "limit_microusd", "is below 0");
    if (budget->limit_tokens < 0)
        rv_wrong(cx, "limit_tokens", "is below 0");
    return rv_refuse(cx);
}

RV_HANDLER(route_budget_create, struct call *call, const struct budget_new *asked,
           struct budget_view *view)
{
    struct budget_new ask = *asked;
    struct budget there;
    bool found;

    RV_TRY(cx, check(cx, &ask.budget));
    RV_TRY(cx, place(cx, call, &ask));
    RV_TRY(cx, named(cx, &ask.budget, &there, &found));
    if (found && !ask.upsert) {
        rv_fail(cx, RV_CONFLICT, "a budget with this name is there: %s", there.budget_id);
        cx->error.reason = rv_printf(cx, "{\"budget_id\":\"%s\"}", there.budget_id);
        return RV_CONFLICT;
    }
    if (found) {
        call->status = 200;
        return put_unless_same(cx, call, &there, &ask.budget, view);
    }
    return put(cx, call, &ask.budget, view);
}

RV_HANDLER(route_budget_list, struct call *call, const struct ask *asked, struct page *page)
{
    struct budget_view *views;
    struct rv_rows rows;
    struct ask ask;

    RV_TRY(cx, ask_page(cx, asked, PAGE_DEFAULT, PAGE_MAX, &ask));
    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_BUDGETS, ask_in(definition_page, &ask), &budget_record,
                          &rows));
    *page = page_of(cx, &budget_record, rows, ask.limit, "budget_id");
    views = rv_new_array(cx, struct budget_view, page->n);
    for (size_t i = 0; i < page->n; i++)
        views[i] = budget_view_of((const struct budget *)rows.items + i);
    page->items = views;
    return RV_OK;
}

static rv_result read_one(struct rv_ctx *cx, const struct call *call, const char *id,
                          struct budget *budget)
{
    struct ask ask = { .tenant_id = call->caller->tenant_id,
                       .key_project = call_project(call),
                       .id = id };

    return rv_db_one(cx, &SQL_GATEWAY_BUDGET_GET, ask_in(budget_ref, &ask), rv_out(budget, budget));
}

RV_HANDLER(route_budget_get, struct call *call, const struct ask *ask, struct budget_view *view)
{
    struct budget budget;

    RV_TRY(cx, read_one(cx, call, ask->id, &budget));
    *view = budget_view_of(&budget);
    call_etag(cx, call, budget.rev);
    return RV_OK;
}

/* A record cannot tell 0 from nothing said, and a budget of nothing is one that is closed. */
static rv_result refuse_zero(struct rv_ctx *cx, const struct call *call)
{
    struct rv_bytes body = rv_http_body(call->request);
    struct limits_said said = { 0 };

    if (body.len == 0)
        return RV_OK;
    RV_TRY(cx, rv_json_read(cx, (const char *)body.data, body.len, RV_JSON_LENIENT,
                            rv_out(limits_said, &said)));
    if (said.limit_microusd && strcmp(said.limit_microusd, "0") == 0)
        rv_wrong(cx, "limit_microusd", "is 0: a limit cannot be taken away; close the budget");
    if (said.limit_tokens && strcmp(said.limit_tokens, "0") == 0)
        rv_wrong(cx, "limit_tokens", "is 0: a limit cannot be taken away; close the budget");
    return rv_refuse(cx);
}

RV_HANDLER(route_budget_change, struct call *call, const struct budget_new *ask,
           struct budget_view *view)
{
    struct budget there;

    RV_TRY(cx, check(cx, &ask->budget));
    RV_TRY(cx, refuse_zero(cx, call));
    RV_TRY(cx, read_one(cx, call, ask->budget.budget_id, &there));
    RV_TRY(cx, call_if_match(cx, call, there.rev));
    return put_unless_same(cx, call, &there, &ask->budget, view);
}
