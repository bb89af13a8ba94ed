#pragma once

/* Source: the text of an expression, and saying where in it something is wrong. */

#include "base/buf.h"
#include "base/ctx.h"

struct cel_source {
    const char *text;
    size_t len;
};

/* Both count from 1; columns are characters. */
struct cel_place {
    unsigned line, column;
};

struct cel_place cel_place_of(const struct cel_source *source, size_t at);

/* The line that @at is in and a caret below it; long lines are cut to what is near. */
const char *cel_excerpt(struct rv_ctx *cx, const struct cel_source *source, size_t at);

/* Refuses the text: "line:column: why", with the excerpt as the detail. Always RV_INVALID. */
enum rv_status cel_refuse(struct rv_ctx *cx, const struct cel_source *source, size_t at,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));
