#pragma once

/*
 * Executor: what the parts of this process share. Pullers claim tasks, slots do the steps that
 * wait for the outside, the keeper renews leases, the reporter tells the scheduler. Steps that
 * touch nothing outside are done by whichever thread has them.
 */

#include <stdatomic.h>

#include "executor/job.h"
#include "runtime/config.h"
#include "runtime/metrics.h"

/* clang-format off */
#define EXECUTOR_SETTINGS(X)                                                                       \
    X(INT,      slots,          "REEVE_EXECUTOR_SLOTS",       "16",                                \
      "steps that may wait for the outside at once")                                               \
    X(TEXT,     classes,        "REEVE_EXECUTOR_CLASSES",     "",                                  \
      "classes of work it takes besides any, separated by commas: gpu,gpu+web")                    \
    X(INT,      plans,          "REEVE_EXECUTOR_PLANS",       "512",                               \
      "plans it remembers")                                                                        \
    X(DURATION, ask_timeout_ms, "REEVE_EXECUTOR_ASK_TIMEOUT", "5s",                                \
      "how long another service may take to answer")                                               \
    X(TEXT,     http_allow,     "REEVE_HTTP_ALLOW",           "",                                  \
      "private addresses that http steps and tools may reach: 127.0.0.1:8099,10.0.0.0/8")          \
    X(TEXT,     llm_base_url,   "REEVE_LLM_BASE_URL",         "",                                  \
      "an OpenAI-compatible server, up to /v1; empty: the built-in model")                         \
    X(SECRET,   llm_api_key,    "REEVE_LLM_API_KEY",          "",                                  \
      "its key")                                                                                   \
    X(TEXT,     llm_model,      "REEVE_LLM_MODEL",            "gpt-4o-mini",                       \
      "what the model named default is there")                                                     \
    X(DURATION, sim_delay_ms,   "REEVE_SIM_TOKEN_DELAY",      "0ms",                               \
      "how long the built-in model takes for a word")                                              \
    X(DURATION, live_every_ms,  "REEVE_LIVE_EVERY",           "50ms",                              \
      "how often a generation is told while it is written")
/* clang-format on */
RV_SETTINGS_STRUCT(executor_config, EXECUTOR_SETTINGS)

/* clang-format off */
#define EXECUTOR_METRICS(X)                                                                        \
    X(COUNTER, CLAIMED,     "reeve_executor_claimed_total",     "tasks claimed")                   \
    X(COUNTER, REPORTED,    "reeve_executor_reported_total",    "reports the scheduler answered")  \
    X(COUNTER, STALE,       "reeve_executor_stale_total",       "tasks that were taken from us")   \
    X(COUNTER, DROPPED,     "reeve_executor_dropped_total",     "reports nobody answered in time") \
    X(COUNTER, HANDED_BACK, "reeve_executor_handed_back_total", "tasks given back undone")         \
    X(COUNTER, LLM_CALLS,   "reeve_executor_llm_calls_total",   "model calls made")                \
    X(COUNTER, TOOL_CALLS,  "reeve_executor_tool_calls_total",  "tool and http calls made")        \
    X(GAUGE,   BUSY,        "reeve_executor_busy_slots",        "slots at work")
/* clang-format on */

enum { CLASSES_MAX = 16 }; /* with any */

struct executor {
    struct executor_config config;
    const char *classes[CLASSES_MAX]; /* what the setting names, without any */
    size_t n_classes;
    char *classes_text; /* theirs */
    const char *executor_id;
    int64_t drain_ms;
    struct rv_bus *bus;
    struct rv_metric *metrics; /* by enum executor_metric; NULL in tests */
    struct plans *plans;
    struct room *room;
    struct slots *slots;
    struct keeper *keeper;
    struct reporter *reporter;
    struct pullers *pullers;
    struct offering *offering;
    _Atomic int64_t drained_at_ms; /* monotonic; once stopping: steps end by then */
    atomic_bool stopping;
};

#define EXECUTOR_METRIC_ID_(kind, id, name, doc) METRIC_##id,
enum executor_metric { EXECUTOR_METRICS(EXECUTOR_METRIC_ID_) };
void executor_count(const struct executor *executor, enum executor_metric metric, int64_t by);

/* Opens and starts all parts; executor_stop finishes or hands back what it holds. */
rv_result executor_start(struct rv_ctx *cx, struct executor *executor);
void executor_stop(struct executor *executor);
void executor_free(struct executor *executor);

/*
 * Starts on a task that was claimed: a step that touches nothing outside is done here (with @cx,
 * which is reset), another goes to a slot if one is counted for it, and is handed back otherwise.
 */
void executor_accept(struct rv_ctx *cx, struct executor *executor, struct job *job);
