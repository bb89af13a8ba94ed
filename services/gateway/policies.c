/* /v1/policies: kept by the policy service, which is asked to change them. */

#include <string.h>

#include "asks.h"
#include "base/text.h"
#include "contract/subjects.h"
#include "projects.h"
#include "routes.h"
#include "store/sql.h"

/* NULL project: of all projects; a key of one project makes its own only. */
static rv_result place(struct rv_ctx *cx, const struct call *call, const char **project_id,
                       const char *project)
{
    struct project found;

    if (!*project_id && !project && !call_project(call))
        return RV_OK; /* of all projects */
    RV_TRY(cx, project_find(cx, call, *project_id, project, false, &found));
    *project_id = found.project_id;
    return RV_OK;
}

/* The policy of this name in this project, or in none. */
static rv_result named(struct rv_ctx *cx, const struct policy_new *ask, struct policy *there,
                       bool *found)
{
    struct ask wanted = { .tenant_id = ask->policy.tenant_id,
                          .name = ask->policy.name,
                          .project_id = ask->policy.project_id };
    struct rv_rows rows;

    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_POLICY_NAMED, ask_in(definition_page, &wanted),
                          &policy_record, &rows));
    *found = rows.n > 0;
    if (*found)
        *there = *(const struct policy *)rows.items;
    return RV_OK;
}

/* @change over @there: what it does not say stays. */
static struct policy merge(const struct policy *there, const struct policy *change)
{
    struct policy policy = *there;

    policy.tenant_id = change->tenant_id;
    policy.rev = there->version;
    if (change->name)
        policy.name = change->name;
    if (change->description)
        policy.description = change->description;
    if (change->state)
        policy.state = change->state;
    if (change->n_rules > 0) {
        policy.rules = change->rules;
        policy.n_rules = change->n_rules;
    }
    return policy;
}

static rv_result same(struct rv_ctx *cx, const struct policy *a, const struct policy *b, bool *is)
{
    struct policy_new left = { .policy = *a }, right = { .policy = *b };
    const char *one, *two;

    left.policy.rev = right.policy.rev = 0;
    RV_TRY(cx, rv_json_write(cx, (struct rv_in){ &policy_change_record, &left, 1 }, &one));
    RV_TRY(cx, rv_json_write(cx, (struct rv_in){ &policy_change_record, &right, 1 }, &two));
    *is = strcmp(one, two) == 0;
    return RV_OK;
}

static rv_result put(struct rv_ctx *cx, struct call *call, const struct policy *policy,
                     struct policy *answer)
{
    RV_TRY(cx, call_ask(cx, call, &SUBJ_POLICY_PUT, policy, answer));
    answer->rev = 0;
    call->location = rv_printf(cx, "/v1/policies/%s", answer->policy_id);
    call_etag(cx, call, answer->version);
    return RV_OK;
}

static rv_result put_unless_same(struct rv_ctx *cx, struct call *call, const struct policy *there,
                                 const struct policy *change, struct policy *answer)
{
    struct policy merged = merge(there, change);
    bool is;

    RV_TRY(cx, same(cx, there, &merged, &is));
    if (!is)
        return put(cx, call, &merged, answer);
    *answer = *there;
    call_etag(cx, call, there->version);
    return RV_OK;
}

RV_HANDLER(route_policy_create, struct call *call, const struct policy_new *asked,
           struct policy *policy)
{
    struct policy_new ask = *asked;
    struct policy there;
    bool found;

    RV_TRY(cx, place(cx, call, &ask.policy.project_id, ask.project));
    RV_TRY(cx, named(cx, &ask, &there, &found));
    if (found && !ask.upsert) {
        rv_fail(cx, RV_CONFLICT, "a policy with this name is there: %s", there.policy_id);
        cx->error.reason = rv_printf(cx, "{\"policy_id\":\"%s\"}", there.policy_id);
        return RV_CONFLICT;
    }
    if (found) {
        call->status = 200;
        return put_unless_same(cx, call, &there, &ask.policy, policy);
    }
    return put(cx, call, &ask.policy, policy);
}

RV_HANDLER(route_policy_list, struct call *call, const struct ask *asked, struct page *page)
{
    struct rv_rows rows;
    struct ask ask;

    RV_TRY(cx, ask_page(cx, asked, PAGE_DEFAULT, PAGE_MAX, &ask));
    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_POLICIES, ask_in(definition_page, &ask), &policy_record,
                          &rows));
    *page = page_of(cx, &policy_record, rows, ask.limit, "policy_id");
    return RV_OK;
}

RV_HANDLER(route_policy_get, struct call *call, const struct ask *ask, struct policy *policy)
{
    RV_TRY(cx,
           rv_db_one(cx, &SQL_GATEWAY_POLICY_GET, ask_in(policy_ref, ask), rv_out(policy, policy)));
    call_etag(cx, call, policy->version);
    return RV_OK;
}

RV_HANDLER(route_policy_change, struct call *call, const struct policy_new *ask,
           struct policy *policy)
{
    struct ask wanted = { .tenant_id = ask->policy.tenant_id,
                          .key_project = ask->key_project,
                          .id = ask->policy.policy_id };
    struct policy there;

    RV_TRY(cx, rv_db_one(cx, &SQL_GATEWAY_POLICY_GET, ask_in(policy_ref, &wanted),
                         rv_out(policy, &there)));
    RV_TRY(cx, call_if_match(cx, call, there.version));
    return put_unless_same(cx, call, &there, &ask->policy, policy);
}
