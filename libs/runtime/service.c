#define _GNU_SOURCE /* SCHED_BATCH */

#include "runtime/service.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "runtime/discovery.h"
#include "runtime/dispatch.h"
#include "runtime/ear.h"
#include "runtime/health.h"
#include "runtime/service_flags.h"
#include "runtime/tick.h"

enum { EXIT_FAILED = 1, EXIT_CONFIG = 2, EXIT_SCHEMA = 3 };
enum { LOOK_MS = 250, SAY_MS = 10000, STREAMS_MS = 30000, HOUR_MS = 3600000 };

/* One process is one service. */
static struct {
    struct rv_runtime runtime;
    struct rv_common_config config;
    sigset_t signals; /* blocked everywhere; the main thread waits for them */
    char role[80];
} process;

/* Streams and consumers: whatever is missing is made, at the start, after a reconnect and every
 * half minute. */
static enum rv_status tick_streams(struct rv_ctx *cx, void *state, struct rv_tick_next *next)
{
    const struct rv_runtime *runtime = state;
    const struct rv_stream *const *streams = runtime->service->streams;
    const struct rv_ear *ear = runtime->service->ears;

    (void)next;
    if (!rv_bus_connected(runtime->bus))
        return RV_OK; /* the reconnect wakes us */
    for (; streams && *streams; streams++)
        RV_TRY(cx, rv_stream_provide(cx, runtime->bus, *streams));
    for (; ear && ear->consumer; ear++) {
        RV_TRY(cx, rv_stream_provide(cx, runtime->bus, ear->consumer->stream));
        RV_TRY(cx, rv_consumer_provide(cx, runtime->bus, ear->consumer));
    }
    return RV_OK;
}

static const struct rv_tick stream_ticks[] = { { "streams", tick_streams, STREAMS_MS }, { 0 } };

static void on_reconnect(void *arg)
{
    rv_tick_wake(arg, "streams");
}

/* Waits for a signal at most @ms; true: it is time to end. */
static bool told_to_end(int64_t ms)
{
    struct timespec wait = { ms / 1000, ms % 1000 * 1000000 };

    return sigtimedwait(&process.signals, NULL, &wait) > 0;
}

static void on_second_signal(int number)
{
    _exit(128 + number);
}

static void block_signals(void)
{
    sigemptyset(&process.signals);
    sigaddset(&process.signals, SIGTERM);
    sigaddset(&process.signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &process.signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/*
 * Whoever is at work is not taken off its core by everybody who wakes: under load more is waiting
 * when it looks again, so batches are larger; on an idle machine it changes nothing.
 */
static void work_in_batches(void)
{
    sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 }); /* the threads inherit it */
}

static void let_second_signal_end(void)
{
    signal(SIGTERM, on_second_signal);
    signal(SIGINT, on_second_signal);
    pthread_sigmask(SIG_UNBLOCK, &process.signals, NULL);
}

static void set_log(const struct rv_service *service)
{
    static const struct {
        const char *word;
        enum rv_level level;
    } levels[] = {
        { "debug", RV_DEBUG }, { "info", RV_INFO }, { "warn", RV_WARN }, { "error", RV_ERROR }
    };

    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (strcmp(process.config.log_level, levels[i].word) == 0)
            rv_log_level(levels[i].level);
    rv_log_format(strcmp(process.config.log_format, "text") == 0 ? RV_LOG_TEXT : RV_LOG_JSON);
    rv_log_service(service->name);
}

static void fill_runtime(struct rv_runtime *runtime, const struct rv_service *service)
{
    *runtime = (struct rv_runtime){
        .service = service,
        .config = &process.config,
        .pool = rv_pool_new(),
        .db = { .url = process.config.postgres_url, .name = service->name, RV_DB_DEFAULTS },
    };
    rv_id_write(runtime->instance_id);
    if (service->db_role && process.config.pg_roles) {
        snprintf(process.role, sizeof(process.role), "%s%s",
                 rv_text_starts(service->db_role, "reeve_") ? "" : "reeve_", service->db_role);
        runtime->db.role = process.role;
    }
}

/* Waits until @ready says so, as long as it takes; false: told to end. */
static bool wait_for(struct rv_ctx *cx, const char *what,
                     enum rv_status (*ready)(struct rv_ctx *cx))
{
    int64_t said_ms = 0;

    while (ready(cx) != RV_OK) {
        if (said_ms == 0 || rv_monotonic_ms() - said_ms > SAY_MS) {
            rv_warn(cx, "waiting", RV_F("for", what), RV_F("why", cx->error.text));
            said_ms = rv_monotonic_ms();
        }
        rv_ctx_reset(cx);
        if (told_to_end(LOOK_MS))
            return false;
    }
    return true;
}

static enum rv_status bus_ready(struct rv_ctx *cx)
{
    return rv_bus_connected(process.runtime.bus) ? RV_OK
                                                 : rv_fail(cx, RV_UNAVAILABLE, "not connected");
}

static enum rv_status postgres_ready(struct rv_ctx *cx)
{
    int64_t version;

    if (!cx->db)
        RV_TRY(cx, rv_db_open(cx, &process.runtime.db));
    return rv_db_schema_version(cx, &version);
}

static bool schema_fits(struct rv_ctx *cx, const struct rv_service *service)
{
    int64_t found = 0;

    if (rv_db_schema_version(cx, &found) == RV_OK && found >= service->schema)
        return true;
    rv_error(cx, "the schema is too old: run `reeve migrate up`", RV_F("found", found),
             RV_F("needed", service->schema));
    return false;
}

static rv_result open_parts(struct rv_ctx *cx, struct rv_runtime *runtime)
{
    struct rv_bus_options options = { .url = process.config.nats_url,
                                      .name = runtime->service->name,
                                      .on_reconnect = on_reconnect,
                                      .arg = runtime };

    rv_ticks_add(runtime, stream_ticks, runtime);
    RV_TRY(cx, rv_bus_open(cx, &options, &runtime->bus));
    rv_ears_add(runtime);
    RV_TRY(cx, rv_dispatch_add(cx, runtime));
    return rv_health_open(cx, runtime);
}

static rv_result start_parts(struct rv_ctx *cx, struct rv_runtime *runtime)
{
    const struct rv_service *service = runtime->service;
    const struct rv_db_options *db = service->db_role ? &runtime->db : NULL;

    if (tick_streams(cx, runtime, NULL) != RV_OK) /* the tick tries on */
        rv_log_failure(cx, "streams are not there yet", service->name);
    if (service->open)
        RV_TRY(cx, service->open(cx, service->state, runtime));
    RV_TRY(cx, rv_pool_start(cx, runtime->pool, (size_t)process.config.workers, db));
    RV_TRY(cx, rv_ears_start(cx, runtime));
    RV_TRY(cx, rv_dispatch_listen(cx, runtime));
    RV_TRY(cx, rv_discovery_listen(cx, runtime));
    return rv_ticks_start(cx, runtime);
}

/* From the door inwards: first nothing new comes in, then the workers finish, then all goes. */
static void stop_parts(struct rv_runtime *runtime, bool opened)
{
    const struct rv_service *service = runtime->service;

    if (opened && service->stop)
        service->stop(service->state);
    if (runtime->bus)
        rv_bus_deafen(runtime->bus);
    rv_ears_stop(runtime);
    rv_ticks_stop(runtime);
    rv_pool_stop(runtime->pool, process.config.drain_timeout_ms);
    if (opened && service->close)
        service->close(service->state);
    rv_health_close();
    rv_bus_close(runtime->bus);
    rv_pool_free(runtime->pool);
    rv_dispatch_free(runtime);
    rv_ears_free(runtime);
    rv_ticks_free(runtime);
}

/* What must be there first; false: *@code says how it ended. */
static bool wait_for_all(struct rv_ctx *cx, const struct rv_service *service, int *code)
{
    if ((service->db_role && !wait_for(cx, "postgres", postgres_ready)) ||
        !wait_for(cx, "nats", bus_ready)) {
        rv_info(cx, "ended before it served");
        return false;
    }
    *code = service->db_role && !schema_fits(cx, service) ? EXIT_SCHEMA : 0;
    return *code == 0;
}

static rv_result serve_until_told(struct rv_ctx *cx, struct rv_runtime *runtime)
{
    RV_TRY(cx, start_parts(cx, runtime));
    if (cx->db)
        rv_db_close(cx);
    rv_ctx_reset(cx);
    rv_health_serving(true);
    rv_info(cx, "serving", RV_F("instance_id", (const char *)runtime->instance_id));
    while (!told_to_end(HOUR_MS))
        ;
    rv_info(cx, "draining");
    rv_health_serving(false);
    return RV_OK;
}

static int serve(struct rv_ctx *cx, struct rv_runtime *runtime)
{
    const struct rv_service *service = runtime->service;
    enum rv_status status = open_parts(cx, runtime);
    bool opened = false;
    int code = 0;

    if (status == RV_OK && wait_for_all(cx, service, &code)) {
        opened = true;
        status = serve_until_told(cx, runtime);
    }
    if (status != RV_OK) {
        code = EXIT_FAILED;
        rv_log_failure(cx, "cannot serve", service->name);
    }
    let_second_signal_end();
    stop_parts(runtime, opened);
    return code;
}

int rv_service_main(int argc, char **argv, const struct rv_service *service)
{
    struct rv_ctx cx;
    int code = 0;

    if (rv_service_flags(argc, argv, service, &code))
        return code;
    if (!rv_service_config(service, &process.config, stderr))
        return EXIT_CONFIG;
    set_log(service);
    block_signals();
    work_in_batches();
    rv_ctx_init(&cx);
    fill_runtime(&process.runtime, service);
    code = serve(&cx, &process.runtime);
    if (cx.db)
        rv_db_close(&cx);
    rv_ctx_release(&cx);
    return code;
}
