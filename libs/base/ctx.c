#include "base/ctx.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct rv_deferred {
    struct rv_deferred *next;
    union {
        void (*drop)(void *arg);
        void (*tell)(struct rv_ctx *cx, void *arg);
    };
    void *arg;
};

void rv_ctx_init(struct rv_ctx *cx)
{
    *cx = (struct rv_ctx){ .arena = rv_arena_new() };
}

static void run_deferred(struct rv_ctx *cx)
{
    for (struct rv_deferred *d = cx->deferred; d; d = d->next)
        d->drop(d->arg);
    cx->deferred = NULL;
}

void rv_ctx_reset(struct rv_ctx *cx)
{
    run_deferred(cx);
    rv_arena_reset(cx->arena);
    *cx = (struct rv_ctx){ .arena = cx->arena, .db = cx->db };
}

void rv_ctx_release(struct rv_ctx *cx)
{
    run_deferred(cx);
    rv_arena_free(cx->arena);
    *cx = (struct rv_ctx){ 0 };
}

void rv_defer(struct rv_ctx *cx, void (*fn)(void *arg), void *arg)
{
    struct rv_deferred *d = rv_new(cx, struct rv_deferred);

    *d = (struct rv_deferred){ .next = cx->deferred, .drop = fn, .arg = arg };
    cx->deferred = d;
}

void rv_after(struct rv_ctx *cx, void (*fn)(struct rv_ctx *cx, void *arg), void *arg)
{
    struct rv_deferred **last = &cx->after;
    struct rv_deferred *d = rv_new(cx, struct rv_deferred);

    *d = (struct rv_deferred){ .tell = fn, .arg = arg };
    while (*last)
        last = &(*last)->next;
    *last = d;
}

void rv_ctx_run_after(struct rv_ctx *cx)
{
    struct rv_deferred *d = cx->after;

    cx->after = NULL;
    for (; d; d = d->next)
        d->tell(cx, d->arg);
}

const char *rv_error_said(const struct rv_error *error)
{
    bool about_request = rv_status_http(error->status) < 500 && !error->inside;

    return about_request ? error->text : rv_status_text(error->status);
}

enum rv_status rv_fail_at(struct rv_ctx *cx, enum rv_status status, const char *where,
                          const char *format, ...)
{
    char text[sizeof(cx->error.text)]; /* an argument may be the error's own text */
    bool inside;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    inside =
        cx->error.inside && strstr(text, cx->error.text); /* words around them are no less so */
    cx->error =
        (struct rv_error){ .status = status, .inside = inside, .trail = { where }, .trail_len = 1 };
    memcpy(cx->error.text, text, sizeof(text));
    return status;
}

void rv_wrong(struct rv_ctx *cx, const char *path, const char *format, ...)
{
    struct rv_error *error = &cx->error;
    va_list args;
    char text[240];

    if (error->n_details++ >= RV_DETAILS_MAX)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    error->details[error->n_details - 1] =
        (struct rv_detail){ .path = rv_strdup(cx, path), .message = rv_strdup(cx, text) };
}

rv_result rv_refuse_at(struct rv_ctx *cx, const char *where)
{
    struct rv_error *error = &cx->error;
    const struct rv_detail *first = &error->details[0];

    if (error->n_details == 0)
        return RV_OK;
    snprintf(error->text, sizeof(error->text), "%s%s%s", first->path, *first->path ? " " : "",
             first->message);
    if (error->n_details > RV_DETAILS_MAX)
        error->n_details = RV_DETAILS_MAX;
    error->status = RV_INVALID;
    error->inside = false;
    error->trail[0] = where;
    error->trail_len = 1;
    return RV_INVALID;
}

enum rv_status rv_trace_at(struct rv_ctx *cx, enum rv_status status, const char *where)
{
    if (cx->error.trail_len < RV_TRAIL_MAX)
        cx->error.trail[cx->error.trail_len++] = where;
    return status;
}

rv_result rv_reword_at(struct rv_ctx *cx, enum rv_status status, enum rv_status of,
                       const char *where, const char *words)
{
    if (status == RV_OK)
        return RV_OK;
    if (status != of)
        return rv_trace_at(cx, status, where);
    cx->error = (struct rv_error){ 0 };
    return rv_fail_at(cx, of, where, "%s", words);
}

char *rv_strndup(struct rv_ctx *cx, const char *text, size_t len)
{
    char *copy = rv_arena_alloc(cx->arena, len + 1);

    return len ? memcpy(copy, text, len) : copy; /* nothing may be NULL */
}

char *rv_strdup(struct rv_ctx *cx, const char *text)
{
    return rv_strndup(cx, text, strlen(text));
}

/* Most of what is said is short: only what is not is made twice. */
char *rv_printf(struct rv_ctx *cx, const char *format, ...)
{
    char first[256], *text;
    va_list args;
    size_t size;

    va_start(args, format);
    size = (size_t)vsnprintf(first, sizeof(first), format, args) + 1;
    va_end(args);
    text = rv_arena_alloc(cx->arena, size);
    if (size <= sizeof(first))
        return memcpy(text, first, size);
    va_start(args, format);
    vsnprintf(text, size, format, args);
    va_end(args);
    return text;
}
