#define _GNU_SOURCE /* memmem */
/* The part of the parser that knows ${{ }}. */

#include <string.h>

#include "cel/parser.h"

struct parts {
    struct rv_ctx *cx;
    const struct cel_source *source;
    struct cel_expr join;
};

static void add(struct parts *parts, struct cel_expr *part)
{
    struct cel_expr *join = &parts->join;

    join->args = cel_expr_append(parts->cx, join->args, join->n_args, part);
    join->n_args++;
    if (part->depth >= join->depth)
        join->depth = part->depth + 1;
}

static void add_words(struct parts *parts, size_t from, size_t to)
{
    struct cel_expr *words = rv_new(parts->cx, struct cel_expr);

    if (from == to)
        return;
    *words = (struct cel_expr){ .kind = EXPR_CONST,
                                .at = (uint32_t)from,
                                .depth = 1,
                                .words = true,
                                .value = cel_string(parts->source->text + from, to - from) };
    add(parts, words);
}

/* The next ${{ at or after @at; the end when there is none. */
static size_t next_opening(const struct cel_source *source, size_t at)
{
    const char *found = memmem(source->text + at, source->len - at, "${{", 3);

    return found ? (size_t)(found - source->text) : source->len;
}

static rv_result add_expression(struct parts *parts, size_t *at)
{
    size_t opening = *at;
    struct cel_expr *expr;

    *at += 3;
    RV_TRY(parts->cx, cel_parse_part(parts->cx, parts->source, at, &expr));
    if (*at >= parts->source->len || parts->source->text[*at] != '}')
        return cel_refuse(parts->cx, parts->source, opening, "a ${{ has no }}");
    ++*at;
    add(parts, expr);
    return RV_OK;
}

rv_result cel_parse_template(struct rv_ctx *cx, const struct cel_source *source,
                             struct cel_expr **out)
{
    struct parts parts = { .cx = cx, .source = source, .join = { .kind = EXPR_JOIN, .depth = 1 } };
    size_t at = 0;

    RV_TRY(cx, cel_source_check(cx, source));
    while (at < source->len) {
        size_t opening = next_opening(source, at);

        add_words(&parts, at, opening);
        at = opening;
        if (at < source->len)
            RV_TRY(cx, add_expression(&parts, &at));
    }
    *out = rv_new(cx, struct cel_expr);
    if (parts.join.n_args == 1)
        *out = parts.join.args[0];
    else if (parts.join.n_args == 0)
        **out = (struct cel_expr){ .kind = EXPR_CONST, .depth = 1, .value = cel_text("") };
    else
        **out = parts.join;
    return RV_OK;
}
