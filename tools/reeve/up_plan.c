#define _GNU_SOURCE

#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/secret.h"

#include "folder.h"
#include "up.h"

/* In the order in which they start; they end the other way round. */
static const char *const services[] = { "budget", "policy", "scheduler", "evaluator" };

struct program *up_add(struct up *up, const char *name, const char *const *argv,
                       const char *const *env)
{
    struct rv_ctx *cx = up->cli->cx;
    struct program *program = &up->programs[up->n_programs++];

    *program = (struct program){ .name = name,
                                 .log = rv_printf(cx, "%s/logs/%s.log", up->data, name),
                                 .argv = argv,
                                 .env = env };
    return program;
}

/* The port of that name: the one of the last time while it is free. */
static rv_result choose_port(struct up *up, const char *name, int64_t *port)
{
    struct rv_ctx *cx = up->cli->cx;

    *port = folder_port(up->data, name);
    if (!folder_port_claim(*port))
        *port = folder_port_free();
    if (*port == 0)
        return rv_fail(cx, RV_UNAVAILABLE, "no free port for %s", name);
    RV_TRY(cx, folder_port_keep(cx, up->data, name, *port));
    return RV_OK;
}

static rv_result choose_http_port(struct up *up, int64_t *port)
{
    struct rv_ctx *cx = up->cli->cx;
    int64_t said = up->cli->options.port, kept = folder_port(up->data, "http");
    enum rv_status status;

    if (said == 0)
        return choose_port(up, "http", port);
    *port = said > 0 ? said : kept > 0 ? kept : 8000;
    if (*port > 65535)
        return cli_misuse(up->cli, "there is no port %" PRId64, *port);
    if (!folder_port_claim(*port)) {
        status = rv_fail(cx, RV_CONFLICT, "somebody listens on port %" PRId64 " already", *port);
        cx->error.hint = "--port N names another one, --port 0 takes any";
        return status;
    }
    RV_TRY(cx, folder_port_keep(cx, up->data, "http", *port));
    return RV_OK;
}

/* The password keeps other users of this machine off the bus; it stays the same over restarts. */
static rv_result nats_password(struct up *up, const char **password)
{
    struct rv_ctx *cx = up->cli->cx;
    const char *path = rv_printf(cx, "%s/nats.key", up->data), *text;
    uint8_t bytes[16];
    size_t len;

    rv_random(bytes, sizeof(bytes));
    if (access(path, F_OK) != 0)
        RV_TRY(cx, folder_write(cx, path, 0600,
                                rv_printf(cx, "%s\n", rv_hex(cx, bytes, sizeof(bytes)))));
    RV_TRY(cx, cli_read_file(up->cli, path, &text, &len));
    *password = rv_strndup(cx, text, strcspn(text, "\r\n"));
    return RV_OK;
}

/* All share the cores here. Go's threads look for work on every core they are given before they
 * sleep: with half of them nats-server takes a tenth less of the processor's time. */
static const char *const *nats_env(struct rv_ctx *cx)
{
    const char **env = rv_new_array(cx, const char *, 2);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (!getenv("GOMAXPROCS"))
        env[0] = rv_printf(cx, "GOMAXPROCS=%ld", cores > 1 ? cores / 2 : 1);
    return env;
}

static rv_result plan_nats(struct up *up)
{
    struct rv_ctx *cx = up->cli->cx;
    const char *conf = rv_printf(cx, "%s/nats.conf", up->data), *password = NULL;
    const char **argv = rv_new_array(cx, const char *, 4);
    int64_t port, monitor;

    RV_TRY(cx, choose_port(up, "nats", &port));
    RV_TRY(cx, choose_port(up, "nats_monitor", &monitor));
    RV_TRY(cx, nats_password(up, &password));
    RV_TRY(cx, folder_write(cx, conf, 0600,
                            rv_printf(cx,
                                      "server_name: reeve\n"
                                      "listen: \"127.0.0.1:%" PRId64 "\"\n"
                                      "http: \"127.0.0.1:%" PRId64 "\"\n"
                                      "jetstream { store_dir: \"%s/nats\" }\n"
                                      "authorization { user: reeve, password: \"%s\" }\n",
                                      port, monitor, up->data, password)));
    argv[0] = "nats-server";
    argv[1] = "-c";
    argv[2] = conf;
    up_add(up, "nats", argv, nats_env(cx));
    up->nats_url = rv_printf(cx, "nats://reeve:%s@127.0.0.1:%" PRId64, password, port);
    return RV_OK;
}

static rv_result plan_service(struct up *up, const char *service, const char *name,
                              const char *const *extra)
{
    struct rv_ctx *cx = up->cli->cx;
    const char **argv = rv_new_array(cx, const char *, 2),
               **env = rv_new_array(cx, const char *, 8);
    bool executor = strcmp(service, "executor") == 0;
    struct program *program;
    int64_t port;
    size_t n = 0;

    RV_TRY(cx, choose_port(up, name, &port));
    argv[0] = rv_printf(cx, "%s/reeve-%s", up->bin, service);
    if (access(argv[0], X_OK) != 0)
        return rv_fail(cx, RV_NOT_FOUND, "%s is not there: build it first (tools/dev build)",
                       argv[0]);
    env[n++] = rv_printf(cx, "REEVE_NATS_URL=%s", up->nats_url);
    env[n++] = rv_printf(cx, "REEVE_HEALTH_LISTEN=127.0.0.1:%" PRId64, port);
    /* The store's address is not the executors' to know, nor the model's key the others'. */
    env[n++] =
        executor ? "REEVE_POSTGRES_URL" : rv_printf(cx, "REEVE_POSTGRES_URL=%s", up->postgres_url);
    if (!executor)
        env[n++] = "REEVE_LLM_API_KEY";
    while (extra && *extra)
        env[n++] = *extra++;
    program = up_add(up, name, argv, env);
    program->health_port = port;
    return RV_OK;
}

static rv_result find_bin(struct up *up)
{
    const char *given = getenv("REEVE_BIN_DIR");
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (given && *given) {
        up->bin = given;
        return RV_OK;
    }
    if (n <= 0)
        return rv_fail(up->cli->cx, RV_INTERNAL,
                       "cannot tell where this program is: set REEVE_BIN_DIR");
    self[n] = '\0';
    up->bin = rv_strdup(up->cli->cx, dirname(self));
    return RV_OK;
}

/* For shells: `. .reeve/env` and any NATS or Postgres client knows where to go. */
static rv_result write_env(struct up *up)
{
    struct rv_ctx *cx = up->cli->cx;

    return folder_write(cx, rv_printf(cx, "%s/env", up->data), 0600,
                        rv_printf(cx,
                                  "export REEVE_URL='%s'\nexport REEVE_NATS_URL='%s'\n"
                                  "export NATS_URL='%s'\nexport REEVE_POSTGRES_URL='%s'\n"
                                  "export REEVE_DATA='%s'\n",
                                  up->url, up->nats_url, up->nats_url, up->postgres_url, up->data));
}

static const char *const *gateway_env(struct up *up, int64_t http)
{
    const char **env = rv_new_array(up->cli->cx, const char *, 3);

    env[0] = rv_printf(up->cli->cx, "REEVE_LISTEN=127.0.0.1:%" PRId64, http);
    env[1] = rv_printf(up->cli->cx, "REEVE_ADMIN_KEY_FILE=%s/admin.key", up->data);
    return env;
}

rv_result up_plan(struct up *up)
{
    struct rv_ctx *cx = up->cli->cx;
    int64_t executors = up->cli->options.executors, http;

    if (executors < 0 || executors > UP_EXECUTORS_MAX)
        return cli_misuse(up->cli, "--executors takes 0 to %d", UP_EXECUTORS_MAX);
    if (strpbrk(up->data, "\"'\\\n$"))
        return rv_fail(cx, RV_INVALID, "%s: no quotes, $ or \\ in the data folder's name",
                       up->data);
    RV_TRY(cx, find_bin(up));
    RV_TRY(cx, choose_http_port(up, &http));
    up->url = rv_printf(cx, "http://127.0.0.1:%" PRId64, http);
    RV_TRY(cx, up_postgres_plan(up));
    RV_TRY(cx, plan_nats(up));
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
        RV_TRY(cx, plan_service(up, services[i], services[i], NULL));
    for (int64_t i = 1; i <= executors; i++)
        RV_TRY(cx, plan_service(up, "executor", rv_printf(cx, "executor-%" PRId64, i), NULL));
    RV_TRY(cx, plan_service(up, "gateway", "gateway", gateway_env(up, http)));
    RV_TRY(cx, write_env(up));
    return RV_OK;
}
