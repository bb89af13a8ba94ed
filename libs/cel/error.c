#include "cel/source.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cel/program.h"

enum { EXCERPT_BYTES = 72 };

static size_t line_start(const struct cel_source *source, size_t at)
{
    while (at > 0 && source->text[at - 1] != '\n')
        at--;
    return at;
}

static size_t line_end(const struct cel_source *source, size_t at)
{
    while (at < source->len && source->text[at] != '\n' && source->text[at] != '\r')
        at++;
    return at;
}

/* Bytes that continue a character are not columns. */
static unsigned columns(const char *text, size_t len)
{
    unsigned n = 0;

    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    return n;
}

struct cel_place cel_place_of(const struct cel_source *source, size_t at)
{
    struct cel_place place = { .line = 1 };
    size_t start;

    if (at > source->len)
        at = source->len;
    start = line_start(source, at);
    for (size_t i = 0; i < start; i++)
        place.line += source->text[i] == '\n';
    place.column = columns(source->text + start, at - start) + 1;
    return place;
}

/* The first byte of a character at or after @at. */
static size_t whole(const struct cel_source *source, size_t at)
{
    while (at < source->len && ((unsigned char)source->text[at] & 0xc0) == 0x80)
        at++;
    return at;
}

const char *cel_excerpt(struct rv_ctx *cx, const struct cel_source *source, size_t at)
{
    size_t from, to;
    char *line;

    if (at > source->len)
        at = source->len;
    from = line_start(source, at);
    to = line_end(source, at);
    if (at - from > EXCERPT_BYTES / 2)
        from = whole(source, at - EXCERPT_BYTES / 2);
    if (to - from > EXCERPT_BYTES)
        to = from + rv_utf8_cut(source->text + from, to - from, EXCERPT_BYTES);
    if (to < at)
        to = at;
    line = rv_strndup(cx, source->text + from, to - from);
    for (char *c = line; c < line + (to - from); c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    return rv_printf(cx, "  %s\n  %*s^", line, (int)columns(line, at - from), "");
}

enum rv_status cel_refuse(struct rv_ctx *cx, const struct cel_source *source, size_t at,
                          const char *format, ...)
{
    struct cel_place place = cel_place_of(source, at);
    char why[300];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    rv_utf8_mend(why);
    (void)rv_fail(cx, RV_INVALID, "%u:%u: %s", place.line, place.column, why);
    cx->error.details[0] =
        (struct rv_detail){ .path = rv_printf(cx, "%u:%u", place.line, place.column),
                            .message = rv_printf(cx, "%s\n%s", why, cel_excerpt(cx, source, at)) };
    cx->error.n_details = 1;
    return RV_INVALID;
}

const char *cel_error_text(struct rv_ctx *cx, const struct cel_program *program,
                           struct cel_value error)
{
    struct cel_place place;

    if (error.kind != CEL_ERROR)
        return "";
    place = cel_place_of(&program->source, error.error->at);
    return rv_printf(cx, "%u:%u: %s", place.line, place.column, error.error->text);
}

const char *cel_error_excerpt(struct rv_ctx *cx, const struct cel_program *program,
                              struct cel_value error)
{
    if (error.kind != CEL_ERROR)
        return "";
    return rv_printf(cx, "%s\n%s", cel_error_text(cx, program, error),
                     cel_excerpt(cx, &program->source, error.error->at));
}
