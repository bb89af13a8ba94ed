/* What people govern with: approvals, budgets, keys; and the machines as pictures. */

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "domain/policy.h"
#include "domain/run.h"
#include "domain/task.h"
#include "runtime/secret.h"
#include "store/migrate.h"

#include "api.h"
#include "commands.h"
#include "show.h"

/* clang-format off */
static const struct show_column approval_rows[] = {
    { "APPROVAL", "approval_id",    SHOW_TEXT },
    { "STATE",    "state",          SHOW_TEXT },
    { "ABOUT",    "subject",        SHOW_TEXT },
    { "TITLE",    "title",          SHOW_TEXT },
    { "RUN",      "run_id",         SHOW_TEXT },
    { "BY",       "decided_by",     SHOW_TEXT },
    { "ASKED",    "created_at_ms",  SHOW_TIME },
    { 0 },
};
static const struct show_column budget_rows[] = {
    { "BUDGET",      "name",            SHOW_TEXT },
    { "STATE",       "state",           SHOW_TEXT },
    { "LIMIT",       "limit_microusd",  SHOW_USD },
    { "HELD",        "held_microusd",   SHOW_USD },
    { "SPENT",       "spent_microusd",  SHOW_USD },
    { "LEFT",        "left_microusd",   SHOW_USD },
    { "TOKENS",      "limit_tokens",    SHOW_COUNT },
    { "HELD",        "held_tokens",     SHOW_COUNT },
    { "SPENT",       "spent_tokens",    SHOW_COUNT },
    { 0 },
};
static const struct show_column key_rows[] = {
    { "KEY ID",    "key_id",          SHOW_TEXT },
    { "NAME",      "name",            SHOW_TEXT },
    { "ROLE",      "role",            SHOW_TEXT },
    { "CREATED",   "created_at_ms",   SHOW_TIME },
    { "LAST USED", "last_used_at_ms", SHOW_TIME },
    { "REVOKED",   "revoked_at_ms",   SHOW_TIME },
    { "KEY",       "key",             SHOW_TEXT },
    { 0 },
};
/* clang-format on */

static void keep_if(json_t *items, const char *field, const char *text)
{
    for (size_t i = json_array_size(items); text && i-- > 0;) {
        json_t *item = json_array_get(items, i);

        if (!rv_text_same(json_string_value(json_object_get(item, field)), text))
            json_array_remove(items, i);
    }
}

enum rv_status command_approval_list(struct cli *cli)
{
    const struct cli_options *o = &cli->options;
    const char *path = api_query(cli, "/v1/approvals", "project", o->project);
    json_t *items;

    path = api_query(cli, path, "state", o->all ? NULL : "pending");
    path = api_query(cli, path, "run_id", o->run);
    RV_TRY(cli->cx, api_list(cli, path, o->limit, &items));
    show_list(cli, items, approval_rows);
    return RV_OK;
}

enum rv_status command_approval_decide(struct cli *cli)
{
    const char *verb = strrchr(cli->command->name, ' ') + 1;
    json_t *body = rv_json_own(cli->cx, json_object()), *answer;
    const char *path =
        rv_printf(cli->cx, "/v1/approvals/%s/%s", api_escape(cli, cli->args[0]), verb);

    if (cli->options.reason)
        json_object_set_new(body, "feedback", json_string(cli->options.reason));
    RV_TRY(cli->cx, api_call(cli, "POST", path, body, &answer));
    show_object(cli, answer, approval_rows);
    return RV_OK;
}

enum rv_status command_budget_show(struct cli *cli)
{
    const char *path = api_query(cli, "/v1/budgets", "project", cli->options.project);
    json_t *items;

    RV_TRY(cli->cx, api_list(cli, path, 0, &items));
    keep_if(items, "name", cli->n_args ? cli->args[0] : NULL);
    if (cli->n_args && json_array_size(items) == 0)
        return rv_fail(cli->cx, RV_NOT_FOUND, "there is no budget \"%s\"", cli->args[0]);
    if (cli->n_args && (cli->options.json || cli->options.get))
        show_object(cli, json_array_get(items, 0), budget_rows);
    else
        show_list(cli, items, budget_rows);
    return RV_OK;
}

/* A key knows its project by id only. */
static rv_result add_project(struct cli *cli, json_t *body)
{
    const char *name = cli->options.project;
    json_t *items, *id;

    if (!name)
        return RV_OK;
    RV_TRY(cli->cx, api_list(cli, api_query(cli, "/v1/projects", "name", name), 1, &items));
    id = rv_json_at(items, "[0].project_id");
    if (!id)
        return rv_fail(cli->cx, RV_NOT_FOUND, "there is no project \"%s\"", name);
    json_object_set(body, "project_id", id);
    return RV_OK;
}

enum rv_status command_key_create(struct cli *cli)
{
    json_t *body = rv_json_own(cli->cx, json_object()), *answer;

    json_object_set_new(body, "name", json_string(cli->args[0]));
    json_object_set_new(body, "role",
                        json_string(cli->options.role ? cli->options.role : "viewer"));
    RV_TRY(cli->cx, add_project(cli, body));
    RV_TRY(cli->cx, api_call(cli, "POST", "/v1/api-keys", body, &answer));
    show_object(cli, answer, key_rows);
    return RV_OK;
}

/* In the file that REEVE_ADMIN_KEY_FILE names it becomes the first administrator's, before there is
 * anybody who could ask for one. */
enum rv_status command_key_new(struct cli *cli)
{
    const char *key = rv_key_new(cli->cx, "rv");
    json_t *made = rv_json_own(cli->cx, json_object());

    json_object_set_new(made, "key", json_string(key));
    if (!show_raw(cli, made))
        printf("%s\n", key);
    return RV_OK;
}

enum rv_status command_key_list(struct cli *cli)
{
    json_t *items;

    RV_TRY(cli->cx, api_list(cli, "/v1/api-keys", 0, &items));
    show_list(cli, items, key_rows);
    return RV_OK;
}

enum rv_status command_key_revoke(struct cli *cli)
{
    const char *path = rv_printf(cli->cx, "/v1/api-keys/%s", api_escape(cli, cli->args[0]));
    json_t *answer;

    RV_TRY(cli->cx, api_call(cli, "DELETE", path, NULL, &answer));
    if (answer)
        show_object(cli, answer, key_rows);
    return RV_OK;
}

enum rv_status command_machine_draw(struct cli *cli)
{
    static const struct {
        const char *name;
        const struct rv_fsm *machine;
    } machines[] = { { "run", &run_machine },
                     { "task", &task_machine },
                     { "approval", &approval_machine } };

    for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
        if (rv_text_same(machines[i].name, cli->args[0])) {
            rv_fsm_draw(machines[i].machine, stdout);
            return RV_OK;
        }
    return cli_misuse(cli, "there is no machine \"%s\": run, task or approval", cli->args[0]);
}

enum rv_status command_version(struct cli *cli)
{
    json_t *version = rv_json_own(cli->cx, json_object());

    json_object_set_new(version, "version", json_string(REEVE_VERSION));
    json_object_set_new(version, "schema", json_integer(store_schema_version()));
    if (!show_raw(cli, version))
        printf("reeve %s, schema %04d\n", REEVE_VERSION, (int)store_schema_version());
    return RV_OK;
}
