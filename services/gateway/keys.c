/* /v1/api-keys */

#include <string.h>

#include "asks.h"
#include "base/text.h"
#include "base/time.h"
#include "projects.h"
#include "routes.h"
#include "runtime/secret.h"
#include "store/sql.h"

/* A key of one project makes keys of that project only. */
static rv_result check(struct rv_ctx *cx, const struct call *call, struct api_key *key)
{
    const char *bound = call_project(call);

    if (key->prefix && (strlen(key->prefix) < 2 || strlen(key->prefix) > 16 ||
                        key->prefix[strspn(key->prefix, "abcdefghijklmnopqrstuvwxyz")]))
        rv_wrong(cx, "prefix", "is not 2 to 16 small letters");
    if (key->expires_at_ms && key->expires_at_ms <= rv_now_ms())
        rv_wrong(cx, "expires_at_ms", "is over already");
    if (bound && key->project_id && strcmp(bound, key->project_id) != 0)
        return rv_fail(cx, RV_NOT_FOUND, "no such project");
    if (bound)
        key->project_id = bound;
    return rv_refuse(cx);
}

RV_HANDLER(route_key_create, struct call *call, const struct api_key *ask, struct api_key *key)
{
    const char *tenant_id = call->caller->tenant_id;
    struct api_key made = *ask, times;
    struct project project;
    struct rv_key parsed;

    made.tenant_id = tenant_id;
    RV_TRY(cx, check(cx, call, &made));
    if (made.project_id)
        RV_TRY(cx, project_find(cx, call, made.project_id, NULL, false, &project));
    made.key = rv_key_new(cx, made.prefix ? made.prefix : "rv");
    if (!rv_key_parse(cx, made.key, &parsed))
        return rv_fail(cx, RV_INTERNAL, "a new key does not parse");
    made.key_id = parsed.id;
    made.prefix = parsed.prefix;
    RV_TRY(cx, rv_key_hash(cx, &parsed, &made.key_hash));
    RV_TRY(cx, rv_db_one(cx, &SQL_GATEWAY_KEY_ADD, rv_in(api_key, &made), rv_out(api_key, &times)));
    made.created_at_ms = times.created_at_ms;
    *key = made;
    call->location = rv_printf(cx, "/v1/api-keys/%s", made.key_id);
    return RV_OK;
}

RV_HANDLER(route_key_list, struct call *call, const struct ask *asked, struct page *page)
{
    struct rv_rows rows;
    struct ask ask;

    RV_TRY(cx, ask_page(cx, asked, PAGE_DEFAULT, PAGE_MAX, &ask));
    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_KEYS, ask_in(key_page, &ask), &api_key_record, &rows));
    *page = page_of(cx, &api_key_record, rows, ask.limit, "key_id");
    return RV_OK;
}

RV_HANDLER(route_key_get, struct call *call, const struct ask *ask, struct api_key *key)
{
    return rv_db_one(cx, &SQL_GATEWAY_KEY_GET, ask_in(key_ref, ask), rv_out(api_key, key));
}

RV_HANDLER(route_key_revoke, struct call *call, const struct ask *ask, void *nothing)
{
    struct api_key key;

    return rv_db_one(cx, &SQL_GATEWAY_KEY_REVOKE, ask_in(key_ref, ask), rv_out(api_key, &key));
}
