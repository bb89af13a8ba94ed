#define _GNU_SOURCE

#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "base/time.h"

enum { READY_MS = 120000, STOP_MS = 60000, LINE_BYTES = 512 };

/* `reeve` beside this program, or where REEVE_BIN_DIR says. */
static const char *reeve_program(struct rv_ctx *cx)
{
    const char *given = getenv("REEVE_BIN_DIR");
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (given && *given)
        return rv_printf(cx, "%s/reeve", given);
    self[n > 0 ? n : 0] = '\0';
    return rv_printf(cx, "%s/reeve", dirname(self));
}

/* The line of @file that begins with @prefix, without it; NULL: there is none. */
static const char *line_of(struct rv_ctx *cx, const char *file, const char *prefix)
{
    FILE *in = fopen(file, "r");
    const char *found = NULL;
    char line[LINE_BYTES];

    while (in && !found && fgets(line, sizeof(line), in))
        if (rv_text_starts(line, prefix))
            found = rv_strndup(cx, line + strlen(prefix), strcspn(line + strlen(prefix), "'\r\n"));
    if (in)
        fclose(in);
    return found;
}

bool system_at(struct bench *bench, const char *url, const char *key)
{
    const char *host = rv_text_starts(url, "http://") ? url + 7 : NULL;
    const char *colon = host ? strchr(host, ':') : NULL;

    if (!colon || !key || !*key)
        return bench_sorry(bench, "needs http://<IPv4 address>:<port> and a key, not \"%s\"", url);
    bench->host = rv_strndup(bench->cx, host, (size_t)(colon - host));
    if (rv_text_same(bench->host, "localhost"))
        bench->host = "127.0.0.1";
    bench->port = atoi(colon + 1);
    bench->key = key;
    bench->key_header = rv_printf(bench->cx, "Authorization: Bearer %s\r\n", key);
    return true;
}

bool system_use(struct bench *bench, const char *data)
{
    struct rv_ctx *cx = bench->cx;
    const char *url = line_of(cx, rv_printf(cx, "%s/env", data), "export REEVE_URL='");
    const char *key = line_of(cx, rv_printf(cx, "%s/admin.key", data), "");

    if (!url || !key)
        return bench_sorry(bench, "%s is not the data folder of a running `reeve up`", data);
    bench->data = data;
    return system_at(bench, url, key);
}

/* In the child: it ends when we do, and what it says goes to a file of its own. */
__attribute__((noreturn)) static void become_up(const char *program, const char *home, int port,
                                                int said)
{
    char number[16], log[96];
    int errors;

    snprintf(number, sizeof(number), "%d", port);
    snprintf(log, sizeof(log), "%s/up.log", home);
    errors = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(said, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    execl(program, program, "up", "--data", home, "--port", number, (char *)NULL);
    perror(program);
    _exit(127);
}

/* It says one line on stdout when all is ready; the end of the pipe is its end. */
static bool wait_ready(int from)
{
    struct pollfd ready = { .fd = from, .events = POLLIN };
    char said[LINE_BYTES];

    return poll(&ready, 1, READY_MS) == 1 && read(from, said, sizeof(said)) > 0;
}

static bool up(struct system *system, int port)
{
    const char *program = reeve_program(system->bench->cx);
    int ends[2];
    bool ok;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return bench_sorry(system->bench, "pipe: %s", strerror(errno));
    fflush(NULL);
    system->pid = fork();
    if (system->pid == 0)
        become_up(program, system->home, port, ends[1]);
    close(ends[1]);
    ok = wait_ready(ends[0]);
    close(ends[0]);
    return ok || bench_sorry(system->bench, "%s does not get ready: see %s/up.log and %s/logs",
                             program, system->home, system->home);
}

static void down(struct system *system)
{
    int64_t until_ms = rv_monotonic_ms() + STOP_MS;

    if (system->pid <= 0)
        return;
    kill(system->pid, SIGTERM);
    while (waitpid(system->pid, NULL, WNOHANG) == 0) {
        if (rv_monotonic_ms() > until_ms)
            kill(system->pid, SIGKILL);
        rv_sleep_ms(20);
    }
    system->pid = 0;
}

/* Postgres reads it at its next start. */
static bool count_statements(struct system *system, int port)
{
    const char *conf =
        rv_printf(system->bench->cx, "%s/pg/data/postgresql.auto.conf", system->home);
    FILE *out;

    down(system);
    out = fopen(conf, "a");
    if (!out)
        return bench_sorry(system->bench, "%s: %s", conf, strerror(errno));
    fputs("shared_preload_libraries = 'pg_stat_statements'\ntrack_io_timing = on\n", out);
    fclose(out);
    return up(system, port);
}

bool system_start(struct system *system, struct bench *bench, int port)
{
    const char *tmp = getenv("TMPDIR");

    *system = (struct system){ .bench = bench };
    snprintf(system->home, sizeof(system->home), "%.30s/reeve-bench.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(system->home)) {
        bench_sorry(bench, "%s: %s", system->home, strerror(errno));
        system->home[0] = '\0';
        return false;
    }
    return up(system, port) && (!bench->statements || count_statements(system, port)) &&
           system_use(bench, system->home);
}

static void remove_folder(const char *folder)
{
    pid_t pid = fork();

    if (pid == 0) {
        execlp("rm", "rm", "-rf", "--", folder, (char *)NULL);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
}

void system_stop(struct system *system, bool keep)
{
    down(system);
    if (system->home[0] && keep)
        fprintf(stderr, "its folder is %s\n", system->home);
    else if (system->home[0])
        remove_folder(system->home);
    system->home[0] = '\0';
}

static void psql(const struct bench *bench, const char *sql)
{
    const char *url = line_of(bench->cx, rv_printf(bench->cx, "%s/env", bench->data),
                              "export REEVE_POSTGRES_URL='");
    pid_t pid = fork();

    if (pid == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execlp("psql", "psql", "-X", "-q", "-P", "pager=off", "-P", "footer=off", "-c", sql, url,
               (char *)NULL);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
}

void system_statements_reset(const struct bench *bench)
{
    psql(bench,
         "SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS pg_stat_statements;"
         " DO 'BEGIN PERFORM pg_stat_statements_reset(); END'");
}

void system_statements_show(const struct bench *bench)
{
    psql(bench, "SELECT calls, rows, round(total_exec_time) AS total_ms, "
                "round(mean_exec_time::numeric, 3) AS mean_ms, "
                "round(100 * total_exec_time / sum(total_exec_time) OVER ()) AS percent, "
                "left(regexp_replace(query, '\\s+', ' ', 'g'), 110) AS statement "
                "FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 20");
}
