#define _GNU_SOURCE

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"

#include "commands.h"
#include "folder.h"
#include "show.h"
#include "up.h"

enum { DOWN_MS = 120000 };

/* clang-format off */
static const struct show_column program_rows[] = {
    { "PROGRAM",  "name",     SHOW_TEXT },
    { "STATE",    "state",    SHOW_TEXT },
    { "PROCESS",  "pid",      SHOW_TEXT },
    { "RESTARTS", "restarts", SHOW_COUNT },
    { "HEALTH",   "health",   SHOW_TEXT },
    { "LOG",      "log",      SHOW_TEXT },
    { 0 },
};
/* clang-format on */

static json_t *row_of(struct rv_ctx *cx, const struct program *program)
{
    const char *health =
        program->health_port ? rv_printf(cx, "127.0.0.1:%" PRId64, program->health_port) : NULL;

    return json_pack("{s:s, s:i, s:i, s:s?, s:s}", "name", program->name, "pid", (int)program->pid,
                     "restarts", program->restarts, "health", health, "log", program->log);
}

/* A ctx of its own: the supervisor's lives for weeks. */
rv_result up_tell(struct up *up)
{
    enum rv_status status;
    struct rv_ctx cx;
    json_t *rows;

    rv_ctx_init(&cx);
    rows = rv_json_own(&cx, json_array());
    for (size_t i = 0; i < up->n_programs; i++)
        json_array_append_new(rows, row_of(&cx, &up->programs[i]));
    status =
        folder_write(&cx, rv_printf(&cx, "%s/programs", up->data), 0600, rv_json_text(&cx, rows));
    if (status != RV_OK)
        status = rv_fail(up->cli->cx, status, "%s", cx.error.text);
    rv_ctx_release(&cx);
    return status;
}

enum rv_status command_ps(struct cli *cli)
{
    const char *data = cli_data_folder(cli), *text;
    json_t *rows, *row;
    size_t len, i;

    if (folder_owner(data) == 0)
        return rv_fail(cli->cx, RV_UNAVAILABLE, "nothing runs on %s", data);
    RV_TRY(cli->cx, cli_read_file(cli, rv_printf(cli->cx, "%s/programs", data), &text, &len));
    RV_TRY(cli->cx, rv_json_parse(cli->cx, text, len, "the list of programs", &rows));
    json_array_foreach(rows, i, row)
    {
        pid_t pid = (pid_t)json_integer_value(json_object_get(row, "pid"));
        bool runs = pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);

        json_object_set_new(row, "state", json_string(runs ? "running" : "restarting"));
    }
    show_list(cli, rows, program_rows);
    return RV_OK;
}

enum rv_status command_down(struct cli *cli)
{
    const char *data = cli_data_folder(cli);
    int64_t owner = folder_owner(data), deadline_ms = rv_monotonic_ms() + DOWN_MS;

    if (owner == 0) {
        fprintf(stderr, "nothing runs on %s\n", data);
        return RV_OK;
    }
    if (kill((pid_t)owner, SIGTERM) != 0)
        return rv_fail(cli->cx, RV_DENIED, "process %" PRId64 ": %s", owner, strerror(errno));
    while (folder_owner(data) == owner) {
        if (rv_monotonic_ms() > deadline_ms)
            return rv_fail(cli->cx, RV_TIMEOUT,
                           "process %" PRId64 " still stops: see %s/logs/up.log", owner, data);
        rv_sleep_ms(50);
    }
    fprintf(stderr, "stopped\n");
    return RV_OK;
}
