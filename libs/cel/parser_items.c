/* The part of the parser that knows lists, maps and messages. */

#include <string.h>

#include "cel/parser.h"

static bool parse_item(struct cel_parser *parser, enum cel_expr_kind kind, struct cel_item *item)
{
    item->optional = cel_parser_took(parser, TOKEN_QUESTION);
    item->at = parser->token.at;
    if (kind == EXPR_MAP && !(item->key = cel_parse_expr(parser)))
        return false;
    if (kind == EXPR_MESSAGE && !(item->name = cel_parse_selector(parser)))
        return false;
    if (kind != EXPR_LIST && !cel_parser_took(parser, TOKEN_COLON))
        return cel_parse_unexpected(parser, "\":\"");
    item->value = cel_parse_expr(parser);
    return item->value != NULL;
}

/* The items with room for one more. */
static void make_room(struct rv_ctx *cx, struct cel_expr *expr, size_t *room)
{
    size_t more = *room ? *room * 2 : 4;
    struct cel_item *items;

    if (expr->n_items < *room)
        return;
    items = rv_new_array(cx, struct cel_item, more);
    if (*room)
        memcpy(items, expr->items, *room * sizeof(*items));
    expr->items = items;
    *room = more;
}

struct cel_expr *cel_parse_items(struct cel_parser *parser, struct cel_expr expr,
                                 enum cel_token_kind close)
{
    size_t room = 0;

    while (!cel_parser_took(parser, close)) {
        make_room(parser->cx, &expr, &room);
        if (!parse_item(parser, expr.kind, &expr.items[expr.n_items++]))
            return NULL;
        if (!cel_parser_took(parser, TOKEN_COMMA) && parser->token.kind != close)
            return cel_parse_unexpected(parser, close == TOKEN_BRACKET_END ? "\"]\"" : "\"}\"");
    }
    return cel_expr_new(parser, expr);
}

/* "a.b.C" when the expression is nothing but names as they are. */
static const char *dotted(struct rv_ctx *cx, const struct cel_expr *expr)
{
    const char *before;

    if (expr->kind == EXPR_NAME)
        return expr->rooted ? rv_printf(cx, ".%s", expr->name) : expr->name;
    if (expr->kind != EXPR_SELECT || expr->optional ||
        !cel_is_selector(expr->name, strlen(expr->name)))
        return NULL;
    before = dotted(cx, expr->target);
    return before ? rv_printf(cx, "%s.%s", before, expr->name) : NULL;
}

struct cel_expr *cel_parse_message(struct cel_parser *parser, const struct cel_expr *named)
{
    struct cel_expr expr = { .kind = EXPR_MESSAGE, .at = named->at };

    expr.name = dotted(parser->cx, named);
    if (!expr.name)
        return cel_parse_unexpected(parser, "an operator");
    cel_parser_take(parser);
    return cel_parse_items(parser, expr, TOKEN_BRACE_END);
}
