#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "support/stack.h"
#include "support/stack_inside.h"
#include "support/stack_process.h"

static bool find_program(const char *name, char *path, size_t size)
{
    const char *given = getenv("REEVE_BIN_DIR"), *dir = given ? given : STACK_BIN_DIR;

    snprintf(path, size, "%s/services/%s/reeve-%s", dir, name, name);
    if (access(path, X_OK) != 0)
        snprintf(path, size, "%s/reeve-%s", dir, name);
    return access(path, X_OK) == 0;
}

static bool spawn(const struct stack *stack, struct stack_service *service)
{
    enum { OURS = 3, ENV_MAX = 64 };
    char program[512], postgres[128], nats[96], health[96];
    const char *env[ENV_MAX] = { postgres, nats, health };
    const char *const argv[] = { program, NULL };
    size_t n = OURS;

    if (!find_program(service->name, program, sizeof(program))) {
        fprintf(stderr, "stack: there is no %s\n", program);
        return false;
    }
    snprintf(postgres, sizeof(postgres), "REEVE_POSTGRES_URL=%s", stack->postgres_url);
    snprintf(nats, sizeof(nats), "REEVE_NATS_URL=%s", stack->nats_url);
    snprintf(health, sizeof(health), "REEVE_HEALTH_LISTEN=127.0.0.1:%d", service->health_port);
    for (const char *const *e = service->env; e && *e && n < ENV_MAX - 1; e++)
        env[n++] = *e; /* later ones win */
    service->pid =
        stack_spawn(&(struct stack_program){ .argv = argv, .env = env, .log = service->log });
    return service->pid != 0;
}

struct stack_service *stack_service_start(struct stack *stack, const char *name,
                                          const char *const *env)
{
    struct stack_service service = { .env = env, .health_port = stack_free_port() };

    if (stack->n_services == STACK_SERVICES_MAX)
        return NULL;
    snprintf(service.name, sizeof(service.name), "%s", name);
    snprintf(service.log, sizeof(service.log), "%s/%s-%zu.log", stack->home, name,
             stack->n_services);
    if (!spawn(stack, &service))
        return NULL;
    stack->services[stack->n_services] = service;
    return &stack->services[stack->n_services++];
}

bool stack_service_wait_ready(struct stack_service *service)
{
    int64_t deadline_ms = rv_monotonic_ms() + STACK_WAIT_MS;

    while (rv_monotonic_ms() < deadline_ms) {
        if (!stack_is_running(service->pid)) {
            fprintf(stderr, "stack: %s has ended\n", service->name);
            service->pid = 0;
            return false;
        }
        if (stack_http_get(service->health_port, "/readyz") == 200)
            return true;
        rv_sleep_ms(10);
    }
    fprintf(stderr, "stack: %s does not get ready\n", service->name);
    return false;
}

bool stack_service_signal(struct stack_service *service, int signal)
{
    if (service->pid <= 0)
        return false;
    if (signal == SIGKILL || signal == SIGTERM || signal == SIGINT)
        stack_end(&service->pid, signal, STACK_WAIT_MS);
    else
        return kill(service->pid, signal) == 0;
    return true;
}

bool stack_service_restart(struct stack *stack, struct stack_service *service)
{
    stack_end(&service->pid, SIGTERM, STACK_WAIT_MS);
    return spawn(stack, service);
}

/* Lines of a log that somebody should read. */
static bool complains(const char *line)
{
    static const char *const words[] = { "\"level\":\"warn\"",
                                         "\"level\":\"error\"",
                                         "ERROR:",
                                         "FATAL:",
                                         "PANIC:",
                                         "STATEMENT:",
                                         "DETAIL:",
                                         "runtime error",
                                         "Sanitizer",
                                         "    #",
                                         "failpoint",
                                         "[ERR]",
                                         "[FTL]" };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strstr(line, words[i]))
            return true;
    return false;
}

static void show_log(const char *name, const char *path, FILE *out)
{
    FILE *in = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;
    int shown = 0;

    if (!in)
        return;
    while (getline(&line, &size, in) > 0 && shown < 200)
        if (complains(line))
            shown += fprintf(out, "%s: %.1000s", name, line) > 0;
    free(line);
    fclose(in);
}

void stack_show_complaints(const struct stack *stack, FILE *out)
{
    static const char *const servers[] = { "postgres", "nats" };
    char path[128];

    for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s.log", stack->home, servers[i]);
        show_log(servers[i], path, out);
    }
    for (size_t i = 0; i < stack->n_services; i++)
        show_log(stack->services[i].name, stack->services[i].log, out);
}
