#define _GNU_SOURCE

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "runtime/db.h"
#include "runtime/secret.h"
#include "store/migrate.h"

#include "api.h"
#include "folder.h"
#include "up.h"

/* The Postgres of a supervisor that was killed may take a moment to go. */
enum { START_TRIES = 8 };

enum { SOCKET_PATH_MAX = 107 - 14 }; /* what a unix address takes, less /.s.PGSQL.5432 */

static const char *find_program(struct cli *cli, const char *program)
{
    static const char *const folders[] = {
        "/usr/lib/postgresql/17/bin",
        "/usr/lib/postgresql/16/bin",
        "/usr/lib/postgresql/15/bin",
        "/usr/local/pgsql/bin",
        "/usr/local/bin",
        "/usr/bin",
    };
    const char *given = getenv("REEVE_PG_BINDIR");

    if (given && *given)
        return rv_printf(cli->cx, "%s/%s", given, program);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        const char *path = rv_printf(cli->cx, "%s/%s", folders[i], program);

        if (access(path, X_OK) == 0)
            return path;
    }
    return NULL;
}

/* The folders that Postgres must enter belong to it; the data folder lets its group through. */
static rv_result make_room(struct up *up)
{
    static const char *const names[] = { "pg", "run" };
    struct rv_ctx *cx = up->cli->cx;
    uid_t uid;
    gid_t gid;

    if (!program_postgres_user(&uid, &gid))
        return rv_fail(cx, RV_UNAVAILABLE,
                       "Postgres does not run as root, and there is no user postgres");
    for (size_t i = 0; i < 2; i++) {
        const char *path = rv_printf(cx, "%s/%s", up->data, names[i]);

        if ((mkdir(path, 0700) != 0 && errno != EEXIST) ||
            (geteuid() == 0 && chown(path, uid, gid) != 0))
            return rv_fail(cx, RV_INTERNAL, "%s: %s", path, strerror(errno));
    }
    if (geteuid() == 0 && (chown(up->data, 0, gid) != 0 || chmod(up->data, 0710) != 0))
        return rv_fail(cx, RV_INTERNAL, "%s: %s", up->data, strerror(errno));
    return RV_OK;
}

/* As root: whether the user postgres can get to the folder at all (/root is closed to it). */
static bool can_enter(struct up *up)
{
    const char *argv[] = { "test", "-w", rv_printf(up->cli->cx, "%s/pg", up->data), NULL };
    struct program try = { .name = "test", .log = "/dev/null", .argv = argv, .as_postgres = true };

    return program_run(&try, 10000);
}

/* initdb works aside and the folder is renamed, so that a half-made one is never taken for whole.
 */
static rv_result run_initdb(struct up *up)
{
    struct rv_ctx *cx = up->cli->cx;
    const char *initdb = find_program(up->cli, "initdb");
    const char *data = rv_printf(cx, "%s/pg/data", up->data);
    const char *fresh = rv_printf(cx, "%s/pg/new", up->data);
    const char *log = rv_printf(cx, "%s/logs/initdb.log", up->data);
    const char *argv[] = { initdb, "-D",    fresh, "-U",   "reeve",
                           "-A",   "trust", "-E",  "UTF8", "--locale=C.UTF-8",
                           NULL };
    const char *clean[] = { "rm", "-rf", fresh, NULL };
    struct program make = { .name = "initdb", .log = log, .argv = argv, .as_postgres = true };
    struct program wipe = { .name = "rm", .log = log, .argv = clean, .as_postgres = true };

    if (access(data, F_OK) == 0)
        return RV_OK;
    fprintf(stderr, "making the database in %s/pg\n", up->data);
    if (program_run(&wipe, 60000) && program_run(&make, 120000) && rename(fresh, data) == 0)
        return RV_OK;
    return rv_fail(cx, RV_INTERNAL, "initdb failed: see %s", log);
}

rv_result up_postgres_make(struct up *up)
{
    struct rv_ctx *cx = up->cli->cx;
    enum rv_status status;

    if (!find_program(up->cli, "initdb")) {
        status = rv_fail(cx, RV_UNAVAILABLE, "there is no Postgres on this machine");
        cx->error.hint =
            "`tools/dev setup` installs it; REEVE_PG_BINDIR says where its programs are";
        return status;
    }
    if (strlen(up->data) + strlen("/run") > SOCKET_PATH_MAX)
        return rv_fail(cx, RV_INVALID, "%s is too long for a unix socket: at most %d bytes",
                       up->data, SOCKET_PATH_MAX - 4);
    RV_TRY(cx, make_room(up));
    if (geteuid() == 0 && !can_enter(up)) {
        status = rv_fail(cx, RV_INVALID, "the user postgres cannot enter %s", up->data);
        cx->error.hint =
            "as root, choose --data below a folder that others may enter, like /var/lib";
        return status;
    }
    RV_TRY(cx, run_initdb(up));
    return RV_OK;
}

rv_result up_postgres_plan(struct up *up)
{
    struct rv_ctx *cx = up->cli->cx;
    const char *run = rv_printf(cx, "%s/run", up->data);
    const char **argv = rv_new_array(cx, const char *, 32);
    const char *const fixed[] = {
        find_program(up->cli, "postgres"),
        "-D",
        rv_printf(cx, "%s/pg/data", up->data),
        "-c",
        "listen_addresses=",
        "-c",
        "port=5432",
        "-c",
        rv_printf(cx, "unix_socket_directories=%s", run),
        "-c",
        "max_connections=200",
        "-c",
        "shared_buffers=256MB",
        "-c",
        "max_wal_size=4GB", /* or checkpoints come every few seconds under load, and */
        "-c",
        "wal_compression=lz4", /* after each of them every page is logged whole again */
        "-c",
        "checkpoint_timeout=15min",
        "-c",
        "wal_init_zero=off", /* or everybody waits for 16 MiB of zeros, twice a second under load */
        "-c",
        "timezone=UTC",
        "-c",
        "log_line_prefix=%m %a ",
    };
    struct program *postgres;

    memcpy(argv, fixed, sizeof(fixed));
    postgres = up_add(up, "postgres", argv, NULL);
    postgres->as_postgres = true;
    postgres->stop_signal = SIGINT; /* fast: open sessions are ended */
    postgres->death_signal = SIGINT;
    up->postgres_url =
        rv_printf(cx, "postgresql://reeve@/postgres?host=%s&port=5432", api_escape(up->cli, run));
    return RV_OK;
}

static rv_result open_when_ready(struct up *up, struct rv_ctx *cx,
                                 const struct rv_db_options *options)
{
    int64_t deadline_ms = rv_monotonic_ms() + UP_READY_MS;

    while (rv_db_open(cx, options) != RV_OK) {
        struct program *postgres = &up->programs[0];

        rv_db_close(cx);
        if (postgres->pid && waitpid(postgres->pid, NULL, WNOHANG) == postgres->pid)
            program_ended(postgres, 0);
        if (rv_monotonic_ms() > deadline_ms || postgres->restarts > START_TRIES)
            return rv_fail(cx, RV_UNAVAILABLE, "Postgres does not answer: see %s/logs/postgres.log",
                           up->data);
        if (up_told_to_stop(50))
            return rv_fail(cx, RV_TIMEOUT, "stopped before it was ready");
        if (!postgres->pid && rv_monotonic_ms() > postgres->restart_at_ms &&
            !program_start(postgres))
            program_ended(postgres, 0);
    }
    return RV_OK;
}

/* The gateway makes it an administrator's, and keeps only its hash. */
static rv_result make_key(struct up *up)
{
    struct rv_ctx *cx = up->cli->cx;
    const char *path = rv_printf(cx, "%s/admin.key", up->data);

    if (access(path, F_OK) == 0)
        return RV_OK;
    return folder_write(cx, path, 0600, rv_printf(cx, "%s\n", rv_key_new(cx, "rv")));
}

rv_result up_postgres_ready(struct up *up)
{
    struct rv_db_options options = { RV_DB_DEFAULTS, .url = up->postgres_url, .name = "reeve-up" };
    const char *log = rv_printf(up->cli->cx, "%s/logs/migrate.log", up->data);
    struct rv_ctx *cx = up->cli->cx;
    FILE *out = fopen(log, "a");
    enum rv_status status;

    if (!out)
        return rv_fail(cx, RV_INTERNAL, "%s: %s", log, strerror(errno));
    status = open_when_ready(up, cx, &options);
    if (status == RV_OK)
        status = store_migrate_up(cx, out);
    if (status == RV_OK)
        status = make_key(up);
    rv_db_close(cx);
    fclose(out);
    return status;
}
