#include "support/stack.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "runtime/db.h"
#include "runtime/secret.h"
#include "store/migrate.h"
#include "support/stack_inside.h"
#include "support/stack_process.h"

static const char prefix[] = "reeve-stack.";

static void remove_folder(const char *folder)
{
    const char *const argv[] = { "rm", "-rf", "--", folder, NULL };

    if (!stack_run(&(struct stack_program){ .argv = argv, .log = "/dev/null" }, 30000))
        fprintf(stderr, "stack: %s stays behind\n", folder);
}

/* Folders of tests that were killed: their names say which process made them. */
static void remove_orphans(void)
{
    DIR *tmp = opendir("/tmp");

    for (struct dirent *entry; tmp && (entry = readdir(tmp)) != NULL;) {
        char path[300];
        int pid;

        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
            continue;
        pid = atoi(entry->d_name + strlen(prefix));
        snprintf(path, sizeof(path), "/tmp/%s", entry->d_name);
        if (pid > 0 && kill(pid, 0) != 0 && errno == ESRCH)
            remove_folder(path);
    }
    if (tmp)
        closedir(tmp);
}

static bool make_home(struct stack *stack)
{
    uid_t uid;
    gid_t gid;

    snprintf(stack->home, sizeof(stack->home), "/tmp/%s%d.XXXXXX", prefix, (int)getpid());
    if (!mkdtemp(stack->home)) {
        perror(stack->home);
        return false;
    }
    return !stack_postgres_user(&uid, &gid) || chown(stack->home, uid, gid) == 0;
}

static bool start_postgres(struct stack *stack)
{
    stack->postgres_port = stack_free_port();
    snprintf(stack->postgres_url, sizeof(stack->postgres_url),
             "postgresql://reeve@127.0.0.1:%d/postgres", stack->postgres_port);
    setenv("REEVE_POSTGRES_URL", stack->postgres_url, 1);
    return stack_postgres_make(stack) && stack_postgres_start(stack);
}

static bool migrate(const struct stack *stack)
{
    struct rv_db_options options = { RV_DB_DEFAULTS, .url = stack->postgres_url,
                                     .name = "migrate" };
    char path[128];
    struct rv_ctx cx;
    FILE *out;
    bool ok;

    snprintf(path, sizeof(path), "%s/migrate.log", stack->home);
    out = fopen(path, "w");
    rv_ctx_init(&cx);
    ok = out && rv_db_open(&cx, &options) == RV_OK && store_migrate_up(&cx, out) == RV_OK;
    if (!ok)
        fprintf(stderr, "stack: migrate: %s\n", cx.error.text);
    rv_db_close(&cx);
    rv_ctx_release(&cx);
    if (out)
        fclose(out);
    return ok;
}

bool stack_nats_start(struct stack *stack)
{
    char port[16], data[128], log[128];
    const char *const argv[] = { "nats-server", "-a",  "127.0.0.1", "-p", port,
                                 "-js",         "-sd", data,        NULL };
    int64_t deadline_ms = rv_monotonic_ms() + STACK_WAIT_MS;

    snprintf(port, sizeof(port), "%d", stack->nats_port);
    snprintf(data, sizeof(data), "%s/nats", stack->home);
    snprintf(log, sizeof(log), "%s/nats.log", stack->home);
    stack->nats = stack_spawn(&(struct stack_program){ .argv = argv, .log = log });
    while (stack_is_running(stack->nats) && rv_monotonic_ms() < deadline_ms) {
        if (stack_port_greets(stack->nats_port, "INFO "))
            return true;
        rv_sleep_ms(5);
    }
    fputs("stack: nats-server does not answer\n", stderr);
    return false;
}

bool stack_nats_stop(struct stack *stack)
{
    stack_end(&stack->nats, SIGKILL, STACK_WAIT_MS);
    return true;
}

bool stack_nats_restart(struct stack *stack, bool wipe)
{
    char data[128];

    stack_nats_stop(stack);
    snprintf(data, sizeof(data), "%s/nats", stack->home);
    if (wipe)
        remove_folder(data);
    return stack_nats_start(stack);
}

static bool start_nats(struct stack *stack)
{
    stack->nats_port = stack_free_port();
    snprintf(stack->nats_url, sizeof(stack->nats_url), "nats://127.0.0.1:%d", stack->nats_port);
    setenv("REEVE_NATS_URL", stack->nats_url, 1);
    return stack_nats_start(stack);
}

bool stack_start(struct stack *stack, unsigned flags)
{
    bool ok;

    *stack = (struct stack){ .flags = flags };
    remove_orphans();
    ok = rv_secret_init() && make_home(stack);
    if (ok && flags & (STACK_POSTGRES | STACK_MIGRATED))
        ok = start_postgres(stack);
    if (ok && flags & STACK_MIGRATED)
        ok = migrate(stack);
    if (ok && flags & STACK_NATS)
        ok = start_nats(stack);
    if (!ok) {
        stack->failed = true;
        stack_stop(stack);
    }
    return ok;
}

void stack_stop(struct stack *stack)
{
    for (size_t i = 0; i < stack->n_services; i++)
        if (stack->services[i].pid > 0)
            kill(stack->services[i].pid, SIGCONT);
    for (size_t i = 0; i < stack->n_services; i++)
        stack_end(&stack->services[i].pid, SIGTERM, 10000);
    stack_end(&stack->nats, SIGKILL, 1000);
    stack_end(&stack->postgres, SIGQUIT, 10000);
    if (stack->failed)
        stack_show_complaints(stack, stderr);
    if (stack->home[0])
        remove_folder(stack->home);
    stack->home[0] = '\0';
}
