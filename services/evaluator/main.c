#include "contract/dead_letters.h"
#include "contract/subjects.h"
#include "evaluator.h"
#include "runtime/secret.h"

enum { TELL_MS = 1000, SCHEMA = 8, ACK_WAIT_MS = 10000, ACK_PENDING_MAX = 1000 };

static struct rv_metric metrics[] = { EVALUATOR_METRICS(RV_METRIC_ROW_){ .name = NULL } };

static struct evaluator_service evaluator = {
    .metrics = metrics,
    .scorers = { .lock = PTHREAD_MUTEX_INITIALIZER },
    .untold = { .lock = PTHREAD_MUTEX_INITIALIZER },
};

static const struct rv_consumer_row completed_runs = {
    .stream = &STREAM_SCORING,
    .name = "evaluator",
    .filter = "reeve.scoring.>",
    .ack_wait_ms = ACK_WAIT_MS,
    .max_ack_pending = ACK_PENDING_MAX,
};

/* clang-format off */
static const struct rv_ear ears[] = {
    { &completed_runs, &SUBJ_SCORING, .handle_many = on_run_completed },
    { 0 },
};
static const struct rv_tick ticks[] = {
    { "tell", tick_tell, TELL_MS },
    { 0 },
};
static const struct rv_stream *const streams[] = { &STREAM_SCORING, NULL };
/* clang-format on */

static enum rv_status open_evaluator(struct rv_ctx *cx, void *state, struct rv_runtime *runtime)
{
    struct evaluator_service *service = state;

    if (!rv_secret_init())
        return rv_fail(cx, RV_INTERNAL, "libsodium does not start");
    service->bus = runtime->bus;
    service->scorers.by_plan = rv_hash_new();
    service->untold.last = &service->untold.first;
    return RV_OK;
}

static void close_evaluator(void *state)
{
    struct evaluator_service *service = state;

    scorers_release(&service->scorers);
    untold_release(&service->untold);
}

static const struct rv_service service = {
    .name = "evaluator",
    .doc = "scores what completed runs came to",
    .ears = ears,
    .dead = dead_letter_bury,
    .ticks = ticks,
    .streams = streams,
    .metrics = metrics,
    .db_role = "reeve_evaluator",
    .schema = SCHEMA,
    .open = open_evaluator,
    .close = close_evaluator,
    .state = &evaluator,
};

int main(int argc, char **argv)
{
    return rv_service_main(argc, argv, &service);
}
