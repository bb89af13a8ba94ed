/*
 * POST /v1/runs: everything that waits becomes one question about places, one commit of new plans,
 * and one question to the scheduler, whose verdicts become answers without another read.
 */

#include <stdlib.h>
#include <string.h>

#include "asks.h"
#include "base/buf.h"
#include "base/id.h"
#include "base/text.h"
#include "contract/subjects.h"
#include "domain/work.h"
#include "plans.h"
#include "routes.h"
#include "run_answer.h"
#include "runtime/secret.h"
#include "store/sql.h"
#include "wait.h"

enum { WAIT_MAX_MS = 60 * 1000, KEY_MAX = 255, QUERY_MAX = 32 };

/* The runs of one unit of work. */
struct orders {
    struct rv_ctx *cx;
    struct call *calls;
    const struct run_new *asks;
    size_t n;
    struct order {
        size_t place; /* which of the places it is about */
        int64_t wait_ms;
        struct wait *wait;
    } * items;
    struct run_place *places; /* distinct questions */
    struct rv_rows found;
    struct planned *planned;
    struct rv_error *errors; /* of places that cannot be run */
    size_t n_places;
};

static bool failed(const struct orders *orders, size_t i)
{
    return orders->calls[i].error.status != RV_OK;
}

/* -- what is asked for -- */

static void check_what(struct rv_ctx *cx, const struct run_new *ask, const char *bound)
{
    int named = (ask->workflow != NULL) + (ask->workflow_id != NULL) + (ask->agent != NULL) +
                (ask->agent_id != NULL);

    if (named == 0)
        rv_wrong(cx, "workflow", "is missing: say workflow, workflow_id, agent or agent_id");
    if (named > 1)
        rv_wrong(cx, "workflow",
                 "is one too many: only one of workflow, workflow_id, agent, "
                 "agent_id can be run");
    if ((ask->workflow || ask->agent) && !ask->project && !ask->project_id && !bound)
        rv_wrong(cx, "project", "is missing: say project or project_id");
    if (ask->labels && *ask->labels != '{')
        rv_wrong(cx, "labels", "is not an object");
    if (ask->limits && ask->limits->cost_microusd < 0)
        rv_wrong(cx, "limits.cost_microusd", "is below 0");
    if (ask->limits && ask->limits->tokens < 0)
        rv_wrong(cx, "limits.tokens", "is below 0");
    if (ask->limits && ask->limits->duration_ms)
        rv_wrong(cx, "limits.duration_ms", "belongs to the workflow");
}

static void check_wait(struct rv_ctx *cx, const struct run_new *ask, int64_t *ms)
{
    *ms = 0;
    if (ask->wait && (!rv_text_duration(ask->wait, ms) || *ms <= 0 || *ms > WAIT_MAX_MS))
        rv_wrong(cx, "wait", "is not a time like 30s, at most 60s");
}

/* As draft-07 quotes it, or bare. */
static const char *key_of(struct rv_ctx *cx, const struct call *call)
{
    const char *key = call->request ? rv_http_header(call->request, "Idempotency-Key") : NULL;
    size_t len = key ? strlen(key) : 0;

    if (!key)
        return NULL;
    if (len >= 2 && key[0] == '"' && key[len - 1] == '"')
        key = rv_strndup(cx, key + 1, len -= 2);
    if (len == 0 || len > KEY_MAX)
        rv_wrong(cx, "Idempotency-Key", "is empty or longer than %d characters", KEY_MAX);
    return key;
}

static struct run_place place_of(const struct call *call, const struct run_new *ask)
{
    bool agent = ask->agent || ask->agent_id;

    return (struct run_place){
        .tenant_id = call->caller->tenant_id,
        .key_project = call_project(call),
        .project_id = ask->project_id,
        .project = ask->project,
        .kind = agent ? DEFINITION_AGENT : DEFINITION_WORKFLOW,
        .definition_id = agent ? ask->agent_id : ask->workflow_id,
        .name = agent ? ask->agent : ask->workflow,
    };
}

static bool same_place(const struct run_place *a, const struct run_place *b)
{
    return a->kind == b->kind && rv_text_same(a->project_id, b->project_id) &&
           rv_text_same(a->project, b->project) && rv_text_same(a->name, b->name) &&
           rv_text_same(a->definition_id, b->definition_id);
}

/* Most of what waits runs the same few workflows. */
static size_t add_place(struct orders *orders, struct run_place place)
{
    size_t at = 0;

    while (at < orders->n_places && !same_place(&orders->places[at], &place))
        at++;
    if (at == orders->n_places) {
        place.place = (int64_t)at;
        orders->places[orders->n_places++] = place;
    }
    return at;
}

static void check(struct orders *orders)
{
    struct rv_ctx *cx = orders->cx;

    for (size_t i = 0; i < orders->n; i++) {
        struct call *call = &orders->calls[i];

        check_what(cx, &orders->asks[i], call_project(call));
        check_wait(cx, &orders->asks[i], &orders->items[i].wait_ms);
        key_of(cx, call);
        if (rv_refuse(cx) != RV_OK)
            call_fail(call, cx);
        else
            orders->items[i].place = add_place(orders, place_of(call, &orders->asks[i]));
    }
}

/* -- plans -- */

static const struct run_place *found_place(const struct orders *orders, size_t place)
{
    const struct run_place *found = orders->found.items;

    for (size_t i = 0; i < orders->found.n; i++)
        if (found[i].place == (int64_t)place)
            return &found[i];
    return NULL;
}

static rv_result nowhere(struct rv_ctx *cx, const struct run_place *asked, bool project)
{
    const char *word = rv_enum_word(&definition_kind_enum, (int)asked->kind);

    if (!project)
        return rv_fail(cx, RV_NOT_FOUND, "no such %s", asked->definition_id ? word : "project");
    rv_wrong(cx, word, "names \"%s\", which this project does not have", asked->name);
    return rv_refuse(cx);
}

/* The plan of one place: remembered, or made now. */
static rv_result plan_place(struct orders *orders, size_t at)
{
    const struct run_place *asked = &orders->places[at], *found = found_place(orders, at);
    struct plan_cache *plans = orders->calls->gateway->plans;
    struct run_place place;

    if (!found || !found->definition_id)
        return nowhere(orders->cx, asked, found != NULL);
    place = *found;
    place.tenant_id = asked->tenant_id;
    orders->places[at].project_id = place.project_id;
    orders->places[at].definition_id = place.definition_id;
    orders->places[at].definitions_rev = place.definitions_rev;
    if (plan_cache_find(plans, &place, &orders->planned[at]))
        return RV_OK;
    return plan_make(orders->cx, &place, &orders->planned[at]);
}

static bool is_about_the_request(enum rv_status status)
{
    return status == RV_INVALID || status == RV_NOT_FOUND;
}

/*
 * Reads and commits: the scheduler looks plans up in a session of its own, and no transaction waits
 * for it.
 */
static rv_result plan_all(struct orders *orders)
{
    struct rv_ctx *cx = orders->cx;

    if (orders->n_places == 0)
        return RV_OK;
    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_RUN_PLACES,
                          rv_in_many(run_place, orders->places, orders->n_places),
                          &run_place_record, &orders->found));
    for (size_t at = 0; at < orders->n_places; at++) {
        enum rv_status status = plan_place(orders, at);

        if (status != RV_OK && !is_about_the_request(status))
            return rv_trace_at(cx, status, RV_HERE);
        orders->errors[at] = cx->error;
        cx->error = (struct rv_error){ 0 };
    }
    RV_TRY(cx, rv_db_commit(cx));
    for (size_t at = 0; at < orders->n_places; at++)
        if (orders->errors[at].status == RV_OK)
            plan_cache_keep(orders->calls->gateway->plans, &orders->places[at],
                            &orders->planned[at]);
    return RV_OK;
}

static void blame(struct orders *orders)
{
    for (size_t i = 0; i < orders->n; i++)
        if (!failed(orders, i))
            orders->calls[i].error = orders->errors[orders->items[i].place];
}

/* -- the scheduler -- */

struct query {
    struct rv_ctx *cx;
    const char *args[QUERY_MAX];
    size_t n;
};

/* How long to wait is no part of what is asked for. No name comes twice, so there are few. */
static bool add_arg(void *to, const char *name, const char *value)
{
    struct query *query = to;

    if (strcmp(name, "wait") != 0 && query->n < QUERY_MAX)
        query->args[query->n++] = rv_printf(query->cx, "%s=%s", name, value);
    return true;
}

static int compare_args(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The body and the query, in whatever order that came: both say what to run. */
static const char *hash_of(struct rv_ctx *cx, const struct call *call)
{
    struct rv_bytes body = rv_http_body(call->request);
    struct query query = { .cx = cx };
    uint8_t hash[RV_HASH_BYTES];
    auto_buf all = { 0 };

    rv_buf_add(&all, body.data, body.len);
    rv_http_query(call->request, add_arg, &query);
    qsort(query.args, query.n, sizeof(query.args[0]), compare_args);
    for (size_t i = 0; i < query.n; i++)
        rv_buf_add(&all, query.args[i], strlen(query.args[i]) + 1);
    rv_hash256(all.data, all.len, hash);
    return rv_hex(cx, hash, sizeof(hash));
}

static struct run_ask ask_of(struct orders *orders, size_t i)
{
    const struct run_new *new = &orders->asks[i];
    const struct call *call = &orders->calls[i];
    size_t place = orders->items[i].place;
    struct run_ask ask = {
        .tenant_id = call->caller->tenant_id,
        .run_id = rv_id_new(orders->cx),
        .project_id = orders->places[place].project_id,
        .plan_id = orders->planned[place].plan_id,
        .priority = new->priority ? new->priority : PRIORITY_NORMAL,
        .input = new->input,
        .labels = new->labels,
        .limit_microusd = new->limits ? new->limits->cost_microusd : 0,
        .limit_tokens = new->limits ? new->limits->tokens : 0,
        .idempotency_key = key_of(orders->cx, call),
        .created_by = call->caller->key_id,
        .trace_id = call->trace_id,
    };

    if (ask.idempotency_key)
        ask.request_hash = hash_of(orders->cx, call);
    return ask;
}

static void listen_for(struct orders *orders, size_t i, const struct run_ask *ask)
{
    if (orders->items[i].wait_ms > 0)
        orders->items[i].wait = wait_new(orders->calls[i].gateway->waits, ask->run_id);
}

static rv_result ask_scheduler(struct orders *orders, struct run_ask *asks,
                               struct run_answer *answers, size_t *n)
{
    const struct gateway *gateway = orders->calls->gateway;

    *n = 0;
    for (size_t i = 0; i < orders->n; i++) {
        if (failed(orders, i))
            continue;
        asks[*n] = ask_of(orders, i);
        listen_for(orders, i, &asks[*n]);
        ++*n;
    }
    return call_asked(orders->cx, rv_bus_ask_many(orders->cx, gateway->bus, &SUBJ_RUN_CREATE, asks,
                                                  *n, answers, gateway->config.ask_timeout_ms));
}

static void cancel_waits(struct orders *orders)
{
    for (size_t i = 0; i < orders->n; i++)
        wait_cancel(orders->items[i].wait);
}

/* Answers one, or leaves it to the wait. */
static void conclude(struct orders *orders, size_t i, const struct run_ask *ask,
                     const struct run_answer *answer, struct run *view)
{
    struct order *order = &orders->items[i];
    struct call *call = &orders->calls[i];

    if (run_answer(orders->cx, call, &orders->planned[order->place], ask, answer, view) != RV_OK) {
        rv_db_rollback(orders->cx); /* a read may have failed: the others go on in another */
        call_fail(call, orders->cx);
        wait_cancel(order->wait);
    } else if (order->wait && call->replayed) {
        wait_cancel(order->wait);
        wait_begin(wait_new(call->gateway->waits, view->run_id), call, order->wait_ms, true);
    } else if (order->wait) {
        wait_begin(order->wait, call, order->wait_ms, false);
    }
}

static rv_result create(struct orders *orders, struct run *views)
{
    struct run_ask *asks = rv_new_array(orders->cx, struct run_ask, orders->n);
    struct run_answer *answers = rv_new_array(orders->cx, struct run_answer, orders->n);
    enum rv_status status;
    size_t n;

    status = ask_scheduler(orders, asks, answers, &n);
    if (status != RV_OK) {
        cancel_waits(orders);
        return rv_trace_at(orders->cx, status, RV_HERE);
    }
    for (size_t i = 0; i < orders->n; i++)
        orders->calls[i].asked = true;
    for (size_t i = 0, k = 0; i < orders->n; i++)
        if (!failed(orders, i)) {
            conclude(orders, i, &asks[k], &answers[k], &views[i]);
            k++;
        }
    return RV_OK;
}

RV_BATCH_HANDLER(route_run_create, struct call *calls, const struct run_new *asks,
                 struct run *views, size_t n)
{
    struct orders orders = {
        .cx = cx,
        .calls = calls,
        .asks = asks,
        .n = n,
        .items = rv_new_array(cx, struct order, n),
        .places = rv_new_array(cx, struct run_place, n),
        .planned = rv_new_array(cx, struct planned, n),
        .errors = rv_new_array(cx, struct rv_error, n),
    };

    check(&orders);
    RV_TRY(cx, plan_all(&orders));
    blame(&orders);
    return create(&orders, views);
}
