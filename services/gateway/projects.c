#include "projects.h"

#include <string.h>

#include "base/id.h"
#include "base/text.h"
#include "routes.h"
#include "store/sql.h"

/* The fields that the statements want, in one record. */
struct project_ask {
    const char *tenant_id, *key_project, *project_id, *project, *name, *description;
};
static const struct rv_field project_ask_fields[] = {
    RV_UUID(project_ask, tenant_id, 0),  RV_UUID(project_ask, key_project, 0),
    RV_UUID(project_ask, project_id, 0), RV_TEXT(project_ask, project, 0),
    RV_TEXT(project_ask, name, 0),       RV_TEXT(project_ask, description, 0),
};
static RV_RECORD(project_ask, project_ask_fields);

rv_result project_find(struct rv_ctx *cx, const struct call *call, const char *project_id,
                       const char *project, bool lock, struct project *found)
{
    struct project_ask ask = { .tenant_id = call->caller->tenant_id,
                               .key_project = call_project(call),
                               .project_id = project_id,
                               .project = project };

    if (!project_id && !project && !ask.key_project) {
        rv_wrong(cx, "project", "is missing: say project or project_id");
        return rv_refuse(cx);
    }
    return rv_db_one(cx, lock ? &SQL_GATEWAY_PROJECT_LOCK : &SQL_GATEWAY_PROJECT_FIND,
                     rv_in(project_ask, &ask), rv_out(project, found));
}

static rv_result taken(struct rv_ctx *cx, const struct project *there)
{
    rv_fail(cx, RV_CONFLICT, "a project with this name is there: %s", there->project_id);
    cx->error.reason = rv_printf(cx, "{\"project_id\":\"%s\"}", there->project_id);
    return RV_CONFLICT;
}

static bool says_more(const struct ask *ask, const struct project *there)
{
    return ask->description && !(there->description && /* NULL was never said */
                                 strcmp(ask->description, there->description) == 0);
}

static rv_result change(struct rv_ctx *cx, struct project_ask ask, struct project *project)
{
    struct rv_rows rows;

    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_PROJECT_SET, rv_in(project_ask, &ask), &project_record,
                          &rows));
    if (rows.n == 0)
        return rv_fail(cx, RV_CONFLICT, "another project has this name");
    *project = *(const struct project *)rows.items;
    return RV_OK;
}

/* The name is taken: that is fine for an upsert. */
static rv_result meet(struct rv_ctx *cx, struct call *call, const struct ask *ask,
                      struct project *project)
{
    RV_TRY(cx, project_find(cx, call, NULL, ask->name, true, project));
    if (!ask->upsert)
        return taken(cx, project);
    call->status = 200;
    if (!says_more(ask, project))
        return RV_OK;
    return change(cx,
                  (struct project_ask){ .tenant_id = ask->tenant_id,
                                        .project_id = project->project_id,
                                        .description = ask->description },
                  project);
}

RV_HANDLER(route_project_create, struct call *call, const struct ask *ask, struct project *project)
{
    struct project_ask new = { .tenant_id = ask->tenant_id,
                               .project_id = rv_id_new(cx),
                               .name = ask->name,
                               .description = ask->description };
    struct rv_rows rows;

    if (call_project(call) && !ask->upsert)
        return rv_fail(cx, RV_DENIED, "a key of one project makes no others");
    if (!rv_text_is_name(ask->name)) {
        rv_wrong(cx, "name", "is not a name: a-z, 0-9, - and _, at most 63");
        return rv_refuse(cx);
    }
    if (call_project(call))
        return meet(cx, call, ask, project);
    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_PROJECT_ADD, rv_in(project_ask, &new), &project_record,
                          &rows));
    if (rows.n == 0)
        RV_TRY(cx, meet(cx, call, ask, project));
    else
        *project = *(const struct project *)rows.items;
    call->location = rv_printf(cx, "/v1/projects/%s", project->project_id);
    call_etag(cx, call, project->rev);
    return RV_OK;
}

RV_HANDLER(route_project_list, struct call *call, const struct ask *asked, struct page *page)
{
    struct rv_rows rows;
    struct ask ask;

    RV_TRY(cx, ask_page(cx, asked, PAGE_DEFAULT, PAGE_MAX, &ask));
    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_PROJECTS, ask_in(project_page, &ask), &project_record,
                          &rows));
    *page = page_of(cx, &project_record, rows, ask.limit, "project_id");
    return RV_OK;
}

RV_HANDLER(route_project_get, struct call *call, const struct ask *ask, struct project *project)
{
    RV_TRY(cx, project_find(cx, call, ask->id, NULL, false, project));
    call_etag(cx, call, project->rev);
    return RV_OK;
}

RV_HANDLER(route_project_change, struct call *call, const struct ask *ask, struct project *project)
{
    RV_TRY(cx, project_find(cx, call, ask->project_id, NULL, true, project));
    RV_TRY(cx, call_if_match(cx, call, project->rev));
    if (ask->name && !rv_text_is_name(ask->name)) {
        rv_wrong(cx, "name", "is not a name: a-z, 0-9, - and _, at most 63");
        return rv_refuse(cx);
    }
    RV_TRY(cx, change(cx,
                      (struct project_ask){ .tenant_id = ask->tenant_id,
                                            .project_id = project->project_id,
                                            .name = ask->name,
                                            .description = ask->description },
                      project));
    call_etag(cx, call, project->rev);
    return RV_OK;
}
