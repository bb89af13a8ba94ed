#include "definitions.h"

#include <string.h>

#include "base/id.h"
#include "base/text.h"
#include "projects.h"
#include "routes.h"
#include "store/sql.h"

static void check_agent(struct rv_ctx *cx, const void *spec)
{
    agent_check(cx, spec);
}

static void check_tool(struct rv_ctx *cx, const void *spec)
{
    tool_check(cx, spec);
}

static void check_workflow(struct rv_ctx *cx, const void *spec)
{
    workflow_check(cx, spec);
}

/* clang-format off */
const struct kind kinds[] = {
    { DEFINITION_AGENT,    "/v1/agents",    &agent_record,    &agent_spec_record,    check_agent },
    { DEFINITION_TOOL,     "/v1/tools",     &tool_record,     &tool_spec_record,     check_tool },
    { DEFINITION_WORKFLOW, "/v1/workflows", &workflow_record, &workflow_spec_record, check_workflow },
    { 0 },
};
/* clang-format on */

/* The fields that the statements want. */
struct definition_ask {
    const char *tenant_id, *key_project, *id;
    enum definition_kind kind;
};
static const struct rv_field definition_ask_fields[] = {
    RV_UUID(definition_ask, tenant_id, 0),
    RV_UUID(definition_ask, key_project, 0),
    RV_UUID(definition_ask, id, 0),
    RV_ENUM(definition_ask, kind, definition_kind, 0),
};
static RV_RECORD(definition_ask, definition_ask_fields);

static const struct kind *kind_of(const struct call *call)
{
    const struct kind *kind = kinds;

    while (kind->record && kind->record != call->route->out)
        kind++;
    return kind;
}

static const struct kind *kind_named(enum definition_kind which)
{
    const struct kind *kind = kinds;

    while (kind->kind != which)
        kind++;
    return kind;
}

rv_result definition_spec(struct rv_ctx *cx, const struct definition_row *row, void **spec)
{
    const struct rv_record *record = kind_named(row->kind)->spec;

    *spec = rv_arena_alloc(cx->arena, record->size);
    return rv_json_read(cx, row->spec, strlen(row->spec), RV_JSON_LENIENT,
                        (struct rv_out){ record, *spec });
}

static rv_result view(struct rv_ctx *cx, const struct definition_row *row,
                      struct definition *definition)
{
    *definition = (struct definition){ .id = row->definition_id,
                                       .project_id = row->project_id,
                                       .name = row->name,
                                       .version = row->version,
                                       .created_at_ms = row->created_at_ms,
                                       .updated_at_ms = row->updated_at_ms };
    return definition_spec(cx, row, &definition->spec);
}

/* The name inside a spec is the definition's own; nobody needs to say it twice. */
static void check_inner_name(struct rv_ctx *cx, const struct kind *kind, void *spec,
                             const char *name)
{
    const struct rv_field *field =
        rv_record_field(kind->spec, rv_enum_word(&definition_kind_enum, (int)kind->kind));
    const char **inner = field ? rv_field_at(field, spec) : NULL;

    if (!inner)
        return;
    if (*inner && strcmp(*inner, name) != 0)
        rv_wrong(cx, field->name, "is not the name of the definition");
    *inner = name;
}

/* The domain looks at the spec alone; a client wrote it under "spec". */
static rv_result check_spec(struct rv_ctx *cx, const struct kind *kind, void *spec,
                            const char *name)
{
    unsigned before = cx->error.n_details, after;

    check_inner_name(cx, kind, spec, name);
    kind->check(cx, spec);
    after = cx->error.n_details < RV_DETAILS_MAX ? cx->error.n_details : RV_DETAILS_MAX;
    for (unsigned i = before; i < after; i++) {
        struct rv_detail *detail = &cx->error.details[i];

        detail->path = rv_printf(cx, "spec%s%s", *detail->path == '[' || !*detail->path ? "" : ".",
                                 detail->path);
    }
    return rv_refuse(cx);
}

static rv_result write_spec(struct rv_ctx *cx, const struct kind *kind, const void *spec,
                            const char **text)
{
    return rv_json_write(cx, (struct rv_in){ kind->spec, spec, 1 }, text);
}

/* Stores the next version of @row, which is new when it has no times yet. */
static rv_result store(struct rv_ctx *cx, const struct call *call, struct definition_row *row)
{
    const struct rv_sql *head =
        row->version == 1 ? &SQL_GATEWAY_DEFINITION_ADD : &SQL_GATEWAY_DEFINITION_MOVE;
    struct definition_row times;

    row->tenant_id = call->caller->tenant_id;
    row->created_by = call->caller->key_id;
    RV_TRY(cx, rv_db_one(cx, head, rv_in(definition_row, row), rv_out(definition_row, &times)));
    RV_TRY(cx, rv_db_exec(cx, &SQL_GATEWAY_DEFINITION_VERSION_ADD, rv_in(definition_row, row)));
    RV_TRY(cx, rv_db_exec(cx, &SQL_GATEWAY_DEFINITIONS_CHANGED, rv_in(definition_row, row)));
    row->created_at_ms = times.created_at_ms;
    row->updated_at_ms = times.updated_at_ms;
    return RV_OK;
}

static rv_result taken(struct rv_ctx *cx, const struct kind *kind, const char *id)
{
    const char *word = rv_enum_word(&definition_kind_enum, (int)kind->kind);

    rv_fail(cx, RV_CONFLICT, "a %s with this name is there: %s", word, id);
    cx->error.reason = rv_printf(cx, "{\"%s_id\":\"%s\"}", word, id);
    return RV_CONFLICT;
}

/* The name is taken: by the same, which is fine for an upsert, or by something else. */
static rv_result meet(struct rv_ctx *cx, struct call *call, const struct kind *kind, bool upsert,
                      const struct definition_row *there, struct definition_row *row)
{
    if (!upsert)
        return taken(cx, kind, there->definition_id);
    call->status = 200;
    row->definition_id = there->definition_id;
    row->version = there->version + 1;
    if (!there->same)
        return store(cx, call, row);
    *row = *there;
    return RV_OK;
}

RV_HANDLER(route_definition_create, struct call *call, const struct definition *ask,
           struct definition *definition)
{
    const struct kind *kind = kind_of(call);
    struct definition_row row = {
        .tenant_id = ask->tenant_id, .kind = kind->kind, .name = ask->name, .version = 1
    };
    struct project project;
    struct rv_rows there;

    if (!rv_text_is_name(ask->name))
        rv_wrong(cx, "name", "is not a name: a-z, 0-9, - and _, at most 63");
    RV_TRY(cx, check_spec(cx, kind, ask->spec, ask->name));
    RV_TRY(cx, write_spec(cx, kind, ask->spec, &row.spec));
    RV_TRY(cx, project_find(cx, call, ask->project_id, ask->project, true, &project));
    row.project_id = project.project_id;
    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_DEFINITION_NAMED, rv_in(definition_row, &row),
                          &definition_row_record, &there));
    if (there.n > 0) {
        RV_TRY(cx, meet(cx, call, kind, ask->upsert, there.items, &row));
    } else {
        row.definition_id = rv_id_new(cx);
        RV_TRY(cx, store(cx, call, &row));
    }
    call->location = rv_printf(cx, "%s/%s", kind->path, row.definition_id);
    call_etag(cx, call, row.version);
    return view(cx, &row, definition);
}

static rv_result read_row(struct rv_ctx *cx, const struct call *call, const char *id,
                          struct definition_row *row)
{
    const struct kind *kind = kind_of(call);
    struct definition_ask ask = { call->caller->tenant_id, call_project(call), id, kind->kind };
    struct rv_rows rows;

    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_DEFINITION_GET, rv_in(definition_ask, &ask),
                          &definition_row_record, &rows));
    if (rows.n == 0)
        return rv_fail(cx, RV_NOT_FOUND, "no such %s", kind->record->name);
    *row = *(const struct definition_row *)rows.items;
    return RV_OK;
}

RV_HANDLER(route_definition_get, struct call *call, const struct ask *ask,
           struct definition *definition)
{
    struct definition_row row;

    RV_TRY(cx, read_row(cx, call, ask->id, &row));
    call_etag(cx, call, row.version);
    return view(cx, &row, definition);
}

RV_HANDLER(route_definition_list, struct call *call, const struct ask *asked, struct page *page)
{
    struct definition *items;
    struct rv_rows rows;
    struct ask ask;

    RV_TRY(cx, ask_page(cx, asked, PAGE_DEFAULT, PAGE_MAX, &ask));
    ask.kind = kind_of(call)->kind;
    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_DEFINITIONS, ask_in(definition_page, &ask),
                          &definition_row_record, &rows));
    *page = page_of(cx, &definition_row_record, rows, ask.limit, "definition_id");
    items = rv_new_array(cx, struct definition, page->n);
    for (size_t i = 0; i < page->n; i++)
        RV_TRY(cx, view(cx, (const struct definition_row *)rows.items + i, &items[i]));
    page->items = items;
    return RV_OK;
}

/* A new version. What is the same as the current one is none. */
RV_HANDLER(route_definition_change, struct call *call, const struct definition *ask,
           struct definition *definition)
{
    const struct kind *kind = kind_of(call);
    struct definition_row row, changed;
    struct project project;
    struct rv_rows there;

    RV_TRY(cx, read_row(cx, call, ask->id, &row));
    RV_TRY(cx, check_spec(cx, kind, ask->spec, row.name));
    RV_TRY(cx, project_find(cx, call, row.project_id, NULL, true, &project));
    changed = row;
    changed.tenant_id = ask->tenant_id;
    RV_TRY(cx, write_spec(cx, kind, ask->spec, &changed.spec));
    RV_TRY(cx, rv_db_rows(cx, &SQL_GATEWAY_DEFINITION_NAMED, rv_in(definition_row, &changed),
                          &definition_row_record, &there)); /* again, now that nobody else writes */
    if (there.n == 0)
        return rv_fail(cx, RV_NOT_FOUND, "no such %s", kind->record->name);
    row = *(const struct definition_row *)there.items;
    RV_TRY(cx, call_if_match(cx, call, row.version));
    if (!row.same) {
        changed.version = row.version + 1;
        RV_TRY(cx, store(cx, call, &changed));
        row = changed;
    }
    call_etag(cx, call, row.version);
    return view(cx, &row, definition);
}
