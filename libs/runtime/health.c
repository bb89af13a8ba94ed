#include "runtime/health.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "runtime/http_server.h"

enum { FRESH_MS = 1000, ECHO_MS = 2000, DEPTH = 64, CONNECTIONS = 64 };

/* One process has one health. Its worker is a pool of one, with a Postgres session of its own. */
static struct {
    struct rv_runtime *runtime;
    struct rv_http_server *server;
    struct rv_pool *pool;
    struct rv_queue *queue;
    struct rv_db_options db;
    char echo[64]; /* the subject on which we hear ourselves */
    pthread_mutex_t lock;
    pthread_cond_t heard_change;
    int64_t said, heard; /* numbers of the last echo */
    int64_t checked_ms;
    bool ready;
    atomic_bool serving;
    char body[600];
} health = { .lock = PTHREAD_MUTEX_INITIALIZER, .heard_change = PTHREAD_COND_INITIALIZER };

static void on_echo(void *arg, const struct rv_heard *heard)
{
    int64_t number = 0;

    (void)arg;
    if (heard->len == sizeof(number))
        memcpy(&number, heard->bytes, sizeof(number));
    pthread_mutex_lock(&health.lock);
    health.heard = number;
    pthread_cond_signal(&health.heard_change);
    pthread_mutex_unlock(&health.lock);
}

/* Publishes a number and waits to hear it. */
static rv_result check_bus(struct rv_ctx *cx)
{
    int64_t number = ++health.said;
    struct timespec until;
    int late = 0;

    if (!rv_bus_connected(health.runtime->bus))
        return rv_fail(cx, RV_UNAVAILABLE, "not connected");
    RV_TRY(cx, rv_bus_publish(cx, health.runtime->bus, health.echo, &number, sizeof(number)));
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ECHO_MS / 1000;
    pthread_mutex_lock(&health.lock);
    while (health.heard != number && !late)
        late = pthread_cond_timedwait(&health.heard_change, &health.lock, &until);
    pthread_mutex_unlock(&health.lock);
    return late ? rv_fail(cx, RV_TIMEOUT, "what we say does not come back") : RV_OK;
}

static rv_result check_postgres(struct rv_ctx *cx)
{
    int64_t found = 0;
    int64_t wanted = health.runtime->service->schema;

    if (!health.runtime->service->db_role)
        return RV_OK;
    if (!cx->db)
        RV_TRY(cx, rv_db_open(cx, &health.db));
    RV_TRY(cx, rv_db_schema_version(cx, &found));
    if (found < wanted)
        return rv_fail(cx, RV_UNAVAILABLE, "schema is %lld, %lld is needed: run `reeve migrate up`",
                       (long long)found, (long long)wanted);
    return RV_OK;
}

/* The name of each part and "ok", or what is wrong with it. */
static bool check_part(struct rv_ctx *cx, struct rv_buf *out, const char *name,
                       enum rv_status (*check)(struct rv_ctx *cx))
{
    enum rv_status status = check(cx);

    rv_buf_printf(out, ",\"%s\":", name);
    rv_buf_json(out, status == RV_OK ? "ok" : cx->error.text);
    if (status != RV_OK && cx->db)
        rv_db_rollback(cx);
    cx->error = (struct rv_error){ 0 };
    return status == RV_OK;
}

static void look(struct rv_ctx *cx)
{
    auto_buf parts = { 0 };
    int64_t now_ms = rv_monotonic_ms();
    bool postgres, bus;

    if (health.checked_ms > 0 && now_ms - health.checked_ms < FRESH_MS)
        return;
    postgres = check_part(cx, &parts, "postgres", check_postgres);
    bus = check_part(cx, &parts, "nats", check_bus);
    health.ready = postgres && bus;
    health.checked_ms = now_ms;
    snprintf(health.body, sizeof(health.body), "{\"ready\":%s%s}\n",
             health.ready ? "true" : "false", parts.data);
}

static void answer_json(struct rv_http_request *request, int status, const char *body)
{
    rv_http_answer(request, status, "application/json", NULL, body, strlen(body));
}

static void answer_ready(struct rv_ctx *cx, struct rv_http_request *request)
{
    if (!atomic_load(&health.serving)) {
        answer_json(request, 503, "{\"ready\":false,\"service\":\"starting or draining\"}\n");
        return;
    }
    look(cx);
    answer_json(request, health.ready ? 200 : 503, health.body);
}

static void answer_metrics(struct rv_http_request *request)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        abort();
    rv_metrics_print(health.runtime->service->name, health.runtime->service->metrics, out);
    fclose(out);
    rv_http_answer(request, 200, "text/plain; version=0.0.4; charset=utf-8", NULL, text, len);
    free(text);
}

static void work_request(struct rv_ctx *cx, void *arg, void **items, size_t n)
{
    struct rv_http_request *request = items[0];
    const char *path = rv_http_path(request);

    (void)arg;
    (void)n;
    if (strcmp(path, "/healthz") == 0) {
        answer_json(request, 200, "{\"healthy\":true}\n");
    } else if (strcmp(path, "/readyz") == 0) {
        answer_ready(cx, request);
    } else if (strcmp(path, "/metrics") == 0) {
        answer_metrics(request);
    } else {
        answer_json(request, 404,
                    "{\"error\":{\"code\":\"not_found\","
                    "\"message\":\"there are /healthz, /readyz and /metrics\"}}\n");
    }
}

static void drop_request(void *item)
{
    answer_json(item, 503, "{\"ready\":false}\n");
}

static bool take(void *arg, struct rv_http_request *request)
{
    (void)arg;
    return rv_queue_push(health.queue, request);
}

rv_result rv_health_open(struct rv_ctx *cx, struct rv_runtime *runtime)
{
    struct rv_queue_options queue = { .name = "health",
                                      .depth = DEPTH,
                                      .batch = 1,
                                      .parallel = 1,
                                      .work = work_request,
                                      .drop = drop_request };
    struct rv_http_options options = { .listen = runtime->config->health_listen,
                                       .threads = 1,
                                       .connections = CONNECTIONS,
                                       .body_bytes = 1024,
                                       .take = take };

    if (!*runtime->config->health_listen)
        return RV_OK;
    health.runtime = runtime;
    health.db = runtime->db;
    snprintf(health.echo, sizeof(health.echo), "reeve.echo.%s", runtime->instance_id);
    RV_TRY(cx, rv_bus_listen(cx, runtime->bus, health.echo, NULL, on_echo, NULL));
    health.pool = rv_pool_new();
    health.queue = rv_pool_add(health.pool, &queue);
    RV_TRY(cx, rv_pool_start(cx, health.pool, 1, NULL));
    RV_TRY(cx, rv_http_open(cx, &options, &health.server));
    rv_info(cx, "health is served", RV_F("listen", options.listen),
            RV_F("port", rv_http_port(health.server)));
    return RV_OK;
}

void rv_health_serving(bool serving)
{
    atomic_store(&health.serving, serving);
}

void rv_health_close(void)
{
    if (health.server)
        rv_http_close(health.server, 1000);
    if (health.pool)
        rv_pool_stop(health.pool, 1000);
    rv_pool_free(health.pool);
    health.server = NULL;
    health.pool = NULL;
}
