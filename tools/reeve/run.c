#include <stdio.h>
#include <string.h>

#include "base/text.h"

#include "api.h"
#include "commands.h"
#include "show.h"
#include "watch.h"

/* clang-format off */
static const struct show_column run_rows[] = {
    { "RUN",     "run_id",        SHOW_TEXT },
    { "NAME",    "name",          SHOW_TEXT },
    { "STATE",   "state",         SHOW_TEXT },
    { "PHASE",   "phase",         SHOW_TEXT },
    { "COST",    "cost_microusd", SHOW_USD },
    { "CREATED", "created_at_ms", SHOW_TIME },
    { 0 },
};
static const struct show_column run_lines[] = {
    { "run",        "run_id",         SHOW_TEXT },
    { "name",       "name",           SHOW_TEXT },
    { "state",      "state",          SHOW_TEXT },
    { "phase",      "phase",          SHOW_TEXT },
    { "error",      "error.code",     SHOW_TEXT },
    { "why",        "error.message",  SHOW_TEXT },
    { "approval",   "approval_id",    SHOW_TEXT },
    { "decision",   "decision_id",    SHOW_TEXT },
    { "cost",       "cost_microusd",  SHOW_USD },
    { "cost cap",   "limit_microusd", SHOW_USD },
    { "tokens in",  "tokens_in",      SHOW_COUNT },
    { "tokens out", "tokens_out",     SHOW_COUNT },
    { "steps",      "tasks_total",    SHOW_COUNT },
    { "steps open", "tasks_open",     SHOW_COUNT },
    { "created",    "created_at_ms",  SHOW_TIME },
    { "started",    "started_at_ms",  SHOW_TIME },
    { "ended",      "ended_at_ms",    SHOW_TIME },
    { "output",     "output",         SHOW_TEXT },
    { 0 },
};
static const struct show_column task_rows[] = {
    { "#",       "task_no",       SHOW_COUNT },
    { "STEP",    "node_id",       SHOW_TEXT },
    { "KIND",    "kind",          SHOW_TEXT },
    { "STATE",   "state",         SHOW_TEXT },
    { "TRIES",   "attempt",       SHOW_COUNT },
    { "CALLS",   "calls",         SHOW_COUNT },
    { "WAITED",  "waited_ms",     SHOW_MS },
    { "RAN",     "ran_ms",        SHOW_MS },
    { "COST",    "cost_microusd", SHOW_USD },
    { "ERROR",   "error.message", SHOW_TEXT },
    { 0 },
};
static const struct show_column step_rows[] = {
    { "TASK",    "task_no",       SHOW_COUNT },
    { "CALL",    "call_no",       SHOW_COUNT },
    { "KIND",    "kind",          SHOW_TEXT },
    { "NAME",    "name",          SHOW_TEXT },
    { "OK",      "ok",            SHOW_YES },
    { "FENCE",   "fence",         SHOW_COUNT },
    { "TOOK",    "took_ms",       SHOW_MS },
    { "IN",      "tokens_in",     SHOW_COUNT },
    { "OUT",     "tokens_out",    SHOW_COUNT },
    { "COST",    "cost_microusd", SHOW_USD },
    { "ERROR",   "error",         SHOW_TEXT },
    { 0 },
};
static const struct show_column decision_lines[] = {
    { "subject",  "subject",        SHOW_TEXT },
    { "effect",   "effect",         SHOW_TEXT },
    { "policy",   "policy",         SHOW_TEXT },
    { "version",  "policy_version", SHOW_COUNT },
    { "rule",     "rule",           SHOW_TEXT },
    { "reason",   "reason",         SHOW_TEXT },
    { "approval", "approval_id",    SHOW_TEXT },
    { "decided",  "decided_at_ms",  SHOW_TIME },
    { "facts",    "facts",          SHOW_TEXT },
    { 0 },
};
static const struct show_column budget_lines[] = {
    { "hold",       "hold.state",           SHOW_TEXT },
    { "held",       "hold.amount_microusd", SHOW_USD },
    { "used",       "hold.used_microusd",   SHOW_USD },
    { "tokens",     "hold.used_tokens",     SHOW_COUNT },
    { "calls",      "usage",                SHOW_TEXT },
    { 0 },
};
static const struct show_column event_rows[] = {
    { "#",       "run_seq",       SHOW_COUNT },
    { "EVENT",   "type",          SHOW_TEXT },
    { "STEP",    "node_id",       SHOW_TEXT },
    { "AT",      "at_ms",         SHOW_TIME },
    { "DATA",    "data",          SHOW_TEXT },
    { 0 },
};
static const struct show_column score_rows[] = {
    { "SCORER",  "scorer",        SHOW_TEXT },
    { "KIND",    "kind",          SHOW_TEXT },
    { "SCORE",   "score",         SHOW_TEXT },
    { "PASSED",  "passed",        SHOW_YES },
    { "REASON",  "reason",        SHOW_TEXT },
    { 0 },
};
/* clang-format on */

static const char *run_path(struct cli *cli, const char *rest)
{
    return rv_printf(cli->cx, "/v1/runs/%s%s", api_escape(cli, cli->args[0]), rest);
}

/* How the run went is the exit code of whoever waited for it. */
static enum cli_exit exit_of_run(json_t *run)
{
    const char *state = json_string_value(json_object_get(run, "state"));
    const char *phase = json_string_value(json_object_get(run, "phase"));

    if (rv_text_same(state, "cancelled"))
        return EXIT_RUN_STOPPED;
    if (!rv_text_same(state, "failed"))
        return EXIT_DONE;
    return rv_text_same(phase, "rejected") || rv_text_same(phase, "policy") ? EXIT_RUN_STOPPED
                                                                            : EXIT_RUN_FAILED;
}

static rv_result show_run(struct cli *cli, const char *run_id, bool judge)
{
    json_t *run;

    RV_TRY(cli->cx, api_get(cli, rv_printf(cli->cx, "/v1/runs/%s", api_escape(cli, run_id)), &run));
    show_object(cli, run, run_lines);
    if (judge)
        cli->exit = exit_of_run(run);
    return RV_OK;
}

static rv_result read_json_option(struct cli *cli, const char *said, const char *what,
                                  json_t **json)
{
    const char *text = said;
    size_t len = said ? strlen(said) : 0;

    *json = NULL;
    if (!said)
        return RV_OK;
    if (*said == '@')
        RV_TRY(cli->cx, cli_read_file(cli, said + 1, &text, &len));
    if (rv_json_parse(cli->cx, text, len, what, json) == RV_OK)
        return RV_OK;
    cli->exit = EXIT_USAGE;
    return cli->cx->error.status;
}

/* What POST /v1/runs takes. */
static rv_result run_body(struct cli *cli, json_t **body)
{
    const struct cli_options *o = &cli->options;
    json_t *input, *limits;

    if ((cli->n_args == 1) == (o->agent != NULL))
        return cli_misuse(cli, "name a workflow, or an agent with --agent");
    RV_TRY(cli->cx, read_json_option(cli, o->input, "--input", &input));
    RV_TRY(cli->cx, read_json_option(cli, o->limits, "--limits", &limits));
    *body = rv_json_own(cli->cx, json_object());
    if (o->project)
        json_object_set_new(*body, "project", json_string(o->project));
    json_object_set_new(*body, o->agent ? "agent" : "workflow",
                        json_string(o->agent ? o->agent : cli->args[0]));
    if (input)
        json_object_set(*body, "input", input);
    if (limits)
        json_object_set(*body, "limits", limits);
    return RV_OK;
}

enum rv_status command_run_submit(struct cli *cli)
{
    const struct cli_options *o = &cli->options;
    const char *run_id;
    int64_t wait_ms = 0;
    json_t *body = NULL, *run = NULL;

    if (o->wait && !rv_text_duration(o->wait, &wait_ms))
        return cli_misuse(cli, "--wait takes a time like 30s or 2m, not \"%s\"", o->wait);
    RV_TRY(cli->cx, run_body(cli, &body));
    RV_TRY(cli->cx,
           api_post(cli, api_query(cli, "/v1/runs", "wait", o->wait), body, o->key, wait_ms, &run));
    run_id = json_string_value(json_object_get(run, "run_id"));
    if (o->watch && run_id) {
        RV_TRY(cli->cx, watch_run(cli, run_id, NULL));
        RV_TRY(cli->cx, show_run(cli, run_id, true));
        return RV_OK;
    }
    show_object(cli, run, run_lines);
    if (wait_ms > 0)
        cli->exit = exit_of_run(run);
    return RV_OK;
}

enum rv_status command_run_get(struct cli *cli)
{
    return show_run(cli, cli->args[0], false);
}

enum rv_status command_run_list(struct cli *cli)
{
    const struct cli_options *o = &cli->options;
    const char *path = api_query(cli, "/v1/runs", "project", o->project);
    json_t *items;

    path = api_query(cli, path, "state", o->state);
    RV_TRY(cli->cx, api_list(cli, path, o->limit, &items));
    show_list(cli, items, run_rows);
    return RV_OK;
}

enum rv_status command_run_watch(struct cli *cli)
{
    json_t *run;

    RV_TRY(cli->cx, watch_run(cli, cli->args[0], cli->options.since));
    RV_TRY(cli->cx, api_get(cli, run_path(cli, ""), &run));
    if (!cli->options.json) /* there all that is printed is events */
        show_object(cli, run, run_lines);
    cli->exit = exit_of_run(run);
    return RV_OK;
}

enum rv_status command_run_cancel(struct cli *cli)
{
    json_t *body = rv_json_own(cli->cx, json_object()), *answer;

    if (cli->options.reason)
        json_object_set_new(body, "reason", json_string(cli->options.reason));
    RV_TRY(cli->cx, api_call(cli, "POST", run_path(cli, "/cancel"), body, &answer));
    show_object(cli, answer, run_lines);
    return RV_OK;
}

/* Since when a step could have run, and since when it did; still going on: until now. */
static void add_times(json_t *task)
{
    json_int_t ready = json_integer_value(json_object_get(task, "ready_at_ms"));
    json_int_t started = json_integer_value(json_object_get(task, "started_at_ms"));
    json_int_t ended = json_integer_value(json_object_get(task, "ended_at_ms"));

    if (ready > 0 && started >= ready)
        json_object_set_new(task, "waited_ms", json_integer(started - ready));
    if (started > 0 && ended >= started)
        json_object_set_new(task, "ran_ms", json_integer(ended - started));
}

static rv_result list_of_run(struct cli *cli, const char *what, const struct show_column *rows)
{
    json_t *items, *item;
    size_t i;

    RV_TRY(cli->cx, api_list(cli, run_path(cli, what), 0, &items));
    if (rows == task_rows)
        json_array_foreach(items, i, item) add_times(item);
    show_list(cli, items, rows);
    return RV_OK;
}

enum rv_status command_run_tasks(struct cli *cli)
{
    return list_of_run(cli, "/tasks", task_rows);
}

enum rv_status command_run_steps(struct cli *cli)
{
    return list_of_run(cli, "/steps", step_rows);
}

static rv_result object_of_run(struct cli *cli, const char *what, const struct show_column *lines)
{
    json_t *object;

    RV_TRY(cli->cx, api_get(cli, run_path(cli, what), &object));
    show_object(cli, object, lines);
    return RV_OK;
}

enum rv_status command_run_decision(struct cli *cli)
{
    return object_of_run(cli, "/policy-decision", decision_lines);
}

enum rv_status command_run_budget(struct cli *cli)
{
    return object_of_run(cli, "/budget", budget_lines);
}

enum rv_status command_run_events(struct cli *cli)
{
    return list_of_run(cli, "/events", event_rows);
}

enum rv_status command_run_scores(struct cli *cli)
{
    json_t *answer;

    RV_TRY(cli->cx, api_get(cli, run_path(cli, "/evaluations"), &answer)); /* one page, always */
    show_list(cli, json_object_get(answer, "data"), score_rows);
    return RV_OK;
}
