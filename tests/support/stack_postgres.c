#define _GNU_SOURCE

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "runtime/db.h"
#include "support/stack.h"
#include "support/stack_inside.h"
#include "support/stack_process.h"

static const char *bin(const char *program, char *path, size_t size)
{
    static const char *const folders[] = { "/usr/lib/postgresql/15/bin",
                                           "/usr/lib/postgresql/16/bin",
                                           "/usr/lib/postgresql/17/bin", "/usr/local/bin" };
    const char *given = getenv("REEVE_PG_BINDIR");

    snprintf(path, size, "%s/%s", given ? given : "", program);
    for (size_t i = 0; !given && i < sizeof(folders) / sizeof(folders[0]); i++) {
        snprintf(path, size, "%s/%s", folders[i], program);
        if (access(path, X_OK) == 0)
            break;
    }
    return path;
}

static bool owned(const char *folder, uid_t uid)
{
    struct stat st;

    return lstat(folder, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == uid;
}

/* initdb takes a second, a copy of what it made takes a moment. Made aside, then renamed: of two
 * tests that make it at the same time one wins and both are right. */
static bool make_template(const char *template, const char *log)
{
    char initdb[128], fresh[128];
    const char *const argv[] = { bin("initdb", initdb, sizeof(initdb)),
                                 "-D",
                                 fresh,
                                 "-U",
                                 "reeve",
                                 "-A",
                                 "trust",
                                 "-E",
                                 "UTF8",
                                 "--locale=C.UTF-8",
                                 "--no-sync",
                                 NULL };
    const char *const clean[] = { "rm", "-rf", fresh, NULL };

    snprintf(fresh, sizeof(fresh), "%s.%d", template, (int)getpid());
    if (!stack_run(&(struct stack_program){ .argv = argv, .log = log, .as_postgres = true }, 60000))
        return false;
    if (rename(fresh, template) == 0)
        return true;
    return stack_run(&(struct stack_program){ .argv = clean, .log = log }, 10000) &&
           access(template, F_OK) == 0;
}

bool stack_postgres_make(struct stack *stack)
{
    char template[64], data[128], log[128];
    const char *const copy[] = { "cp", "-a", "--reflink=auto", template, data, NULL };
    uid_t uid;
    gid_t gid;

    if (!stack_postgres_user(&uid, &gid)) {
        fputs("stack: Postgres does not run as root and there is no user postgres\n", stderr);
        return false;
    }
    snprintf(template, sizeof(template), "/tmp/reeve-initdb-15.%d", (int)uid);
    snprintf(data, sizeof(data), "%s/pg", stack->home);
    snprintf(log, sizeof(log), "%s/postgres.log", stack->home);
    if (access(template, F_OK) != 0 && !make_template(template, log)) {
        fputs("stack: initdb failed\n", stderr);
        return false;
    }
    if (!owned(template, uid)) {
        fprintf(stderr, "stack: %s belongs to somebody else\n", template);
        return false;
    }
    return stack_run(&(struct stack_program){ .argv = copy, .log = log, .as_postgres = true },
                     30000);
}

static pid_t spawn(struct stack *stack)
{
    const char *fsync = stack->flags & STACK_DURABLE ? "fsync=on" : "fsync=off";
    char postgres[128], data[128], log[128], port[32];
    const char *const argv[] = {
        bin("postgres", postgres, sizeof(postgres)),
        "-D",
        data,
        "-c",
        port,
        "-c",
        fsync,
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        "unix_socket_directories=",
        "-c",
        "max_connections=200",
        "-c",
        "shared_buffers=64MB",
        "-c",
        "timezone=UTC",
        "-c",
        "log_line_prefix=%m %a ",
        NULL,
    };

    snprintf(data, sizeof(data), "%s/pg", stack->home);
    snprintf(log, sizeof(log), "%s/postgres.log", stack->home);
    snprintf(port, sizeof(port), "port=%d", stack->postgres_port);
    return stack_spawn(&(struct stack_program){
        .argv = argv, .log = log, .as_postgres = true, .death_signal = SIGQUIT });
}

static bool answers(const struct stack *stack)
{
    struct rv_db_options options = { RV_DB_DEFAULTS, .url = stack->postgres_url, .name = "stack" };
    struct rv_ctx cx;
    bool ok;

    rv_ctx_init(&cx);
    ok = rv_db_open(&cx, &options) == RV_OK;
    rv_db_close(&cx);
    rv_ctx_release(&cx);
    return ok;
}

/* After a SIGKILL the old backends may still hold the memory: it is tried until the deadline. */
bool stack_postgres_start(struct stack *stack)
{
    int64_t deadline_ms = rv_monotonic_ms() + STACK_WAIT_MS;

    while (rv_monotonic_ms() < deadline_ms) {
        if (!stack_is_running(stack->postgres))
            stack->postgres = spawn(stack);
        if (stack->postgres == 0)
            return false;
        if (answers(stack))
            return true;
        rv_sleep_ms(20);
    }
    fputs("stack: Postgres does not answer\n", stderr);
    return false;
}

bool stack_postgres_stop(struct stack *stack, int signal)
{
    stack_end(&stack->postgres, signal, STACK_WAIT_MS);
    return true;
}

bool stack_postgres_restart(struct stack *stack, int signal)
{
    return stack_postgres_stop(stack, signal) && stack_postgres_start(stack);
}
