#include "contract/subjects.h"
#include "executor/executor.h"
#include "runtime/http_client.h"
#include "runtime/service.h"

RV_METRICS(executor_metric_row, EXECUTOR_METRICS)
RV_SETTINGS_TABLE(executor_settings, executor_config, EXECUTOR_SETTINGS)

static struct executor executor;

static const char *const failpoints[] = {
    "executor.claim.after",
    "executor.offer.after",
    "executor.step.before",
    "executor.call.before",
    "executor.call.after",
    "executor.record.before",
    "executor.record.after",
    "executor.settle.before",
    "executor.report.before",
    "executor.report.after",
    NULL,
};
static const struct rv_stream *const streams[] = { &STREAM_WORK, NULL };

static enum rv_status open_parts(struct rv_ctx *cx, void *state, struct rv_runtime *runtime)
{
    char why[200];

    (void)state;
    if (executor.config.slots < 1 || executor.config.slots > 1000)
        return rv_fail(cx, RV_INVALID, "REEVE_EXECUTOR_SLOTS is not from 1 to 1000");
    if (!rv_http_allow_check(executor.config.http_allow, why, sizeof(why)))
        return rv_fail(cx, RV_INVALID, "REEVE_HTTP_ALLOW: %s", why);
    executor.executor_id = runtime->instance_id;
    executor.drain_ms = runtime->config->drain_timeout_ms;
    executor.bus = runtime->bus;
    executor.metrics = executor_metric_row_rows;
    return executor_start(cx, &executor);
}

static void stop_parts(void *state)
{
    executor_stop(state);
}

static const struct rv_service service = {
    .name = "executor",
    .doc = "does the steps: maps, HTTP requests, model calls and agents",
    .settings = executor_settings,
    .config = &executor.config,
    .streams = streams,
    .failpoints = failpoints,
    .metrics = executor_metric_row_rows,
    .open = open_parts,
    .stop = stop_parts,
    .state = &executor,
};

int main(int argc, char **argv)
{
    int code = rv_service_main(argc, argv, &service);

    executor_free(&executor); /* the bus is closed: nobody hears for it any more */
    return code;
}
