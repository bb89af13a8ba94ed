#pragma once

/* What the parts of the parser share: operators, what they join, brackets, templates. */

#include "cel/ast.h"
#include "cel/cel.h"

struct cel_parser {
    struct rv_ctx *cx;
    const struct cel_source *source;
    struct cel_token token; /* the word not yet taken */
    size_t end;             /* behind the last word taken */
    unsigned depth;
};

/* All of these give NULL when the text is refused; the ctx then knows why. */
struct cel_expr *cel_parse_expr(struct cel_parser *parser);
struct cel_expr *cel_parse_unary(struct cel_parser *parser);
struct cel_expr *cel_parse_member(struct cel_parser *parser);
struct cel_expr *cel_parse_literal(struct cel_parser *parser, bool negative, size_t at);

/* What may stand behind a dot, or name a field. */
const char *cel_parse_selector(struct cel_parser *parser);

/* What stands between brackets, up to the closing one; a comma behind the last item is fine. */
struct cel_expr *cel_parse_items(struct cel_parser *parser, struct cel_expr expr,
                                 enum cel_token_kind close);

/* {f: v} behind a name that must be a type's. */
struct cel_expr *cel_parse_message(struct cel_parser *parser, const struct cel_expr *named);

/* The .f, .f(), [i] behind @expr, which may be NULL. */
struct cel_expr *cel_parse_postfix(struct cel_parser *parser, struct cel_expr *expr);

/* Refuses the text; "x where @wanted was expected" is about the word not yet taken. */
void *cel_parse_refused(struct cel_parser *parser, size_t at, const char *why);
void *cel_parse_unexpected(struct cel_parser *parser, const char *wanted);

void cel_parser_take(struct cel_parser *parser);
bool cel_parser_took(struct cel_parser *parser, enum cel_token_kind kind);

/* A new node; NULL when it is nested too deep. Its depth is one more than its deepest part's. */
struct cel_expr *cel_expr_new(struct cel_parser *parser, struct cel_expr expr);
struct cel_expr *cel_expr_operator(struct cel_parser *parser, const struct cel_operator *op,
                                   size_t at, struct cel_expr **args, size_t n_args);

/* @args with one more; room is made by doubling. */
struct cel_expr **cel_expr_append(struct rv_ctx *cx, struct cel_expr **args, size_t n_args,
                                  struct cel_expr *arg);

/* Refuses what is too long or not UTF-8. */
rv_result cel_source_check(struct rv_ctx *cx, const struct cel_source *source);
