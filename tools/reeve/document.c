#define _GNU_SOURCE

#include "document.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "domain/budget.h"
#include "domain/plan.h"
#include "domain/policy.h"
#include "runtime/yaml.h"

enum { DOCUMENTS_MAX = 1000, FILES_MAX = 200 };

struct project_spec {
    const char *name, *description;
};
static const struct rv_field project_spec_fields[] = {
    RV_TEXT(project_spec, name, RV_REQUIRED),
    RV_TEXT(project_spec, description, RV_UNSET),
};
static RV_RECORD(project_spec, project_spec_fields);

struct written {
    const char *kind, *project, *name, *spec;
};
static const struct rv_field written_fields[] = {
    RV_TEXT(written, kind, RV_REQUIRED),
    RV_TEXT(written, project, 0),
    RV_TEXT(written, name, RV_REQUIRED),
    RV_JSON(written, spec, 0),
};
static RV_RECORD(written, written_fields);

static void check_workflow(struct rv_ctx *cx, const void *object)
{
    workflow_check(cx, object);
}

static void check_agent(struct rv_ctx *cx, const void *object)
{
    agent_check(cx, object);
}

static void check_tool(struct rv_ctx *cx, const void *object)
{
    tool_check(cx, object);
}

static void check_policy(struct rv_ctx *cx, const void *object)
{
    policy_check(cx, object);
}

/* clang-format off */
const struct document_kind document_kinds[] = {
    { "project",  "/v1/projects",  &project_spec_record,  true,  WITHOUT_PROJECT, NULL },
    { "tool",     "/v1/tools",     &tool_spec_record,     false, WITH_PROJECT,    check_tool },
    { "agent",    "/v1/agents",    &agent_spec_record,    false, WITH_PROJECT,    check_agent },
    { "workflow", "/v1/workflows", &workflow_spec_record, false, WITH_PROJECT,    check_workflow },
    { "policy",   "/v1/policies",  &policy_record,        true,  MAYBE_PROJECT,   check_policy },
    { "budget",   "/v1/budgets",   &budget_record,        true,  MAYBE_PROJECT,   NULL },
    { 0 },
};
/* clang-format on */

static const struct document_kind *kind_of(const char *word)
{
    for (const struct document_kind *k = document_kinds; k->kind; k++)
        if (rv_text_same(k->kind, word))
            return k;
    return NULL;
}

/* "brief.yaml:12:5: spec.nodes[2].kind" */
static const char *place(struct cli *cli, const struct document *d, const char *path)
{
    int line = 0, column = 0;

    if (rv_yaml_where(cli->cx, d->text, d->text_len, d->index, path, &line, &column) != RV_OK)
        line = column = 0;
    return rv_printf(cli->cx, "%s:%d:%d%s%s", d->file, line, column, *path ? ": " : "", path);
}

/* Where a field of what we send stands in what was written. */
static const char *written_path(struct cli *cli, const struct document *d, const char *path)
{
    if (rv_text_same(path, "project_id"))
        return "project";
    if (!d->kind || !d->kind->flat || rv_text_same(path, "name") || rv_text_starts(path, "spec."))
        return path;
    return *path ? rv_printf(cli->cx, "spec.%s", path) : "spec";
}

void document_locate(struct cli *cli, const struct document *document)
{
    struct rv_error *error = &cli->cx->error;

    for (unsigned i = 0; i < error->n_details && i < RV_DETAILS_MAX; i++)
        error->details[i].path =
            place(cli, document, written_path(cli, document, error->details[i].path));
}

/* Its name and what it says of itself. */
static json_t *said(struct cli *cli, const struct document *document)
{
    json_t *body = rv_json_own(cli->cx, json_object());

    json_object_set_new(body, "name", json_string(document->name));
    if (document->kind->flat)
        json_object_update_missing(body, document->spec);
    else
        json_object_set(body, "spec", document->spec);
    return body;
}

json_t *document_body(struct cli *cli, const struct document *document)
{
    json_t *body = said(cli, document);

    json_object_set_new(body, "upsert", json_true());
    if (document->project && document->kind->project != WITHOUT_PROJECT)
        json_object_set_new(body, "project", json_string(document->project));
    return body;
}

/* What the record of the kind describes: the spec, or all of it. */
static json_t *described(struct cli *cli, const struct document *d)
{
    return d->kind->flat ? said(cli, d) : d->spec;
}

/* The details noted since the first @from are given their places. */
static void locate_since(struct cli *cli, const struct document *d, unsigned from,
                         const char *under)
{
    struct rv_error *error = &cli->cx->error;

    for (unsigned i = from; i < error->n_details && i < RV_DETAILS_MAX; i++) {
        const char *path = error->details[i].path;

        if (under && !(d->kind->flat && rv_text_same(path, "name")))
            path = rv_printf(cli->cx, "%s%s%s", under, *path && *path != '[' ? "." : "", path);
        error->details[i].path = place(cli, d, path);
    }
}

static void check_spec(struct cli *cli, const struct document *d)
{
    struct rv_ctx *cx = cli->cx;
    void *object = rv_arena_alloc(cx->arena, d->kind->record->size);
    unsigned before = cx->error.n_details;
    enum rv_status status = rv_json_into_record(cx, described(cli, d), "", RV_JSON_CLIENT,
                                                (struct rv_out){ d->kind->record, object });

    /* A mistake in an earlier document is a refusal here too: only new ones count. */
    if ((status == RV_OK || cx->error.n_details == before) && d->kind->check)
        d->kind->check(cx, object);
    locate_since(cli, d, before, "spec");
}

static void check_head(struct cli *cli, struct document *d, const struct written *w)
{
    struct rv_ctx *cx = cli->cx;
    unsigned before = cx->error.n_details;

    d->kind = kind_of(w->kind);
    d->name = w->name;
    d->project = w->project ? w->project : cli->options.project;
    if (!d->kind)
        rv_wrong(cx, "kind", "is none of project, tool, agent, workflow, policy, budget");
    if (!rv_text_is_name(w->name))
        rv_wrong(cx, "name", "is not a name: a-z, 0-9, - and _, at most 63");
    if (d->kind && d->kind->project == WITH_PROJECT && !d->project)
        rv_wrong(cx, "project", "is not set, and there is no --project");
    if (d->kind && d->kind->project == WITHOUT_PROJECT && w->project)
        rv_wrong(cx, "project", "does not go with this kind");
    if (d->spec && !json_is_object(d->spec))
        rv_wrong(cx, "spec", "is not an object");
    locate_since(cli, d, before, NULL);
    if (cx->error.n_details == before)
        check_spec(cli, d);
}

static rv_result read_one(struct cli *cli, struct document *d, const char *json)
{
    struct rv_ctx *cx = cli->cx;
    unsigned before = cx->error.n_details;
    struct written w = { 0 };
    json_t *all;

    RV_TRY(cx, rv_json_parse(cx, json, strlen(json), d->file, &all));
    if (rv_json_into_record(cx, all, "", RV_JSON_STRICT, rv_out(written, &w)) != RV_OK &&
        cx->error.n_details > before) {
        locate_since(cli, d, before, NULL);
        return RV_OK; /* noted: the other documents are looked at too */
    }
    d->spec = json_object_get(all, "spec");
    if (!d->spec || json_is_null(d->spec))
        d->spec = rv_json_own(cx, json_object());
    check_head(cli, d, &w);
    return RV_OK;
}

static rv_result read_file(struct cli *cli, const char *path, struct document *into, size_t *n)
{
    struct rv_yaml *parts;
    const char *text;
    size_t len, n_parts;

    RV_TRY(cli->cx, cli_read_file(cli, path, &text, &len));
    if (strcmp(path, "-") == 0)
        path = "stdin";
    if (rv_yaml_read(cli->cx, text, len, &parts, &n_parts) != RV_OK)
        return rv_fail(cli->cx, RV_INVALID, "%s: %s", path, cli->cx->error.text);
    for (size_t i = 0; i < n_parts; i++) {
        struct document *d = &into[*n];

        if (*n >= DOCUMENTS_MAX)
            return rv_fail(cli->cx, RV_TOO_LARGE, "more than %d documents", DOCUMENTS_MAX);
        if (strcmp(parts[i].json, "null") == 0)
            continue; /* nothing between two lines of --- */
        *d = (struct document){ .file = path, .text = text, .text_len = len, .index = i };
        RV_TRY(cli->cx, read_one(cli, d, parts[i].json));
        ++*n;
    }
    return RV_OK;
}

static int is_yaml(const struct dirent *entry)
{
    return rv_text_ends(entry->d_name, ".yaml") || rv_text_ends(entry->d_name, ".yml");
}

static rv_result read_folder(struct cli *cli, const char *path, struct document *into, size_t *n)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_yaml, alphasort);
    enum rv_status status = RV_OK;

    for (int i = 0; i < count; i++) {
        if (status == RV_OK && i < FILES_MAX)
            status = read_file(cli, rv_printf(cli->cx, "%s/%s", path, entries[i]->d_name), into, n);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    if (count <= 0)
        return rv_fail(cli->cx, RV_NOT_FOUND, "%s: there is no .yaml file in this folder", path);
    return status;
}

static int by_kind(const void *a, const void *b)
{
    const struct document *x = a, *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->file != y->file ? strcmp(x->file, y->file)
                              : (x->index > y->index) - (x->index < y->index);
}

rv_result documents_read(struct cli *cli, const char *path, struct document **documents, size_t *n)
{
    struct stat st;

    *n = 0;
    *documents = rv_new_array(cli->cx, struct document, DOCUMENTS_MAX);
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        RV_TRY(cli->cx, read_folder(cli, path, *documents, n));
    else
        RV_TRY(cli->cx, read_file(cli, path, *documents, n));
    RV_TRY(cli->cx, rv_refuse(cli->cx));
    qsort(*documents, *n, sizeof(**documents), by_kind);
    return RV_OK;
}

/* @json as the record reads and writes it, so that what means the same looks the same. */
static json_t *normal(struct cli *cli, const struct document_kind *kind, json_t *json)
{
    struct rv_ctx *cx = cli->cx;
    void *object = rv_arena_alloc(cx->arena, kind->record->size);
    const char *text = rv_json_text(cx, json);
    json_t *out = NULL;

    if (rv_json_read(cx, text, strlen(text), RV_JSON_LENIENT,
                     (struct rv_out){ kind->record, object }) != RV_OK ||
        rv_json_write(cx, (struct rv_in){ kind->record, object, 1 }, &text) != RV_OK ||
        rv_json_parse(cx, text, strlen(text), "a document", &out) != RV_OK)
        return NULL;
    return out;
}

/* Ids, revisions and what only the gateway says are no part of what was written; nor is the name
 * that it writes into the spec of a tool or an agent. */
static bool is_theirs(const struct document_kind *kind, const struct rv_field *field,
                      const json_t *mine)
{
    return rv_text_same(field->name, kind->kind) || (field->flags & RV_READONLY) ||
           rv_text_ends(field->name, "_id") || rv_text_same(field->name, "rev") ||
           (field->kind == RV_KIND_ENUM && (!mine || json_is_null(mine)));
}

bool document_same(struct cli *cli, const struct document *document, json_t *there)
{
    const struct rv_record *record = document->kind->record;
    json_t *mine = normal(cli, document->kind, described(cli, document));
    json_t *theirs =
        normal(cli, document->kind, document->kind->flat ? there : json_object_get(there, "spec"));

    if (!mine || !theirs)
        return false;
    for (size_t i = 0; i < record->field_count; i++) {
        const struct rv_field *field = &record->fields[i];
        json_t *a = json_object_get(mine, field->name), *b = json_object_get(theirs, field->name);

        if (!is_theirs(document->kind, field, a) && a != b && !(a && b && json_equal(a, b)))
            return false;
    }
    return true;
}
