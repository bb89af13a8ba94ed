#include "contract/subjects.h"
#include "ends.h"
#include "hand.h"
#include "offers.h"
#include "plans.h"
#include "scheduler.h"

RV_SETTINGS_TABLE(scheduler_settings, scheduler_config, SCHEDULER_SETTINGS)
RV_METRICS_DEFINE(scheduler_metric, SCHEDULER_METRICS)

enum { PLANS_KEPT = 2000, RUNS_AT_HAND = 2000, CREATE_ALONE_MS = 15, SCHEMA_NEEDED = 10 };

static struct scheduler_service scheduler;

/* clang-format off */
static const struct rv_handler handlers[] = {
    { &SUBJ_RUN_CREATE,       .handle_many = on_run_create, .parallel = 2,
      .alone_ms = CREATE_ALONE_MS, .stale = true },
    { &SUBJ_RUN_CONTROL,      .handle = on_run_control },
    { &SUBJ_PLAN_GET,         .handle = on_plan_get },
    { &SUBJ_TASK_CLAIM,       .handle_many = on_task_claim, .stale = true },
    { &SUBJ_TASK_REPORT,      .handle_many = on_task_report },
    { &SUBJ_TASK_RENEW,       .handle_many = on_task_renew },
    { &SUBJ_TASK_RECORD,      .handle_many = on_task_record },
    { &SUBJ_JOURNAL_GET,      .handle = on_journal_get },
    { &SUBJ_EVENT_ADD,        .handle_many = on_event_add },
    { &SUBJ_APPROVAL_DECIDED, .handle_many = on_approval_decided },
    { &SUBJ_DEAD_LETTER,      .handle_many = on_dead_letter },
    { &SUBJ_DEAD_LETTER_REQUEUE, .handle = on_dead_letter_requeue },
    { 0 },
};

static struct rv_tick ticks[] = {
    { "sweep", tick_sweep, 1000 },
    { "relay", tick_relay, 250 },
    { "offers", tick_offers, 500 },
    { "settle", tick_settle, 500 },
    { 0 },
};

static const struct rv_stream *const streams[] = { &STREAM_WORK, &STREAM_EVENTS, &STREAM_SCORING, NULL };

static const char *const failpoints[] = {
    "scheduler.announce.before",
    "scheduler.announce.after",
    "scheduler.grant.before",
    "scheduler.grant.after",
    "scheduler.relay.publish.before",
    "scheduler.relay.publish.after",
    NULL,
};
/* clang-format on */

static enum rv_status open_scheduler(struct rv_ctx *cx, void *state, struct rv_runtime *runtime)
{
    (void)state;
    scheduler.runtime = runtime;
    scheduler.plans = plan_cache_new(PLANS_KEPT);
    scheduler.hand = hand_new(RUNS_AT_HAND);
    scheduler.offers = offers_new();
    scheduler.ends = ends_new();
    ticks[0].every_ms = scheduler.config.sweep_ms;
    ticks[1].every_ms = scheduler.config.relay_ms;
    return offers_listen(cx, scheduler.offers, runtime->bus);
}

/* The last runs of the drain ended after the last tick. */
static void settle_rest(void)
{
    struct rv_ctx cx;

    rv_ctx_init(&cx);
    ends_tell(&cx, &scheduler);
    rv_ctx_release(&cx);
}

static void close_scheduler(void *state)
{
    (void)state;
    if (scheduler.ends)
        settle_rest();
    offers_free(scheduler.offers);
    ends_free(scheduler.ends);
    hand_free(scheduler.hand);
    plan_cache_free(scheduler.plans);
}

static const struct rv_service service = {
    .name = "scheduler",
    .doc = "makes runs, moves them on, mends what was lost, relays events",
    .settings = scheduler_settings,
    .config = &scheduler.config,
    .handlers = handlers,
    .ticks = ticks,
    .streams = streams,
    .failpoints = failpoints,
    .metrics = scheduler_metric_rows,
    .db_role = "reeve_scheduler",
    .schema = SCHEMA_NEEDED,
    .open = open_scheduler,
    .close = close_scheduler,
    .state = &scheduler,
};

int main(int argc, char **argv)
{
    return rv_service_main(argc, argv, &service);
}
