#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/redact.h"
#include "base/text.h"
#include "base/time.h"

enum { TEXT_BYTES_MAX = 4096 };

static enum rv_level threshold = RV_INFO;
static enum rv_log_form form = RV_LOG_JSON;
static const char *service;
static const char *const words[] = { "debug", "info", "warn", "error" };

void rv_log_level(enum rv_level level)
{
    threshold = level;
}

void rv_log_format(enum rv_log_form form_)
{
    form = form_;
}

void rv_log_service(const char *name)
{
    service = name;
}

struct rv_logged rv_logged_text(const char *name, const char *text)
{
    return (struct rv_logged){ .name = name, .kind = RV_LOGGED_TEXT, .text = text ? text : "" };
}

struct rv_logged rv_logged_int(const char *name, int64_t number)
{
    return (struct rv_logged){ .name = name, .kind = RV_LOGGED_INT, .number = number };
}

/* As a JSON string, without secrets, and not without end. */
static void add_text(struct rv_buf *line, const char *text)
{
    auto_buf clean = { 0 };

    rv_redact_text(&clean, text);
    if (clean.len > TEXT_BYTES_MAX) {
        clean.data[rv_utf8_cut(clean.data, clean.len, TEXT_BYTES_MAX)] = '\0';
        clean.len = strlen(clean.data);
        rv_buf_text(&clean, "…");
    }
    rv_buf_json(line, clean.data);
}

static void add_value(struct rv_buf *line, const struct rv_logged *field)
{
    if (rv_redact_name(field->name))
        rv_buf_text(line, "\"" RV_REDACTED "\"");
    else if (field->kind == RV_LOGGED_TEXT)
        add_text(line, field->text);
    else
        rv_buf_int(line, field->number);
}

static void add_named(struct rv_buf *line, const char *name, const char *text)
{
    if (!text)
        return;
    rv_buf_printf(line, ",\"%s\":", name);
    rv_buf_json(line, text);
}

static void json_line(struct rv_buf *line, const struct rv_ctx *cx, enum rv_level level,
                      const char *message, const struct rv_logged *fields)
{
    rv_buf_printf(line, "{\"ts_ms\":%" PRId64 ",\"level\":\"%s\"", rv_now_ms(), words[level]);
    add_named(line, "service", service);
    rv_buf_text(line, ",\"msg\":");
    add_text(line, message);
    add_named(line, "trace_id", cx ? cx->trace_id : NULL);
    add_named(line, "request_id", cx ? cx->request_id : NULL);
    for (; fields->name; fields++) {
        rv_buf_char(line, ',');
        rv_buf_json(line, fields->name);
        rv_buf_char(line, ':');
        add_value(line, fields);
    }
    rv_buf_text(line, "}\n");
}

/* For people: 07:01:48.123 warn gateway: stream ended run_id="…" */
static void text_line(struct rv_buf *line, const struct rv_ctx *cx, enum rv_level level,
                      const char *message, const struct rv_logged *fields)
{
    int64_t ms = rv_now_ms() % 86400000;

    rv_buf_printf(line, "%02d:%02d:%02d.%03d %-5s ", (int)(ms / 3600000), (int)(ms / 60000 % 60),
                  (int)(ms / 1000 % 60), (int)(ms % 1000), words[level]);
    if (service)
        rv_buf_printf(line, "%s: ", service);
    rv_redact_text(line, message);
    for (; fields->name; fields++) {
        rv_buf_printf(line, " %s=", fields->name);
        add_value(line, fields);
    }
    if (cx && cx->trace_id)
        rv_buf_printf(line, " trace_id=%s", cx->trace_id);
    rv_buf_char(line, '\n');
}

void rv_log(const struct rv_ctx *cx, enum rv_level level, const char *message,
            const struct rv_logged *fields)
{
    auto_buf line = { 0 };
    size_t at = 0;

    if (level < threshold)
        return;
    (form == RV_LOG_JSON ? json_line : text_line)(&line, cx, level, message, fields);
    while (at < line.len) {
        ssize_t wrote = write(STDERR_FILENO, line.data + at, line.len - at);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0) /* nobody to tell */
            return;
        at += (size_t)wrote;
    }
}

void rv_log_failure(const struct rv_ctx *cx, const char *message, const char *subject)
{
    const struct rv_error *error = &cx->error;
    auto_buf trail = { 0 };

    rv_buf_text(&trail, "");
    for (unsigned i = 0; i < error->trail_len; i++)
        rv_buf_printf(&trail, "%s%s", i ? " < " : "", error->trail[i]);
    rv_log_(cx, rv_status_http(error->status) < 500 ? RV_WARN : RV_ERROR, message,
            RV_F("subject", subject), RV_F("status", rv_status_text(error->status)),
            RV_F("why", error->text), RV_F("details", error->n_details),
            RV_F("trail", (const char *)trail.data));
}
