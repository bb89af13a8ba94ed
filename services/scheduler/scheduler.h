#pragma once

/*
 * The scheduler: the clock and the machine room. It makes runs, moves them on (domain/progress.h
 * says how), grants claims, takes reports, keeps the journal and the event log, mends what was
 * lost, and relays events. Any number of them may run side by side.
 */

#include "domain/progress.h"
#include "runtime/service.h"

#define SCHEDULER_SETTINGS(X)                                                                      \
    X(DURATION, lease_ms, "REEVE_LEASE", "30s",                                                    \
      "how long a claim holds before it must be renewed")                                          \
    X(DURATION, sweep_ms, "REEVE_SWEEP", "1s", "how often lost work is looked for")                \
    X(DURATION, relay_ms, "REEVE_RELAY_POLL", "250ms",                                             \
      "how often events are relayed when nobody wakes the relay")                                  \
    X(DURATION, ask_ms, "REEVE_ASK_TIMEOUT", "3s",                                                 \
      "how long policy and budget may take to answer")                                             \
    X(INT, run_cost_microusd, "REEVE_RUN_COST_LIMIT", "1000000",                                   \
      "most a run that calls models may spend when nobody says, in micro-dollars")                 \
    X(INT, run_tokens, "REEVE_RUN_TOKEN_LIMIT", "1000000",                                         \
      "most tokens a run that calls models may use when nobody says")
RV_SETTINGS_STRUCT(scheduler_config, SCHEDULER_SETTINGS)

#define SCHEDULER_METRICS(X)                                                                       \
    X(COUNTER, METRIC_RUNS_CREATED, "reeve_runs_created_total", "runs accepted")                   \
    X(COUNTER, METRIC_RUNS_REFUSED, "reeve_runs_refused_total",                                    \
      "runs refused by policy or budget")                                                          \
    X(COUNTER, METRIC_RUNS_OVER, "reeve_runs_over_total", "runs that ended")                       \
    X(COUNTER, METRIC_TASKS_CLAIMED, "reeve_tasks_claimed_total", "claims granted")                \
    X(COUNTER, METRIC_RUNS_AT_HAND, "reeve_runs_at_hand_total",                                    \
      "runs that were at hand and not read again")                                                 \
    X(COUNTER, METRIC_TASKS_STALE, "reeve_tasks_stale_total",                                      \
      "reports and records with a stale fence")                                                    \
    X(COUNTER, METRIC_LEASES_LOST, "reeve_leases_lost_total", "leases that ran out")               \
    X(COUNTER, METRIC_EVENTS_RELAYED, "reeve_events_relayed_total",                                \
      "events published to the stream")                                                            \
    X(COUNTER, METRIC_DEAD_LETTERS, "reeve_dead_letters_total",                                    \
      "messages parked that nobody could read")

RV_METRICS_DECLARE(scheduler_metric, SCHEDULER_METRICS)

struct plan_cache;
struct hand;
struct offers;
struct ends;

struct scheduler_service {
    struct scheduler_config config;
    struct rv_runtime *runtime;
    struct plan_cache *plans;
    struct hand *hand;
    struct offers *offers;
    struct ends *ends;
    char sweep_after[40]; /* the run where the sweeper's walk stands */
};

rv_batch_fn on_run_create, on_task_claim, on_task_report, on_task_renew, on_task_record,
    on_event_add, on_approval_decided, on_dead_letter;
rv_handler_fn on_run_control, on_plan_get, on_journal_get, on_dead_letter_requeue;
rv_tick_fn tick_sweep, tick_relay, tick_offers, tick_settle;
