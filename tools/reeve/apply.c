#include <stdio.h>
#include <string.h>

#include "base/text.h"

#include "api.h"
#include "commands.h"
#include "document.h"
#include "show.h"

/* clang-format off */
static const struct show_column applied_rows[] = {
    { "KIND",    "kind",    SHOW_TEXT },
    { "PROJECT", "project", SHOW_TEXT },
    { "NAME",    "name",    SHOW_TEXT },
    { "WHAT",    "what",    SHOW_TEXT },
    { 0 },
};
/* clang-format on */

/* The one of that name in its project; NULL: there is none. */
static rv_result find(struct cli *cli, const struct document *d, json_t **found)
{
    const char *project = d->kind->project == WITHOUT_PROJECT ? NULL : d->project;
    json_t *items, *item;
    size_t i;

    *found = NULL;
    if (api_list(cli, api_query(cli, d->kind->path, "project", project), 0, &items) != RV_OK) {
        /* A dry run may be about a project that this very file will make. */
        bool later = cli->options.dry_run && cli->cx->error.status == RV_NOT_FOUND;

        return later ? RV_OK : cli->cx->error.status;
    }
    json_array_foreach(items, i, item)
    {
        bool of_project = json_is_string(json_object_get(item, "project_id"));
        bool here = d->kind->project == WITHOUT_PROJECT || of_project == (project != NULL);

        if (here && rv_text_same(json_string_value(json_object_get(item, "name")), d->name))
            *found = item;
    }
    return RV_OK;
}

static rv_result apply_one(struct cli *cli, const struct document *d, const char **what)
{
    json_t *found, *answer;

    RV_TRY(cli->cx, find(cli, d, &found));
    *what = found ? "updated" : "created";
    if (found && document_same(cli, d, found)) {
        *what = "unchanged";
        return RV_OK;
    }
    if (cli->options.dry_run) {
        *what = found ? "would be updated" : "would be created";
        return RV_OK;
    }
    if (api_call(cli, "POST", d->kind->path, document_body(cli, d), &answer) == RV_OK)
        return RV_OK;
    document_locate(cli, d);
    return cli->cx->error.status;
}

static json_t *row(const struct document *d, const char *what)
{
    return json_pack("{s:s, s:s?, s:s, s:s}", "kind", d->kind->kind, "project",
                     d->kind->project == WITHOUT_PROJECT ? NULL : d->project, "name", d->name,
                     "what", what);
}

enum rv_status command_apply(struct cli *cli)
{
    json_t *rows = rv_json_own(cli->cx, json_array());
    enum rv_status status = RV_OK;
    struct document *documents;
    struct rv_error why;
    size_t n;

    if (!cli->options.file)
        return cli_misuse(cli, "say what to apply: -f FILE, -f FOLDER or -f -");
    RV_TRY(cli->cx, documents_read(cli, cli->options.file, &documents, &n));
    for (size_t i = 0; i < n && status == RV_OK; i++) {
        const char *what = "";

        status = apply_one(cli, &documents[i], &what);
        if (status == RV_OK)
            json_array_append_new(rows, row(&documents[i], what));
        else
            status = rv_trace_at(cli->cx, status, RV_HERE);
    }
    why = cli->cx->error;
    if (status == RV_OK || json_array_size(rows) > 0)
        show_list(cli, rows, applied_rows);
    cli->cx->error = why;
    return status;
}
