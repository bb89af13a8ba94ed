#define _GNU_SOURCE

#include "up.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "runtime/http_client.h"

#include "commands.h"
#include "folder.h"

enum { STOP_MS = 20000, TICK_MS = 1000, START_TRIES = 6 };

static sigset_t our_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    return set;
}

static void say_ended(const struct program *program)
{
    int status = program->status;

    if (WIFSIGNALED(status))
        fprintf(stderr, "%s was killed by signal %d (%s)", program->name, WTERMSIG(status),
                strsignal(WTERMSIG(status)));
    else
        fprintf(stderr, "%s ended with %d", program->name, WEXITSTATUS(status));
    fprintf(stderr, ": starting it again in %" PRId64 " ms\n", program->back_off_ms);
}

/* It runs all the same when `reeve ps` cannot be told (a full disk). */
static void tell(struct up *up)
{
    if (up_tell(up) != RV_OK)
        fprintf(stderr, "%s\n", up->cli->cx->error.text);
}

static rv_result start(struct up *up, struct program *program)
{
    struct rv_ctx *cx = up->cli->cx;

    if (!program_start(program))
        return rv_fail(cx, RV_INTERNAL, "%s does not start: %s", program->name, strerror(errno));
    tell(up);
    return RV_OK;
}

static struct program *of_pid(struct up *up, pid_t pid)
{
    for (size_t i = 0; i < up->n_programs; i++)
        if (up->programs[i].pid == pid)
            return &up->programs[i];
    return NULL;
}

static void reap(struct up *up)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct program *program = of_pid(up, pid);

        if (!program)
            continue;
        program_ended(program, status);
        say_ended(program);
        tell(up);
    }
}

/* Starts again what is due; how long until the next one is, at most TICK_MS. */
static int64_t restart_due(struct up *up)
{
    int64_t now_ms = rv_monotonic_ms(), wait_ms = TICK_MS;

    for (size_t i = 0; i < up->n_programs; i++) {
        struct program *program = &up->programs[i];

        if (program->pid)
            continue;
        if (program->restart_at_ms <= now_ms && start(up, program) != RV_OK) {
            fprintf(stderr, "%s\n", up->cli->cx->error.text);
            program_ended(program, 0);
        }
        if (!program->pid && program->restart_at_ms - now_ms < wait_ms)
            wait_ms = program->restart_at_ms - now_ms;
    }
    return wait_ms > 1 ? wait_ms : 1;
}

bool up_told_to_stop(int64_t wait_ms)
{
    struct timespec at_most = { wait_ms / 1000, wait_ms % 1000 * 1000000 };
    sigset_t set = our_signals();
    int got = sigtimedwait(&set, NULL, &at_most);

    return got == SIGINT || got == SIGTERM || got == SIGHUP;
}

static void stop_all(struct up *up)
{
    for (size_t i = up->n_programs; i-- > 0;)
        program_stop(&up->programs[i], STOP_MS);
    unlink(rv_printf(up->cli->cx, "%s/programs", up->data));
}

static bool is_ready(struct rv_http_client *client, const struct program *program)
{
    struct rv_http_reply reply = { 0 };
    char url[64];
    struct rv_ctx cx;
    bool ready;

    snprintf(url, sizeof(url), "http://127.0.0.1:%" PRId64 "/readyz", program->health_port);
    rv_ctx_init(&cx);
    ready = rv_http_do(&cx, client,
                       &(struct rv_http_call){ .method = "GET",
                                               .url = url,
                                               .connect_ms = 500,
                                               .first_byte_ms = 3000,
                                               .total_ms = 3000 },
                       &reply) == RV_OK &&
            reply.status == 200;
    rv_ctx_release(&cx);
    return ready;
}

static rv_result wait_one(struct up *up, struct rv_http_client *client,
                          const struct program *program)
{
    int64_t deadline_ms = rv_monotonic_ms() + UP_READY_MS;

    while (!is_ready(client, program)) {
        if (up_told_to_stop(50))
            return rv_fail(up->cli->cx, RV_TIMEOUT, "stopped before it was ready");
        reap(up);
        restart_due(up);
        if (rv_monotonic_ms() > deadline_ms || program->restarts >= START_TRIES)
            return rv_fail(up->cli->cx, RV_UNAVAILABLE, "%s does not get ready: see %s",
                           program->name, program->log);
    }
    fprintf(stderr, "  %-12s ready, process %d\n", program->name, (int)program->pid);
    return RV_OK;
}

static rv_result wait_ready(struct up *up)
{
    const struct rv_http_client_options options = { .allow = "127.0.0.1/32",
                                                    .user_agent = "reeve-up" };
    struct rv_http_client *client = rv_http_client_new(&options);
    enum rv_status status = RV_OK;

    for (size_t i = 0; i < up->n_programs && status == RV_OK; i++)
        if (up->programs[i].health_port)
            status = wait_one(up, client, &up->programs[i]);
    rv_http_client_free(client);
    return status;
}

static rv_result start_all(struct up *up)
{
    struct rv_ctx *cx = up->cli->cx;
    int64_t began_ms = rv_monotonic_ms();

    RV_TRY(cx, up_postgres_make(up));
    RV_TRY(cx, up_plan(up));
    for (size_t i = 0; i < up->n_programs; i++) {
        RV_TRY(cx, start(up, &up->programs[i]));
        if (i == 0) {
            RV_TRY(cx, up_postgres_ready(up));
            fprintf(stderr, "  %-12s ready, process %d\n", "postgres", (int)up->programs[0].pid);
        }
    }
    RV_TRY(cx, wait_ready(up));
    fprintf(stderr, "ready after %.1f s\n", (double)(rv_monotonic_ms() - began_ms) / 1000);
    printf("reeve is at %s, its first key in %s/admin.key\n", up->url, up->data);
    fflush(stdout);
    return RV_OK;
}

/* In the background: what is said from now on goes to a file, and the waiting parent may end. */
static void go_quiet(struct up *up, int tell)
{
    const char *path = rv_printf(up->cli->cx, "%s/logs/up.log", up->data);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    dup2(null, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    close(null);
    close(log);
    if (write(tell, "1", 1) != 1)
        fprintf(stderr, "nobody waited until this was ready\n");
    close(tell);
}

static rv_result supervise(struct cli *cli, int tell)
{
    struct up *up = rv_new(cli->cx, struct up);
    sigset_t set = our_signals();
    enum rv_status status;
    int lock;

    *up = (struct up){ .cli = cli, .data = cli_data_folder(cli) };
    sigprocmask(SIG_BLOCK, &set, NULL);
    RV_TRY(cli->cx, folder_take(cli->cx, up->data, &lock));
    if (ftruncate(lock, 0) != 0 || dprintf(lock, "%d\n", (int)getpid()) < 0)
        fprintf(stderr, "%s/lock: %s\n", up->data, strerror(errno));
    status = start_all(up);
    if (status == RV_OK && tell >= 0)
        go_quiet(up, tell);
    else if (status == RV_OK)
        fprintf(stderr, "Ctrl-C stops it\n");
    for (int64_t wait_ms = 1; status == RV_OK && !up_told_to_stop(wait_ms);) {
        reap(up);
        wait_ms = restart_due(up);
    }
    if (status == RV_OK)
        fprintf(stderr, "stopping\n");
    stop_all(up);
    close(lock);
    return status;
}

/* Waits until the child has said that all is ready; its end before that is our failure. */
static enum cli_exit wait_for(pid_t child, int from)
{
    char said;
    int status = 0;

    if (read(from, &said, 1) == 1)
        return EXIT_DONE;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) ? (enum cli_exit)WEXITSTATUS(status)
                                                    : EXIT_BROKEN;
}

enum rv_status command_up(struct cli *cli)
{
    int ends[2];
    pid_t child;

    if (!cli->options.detach)
        return supervise(cli, -1);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return rv_fail(cli->cx, RV_INTERNAL, "pipe: %s", strerror(errno));
    fflush(NULL);
    child = fork();
    if (child < 0)
        return rv_fail(cli->cx, RV_INTERNAL, "fork: %s", strerror(errno));
    if (child == 0) {
        setsid();
        close(ends[0]);
        return supervise(cli, ends[1]);
    }
    close(ends[1]);
    cli->exit = wait_for(child, ends[0]);
    close(ends[0]);
    return RV_OK;
}
