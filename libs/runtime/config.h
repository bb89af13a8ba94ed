#pragma once

/*
 * Config: a service's settings, each declared once, read from the environment once.
 *
 *     #define BUDGET_SETTINGS(X)                                             \
 *         X(DURATION, lease_ms, "REEVE_LEASE", "30s", "how long a claim holds")
 *     RV_SETTINGS_STRUCT(budget_config, BUDGET_SETTINGS)
 *     RV_SETTINGS_TABLE(budget_settings, budget_config, BUDGET_SETTINGS)
 *
 * The struct, the parsing, `--help` and the table in the README come from that list.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum rv_setting_kind {
    RV_SETTING_TEXT,
    RV_SETTING_SECRET, /* like TEXT, but never shown; may come from the file in <ENV>_FILE */
    RV_SETTING_INT,
    RV_SETTING_BOOL,
    RV_SETTING_DURATION, /* "250ms" "30s" "5m" "2h" "7d", kept in milliseconds */
    RV_SETTING_BYTES,    /* "4096" "64KiB" "1MiB" "2GiB", kept in bytes */
    RV_SETTING_CHOICE,   /* one of the words its doc begins with: "json|text: how lines look" */
};

struct rv_setting {
    enum rv_setting_kind kind;
    const char *env, *fallback, *doc; /* fallback NULL: the service does not start without it */
    size_t offset;
};

#define RV_SETTINGS_STRUCT(tag, LIST)                                                              \
    struct tag {                                                                                   \
        LIST(RV_SETTING_MEMBER_)                                                                   \
    };
#define RV_SETTINGS_TABLE(name, tag, LIST)                                                         \
    static const struct rv_setting *name(void)                                                     \
    {                                                                                              \
        typedef struct tag rv_setting_of;                                                          \
        static const struct rv_setting rows[] = { LIST(RV_SETTING_ROW_){ .env = NULL } };          \
        return rows;                                                                               \
    }

#define RV_SETTING_MEMBER_(kind, member, env, fallback, doc) RV_SETTING_C_##kind member;
#define RV_SETTING_ROW_(kind, member, env, fallback, doc)                                          \
    { RV_SETTING_##kind, env, fallback, doc, offsetof(rv_setting_of, member) },

#define RV_SETTING_C_TEXT     const char *
#define RV_SETTING_C_SECRET   const char *
#define RV_SETTING_C_INT      int64_t
#define RV_SETTING_C_BOOL     bool
#define RV_SETTING_C_DURATION int64_t
#define RV_SETTING_C_BYTES    int64_t
#define RV_SETTING_C_CHOICE   const char *

/* What every service needs; the runtime reads these itself. */
/* clang-format off */
#define RV_COMMON_SETTINGS(X)                                                                      \
    X(TEXT,     nats_url,         "REEVE_NATS_URL",      "nats://127.0.0.1:4222",                  \
      "the bus")                                                                                   \
    X(SECRET,   postgres_url,     "REEVE_POSTGRES_URL",  "postgresql://127.0.0.1:5432/reeve",      \
      "the store")                                                                                 \
    X(BOOL,     pg_roles,         "REEVE_PG_ROLES",      "true",                                   \
      "work as the role reeve_<service>, which can touch only its own tables")                     \
    X(CHOICE,   log_level,        "REEVE_LOG_LEVEL",     "info",                                   \
      "debug|info|warn|error: the least that is logged")                                           \
    X(CHOICE,   log_format,       "REEVE_LOG_FORMAT",    "json",                                   \
      "json|text: how log lines look")                                                             \
    X(INT,      workers,          "REEVE_WORKERS",       "4",                                      \
      "threads that do the work, each with a Postgres session")                                    \
    X(INT,      queue_depth,      "REEVE_QUEUE_DEPTH",   "10000",                                  \
      "messages of one subject that may wait; one more is answered busy")                          \
    X(TEXT,     health_listen,    "REEVE_HEALTH_LISTEN", "",                                       \
      "where /healthz, /readyz and /metrics are served, as host:port; empty: nowhere")             \
    X(DURATION, drain_timeout_ms, "REEVE_DRAIN_TIMEOUT", "10s",                                    \
      "how long accepted work may take to finish at the end")
/* clang-format on */
RV_SETTINGS_STRUCT(rv_common_config, RV_COMMON_SETTINGS)

const struct rv_setting *rv_common_settings(void);

/*
 * Fills the struct at @config. Says every bad or missing value, in words for an operator, on
 * @errors, and then returns false. Texts live as long as the process.
 */
bool rv_config_read(const struct rv_setting *settings, void *config, FILE *errors);

/* One line a setting: name, default, what it does. */
void rv_config_describe(const struct rv_setting *settings, FILE *out);

/* What was read, as KEY=value lines; of a secret only whether it is set. */
void rv_config_print(const struct rv_setting *settings, const void *config, FILE *out);
