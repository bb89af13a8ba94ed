#pragma once

/*
 * Log: one JSON object a line, on stderr.
 *
 * The message is a constant, so that it can be counted; what varies goes in fields:
 *
 *     rv_info(cx, "budget reserved", RV_F("budget_id", id), RV_F("amount_microusd", amount));
 *
 * A line leaves in one write, so lines of threads never mix. Fields with the name of a secret and
 * what looks like one inside a text are masked (base/redact.h); a text over 4 KiB is cut.
 */

#include "base/ctx.h"

enum rv_level { RV_DEBUG, RV_INFO, RV_WARN, RV_ERROR };

struct rv_logged {
    const char *name;
    enum { RV_LOGGED_TEXT, RV_LOGGED_INT } kind;
    const char *text;
    int64_t number;
};

#define rv_debug(cx, ...) rv_log_((cx), RV_DEBUG, __VA_ARGS__)
#define rv_info(cx, ...)  rv_log_((cx), RV_INFO, __VA_ARGS__)
#define rv_warn(cx, ...)  rv_log_((cx), RV_WARN, __VA_ARGS__)
#define rv_error(cx, ...) rv_log_((cx), RV_ERROR, __VA_ARGS__)

#define rv_log_(cx, level, message, ...)                                                           \
    rv_log((cx), (level), (message), (const struct rv_logged[]){ __VA_ARGS__ __VA_OPT__(, ){ 0 } })

#define RV_F(name, value)                                                                          \
    _Generic((value), char * : rv_logged_text, const char * : rv_logged_text,                      \
             default : rv_logged_int)((name), (value))

struct rv_logged rv_logged_text(const char *name, const char *text);
struct rv_logged rv_logged_int(const char *name, int64_t number);

/* What a service sets once, before its threads start. */
void rv_log_level(enum rv_level level); /* drops what is below */
enum rv_log_form { RV_LOG_JSON, RV_LOG_TEXT };
void rv_log_format(enum rv_log_form form);
void rv_log_service(const char *name); /* kept, not copied */

/* @fields ends with a row without a name. */
void rv_log(const struct rv_ctx *cx, enum rv_level level, const char *message,
            const struct rv_logged *fields);

/*
 * Logs the failure that @cx carries, with its trail: the only place errors are logged. What the
 * asker did wrong is a warning, the rest an error.
 */
void rv_log_failure(const struct rv_ctx *cx, const char *message, const char *subject);
