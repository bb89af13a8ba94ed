#include "cel/parser.h"

#include <string.h>

#include "base/text.h"

void *cel_parse_refused(struct cel_parser *parser, size_t at, const char *why)
{
    (void)cel_refuse(parser->cx, parser->source, at, "%s", why);
    return NULL;
}

void *cel_parse_unexpected(struct cel_parser *parser, const char *wanted)
{
    const struct cel_token *token = &parser->token;

    if (token->kind == TOKEN_BAD)
        return cel_parse_refused(parser, token->at, token->why);
    if (token->kind == TOKEN_END)
        (void)cel_refuse(parser->cx, parser->source, token->at, "the expression ends before %s",
                         wanted);
    else
        (void)cel_refuse(parser->cx, parser->source, token->at, "%.*s where %s was expected",
                         (int)rv_utf8_cut(parser->source->text + token->at, token->len, 40),
                         parser->source->text + token->at, wanted);
    return NULL;
}

void cel_parser_take(struct cel_parser *parser)
{
    parser->end = parser->token.at + parser->token.len;
    if (parser->token.kind != TOKEN_BAD)
        parser->token = cel_lex(parser->source, parser->end);
}

bool cel_parser_took(struct cel_parser *parser, enum cel_token_kind kind)
{
    if (parser->token.kind != kind)
        return false;
    cel_parser_take(parser);
    return true;
}

static void deepen(struct cel_expr *expr, const struct cel_expr *part)
{
    if (part && part->depth >= expr->depth)
        expr->depth = part->depth + 1;
}

struct cel_expr *cel_expr_new(struct cel_parser *parser, struct cel_expr expr)
{
    struct cel_expr *made = rv_new(parser->cx, struct cel_expr);

    *made = expr;
    made->depth = 1;
    deepen(made, made->target);
    for (size_t i = 0; i < made->n_args; i++)
        deepen(made, made->args[i]);
    for (size_t i = 0; i < made->n_items; i++) {
        deepen(made, made->items[i].key);
        deepen(made, made->items[i].value);
    }
    if (made->depth > CEL_DEPTH_MAX)
        return cel_parse_refused(parser, made->at, "the expression is nested too deep");
    return made;
}

struct cel_expr **cel_expr_append(struct rv_ctx *cx, struct cel_expr **args, size_t n_args,
                                  struct cel_expr *arg)
{
    bool full = n_args == 0 || (n_args >= 2 && (n_args & (n_args - 1)) == 0);
    struct cel_expr **room = args;

    if (full) {
        room = rv_new_array(cx, struct cel_expr *, n_args ? n_args * 2 : 2);
        if (n_args)
            memcpy(room, args, n_args * sizeof(*args));
    }
    room[n_args] = arg;
    return room;
}

struct cel_expr *cel_expr_operator(struct cel_parser *parser, const struct cel_operator *op,
                                   size_t at, struct cel_expr **args, size_t n_args)
{
    struct cel_expr **kept = rv_new_array(parser->cx, struct cel_expr *, n_args < 2 ? 2 : n_args);

    memcpy(kept, args, n_args * sizeof(*args));
    return cel_expr_new(parser, (struct cel_expr){ .kind = EXPR_CALL,
                                                   .at = (uint32_t)at,
                                                   .name = op->function,
                                                   .op = op,
                                                   .args = kept,
                                                   .n_args = n_args });
}

static bool is_logic(const struct cel_operator *op)
{
    return op->token == TOKEN_OR || op->token == TOKEN_AND;
}

/* a || b || c is one call with three arguments, so that long chains are not deep. */
static struct cel_expr *join(struct cel_parser *parser, const struct cel_operator *op, size_t at,
                             struct cel_expr *left, struct cel_expr *right)
{
    if (left->kind != EXPR_CALL || left->op != op || !is_logic(op))
        return cel_expr_operator(parser, op, at, (struct cel_expr *[]){ left, right }, 2);
    left->args = cel_expr_append(parser->cx, left->args, left->n_args, right);
    left->n_args++;
    deepen(left, right);
    if (left->depth > CEL_DEPTH_MAX)
        return cel_parse_refused(parser, at, "the expression is nested too deep");
    return left;
}

/* Operands and the operators between them that bind at least as tight as @precedence. */
static struct cel_expr *parse_binary(struct cel_parser *parser, unsigned precedence)
{
    struct cel_expr *left = cel_parse_unary(parser);

    while (left) {
        const struct cel_operator *op = cel_operator_binary(parser->token.kind);
        size_t at = parser->token.at;
        struct cel_expr *right;

        if (!op || op->precedence < precedence)
            return left;
        cel_parser_take(parser);
        right = parse_binary(parser, op->precedence + 1);
        left = right ? join(parser, op, at, left, right) : NULL;
    }
    return NULL;
}

static struct cel_expr *parse_ternary(struct cel_parser *parser)
{
    struct cel_expr *parts[3] = { parse_binary(parser, PRECEDENCE_OR) };
    size_t at = parser->token.at;

    if (!parts[0] || !cel_parser_took(parser, TOKEN_QUESTION))
        return parts[0];
    parts[1] = parse_binary(parser, PRECEDENCE_OR);
    if (!parts[1])
        return NULL;
    if (!cel_parser_took(parser, TOKEN_COLON))
        return cel_parse_unexpected(parser, "\":\"");
    parts[2] = cel_parse_expr(parser);
    return parts[2] ? cel_expr_operator(parser, &cel_ternary, at, parts, 3) : NULL;
}

struct cel_expr *cel_parse_expr(struct cel_parser *parser)
{
    struct cel_expr *expr;

    if (++parser->depth > CEL_DEPTH_MAX)
        return cel_parse_refused(parser, parser->token.at, "the expression is nested too deep");
    expr = parse_ternary(parser);
    parser->depth--;
    return expr;
}

static bool is_number(enum cel_token_kind kind)
{
    return kind == TOKEN_INT || kind == TOKEN_UINT || kind == TOKEN_DOUBLE;
}

/* A minus right before a number belongs to the number: it makes the least int possible. */
struct cel_expr *cel_parse_unary(struct cel_parser *parser)
{
    const struct cel_operator *op = parser->token.kind == TOKEN_NOT ? &cel_not : &cel_negate;
    size_t at = parser->token.at;
    struct cel_expr *operand;

    if (parser->token.kind != op->token)
        return cel_parse_member(parser);
    if (++parser->depth > CEL_DEPTH_MAX)
        return cel_parse_refused(parser, at, "the expression is nested too deep");
    cel_parser_take(parser);
    if (op == &cel_negate && is_number(parser->token.kind)) {
        parser->depth--;
        return cel_parse_postfix(parser, cel_parse_literal(parser, true, at));
    }
    operand = cel_parse_unary(parser);
    parser->depth--;
    return operand ? cel_expr_operator(parser, op, at, &operand, 1) : NULL;
}

rv_result cel_source_check(struct rv_ctx *cx, const struct cel_source *source)
{
    size_t at = 0;

    if (source->len > CEL_SOURCE_MAX)
        return cel_refuse(cx, source, 0, "the expression is longer than %d bytes", CEL_SOURCE_MAX);
    if (rv_utf8_ok(source->text, source->len))
        return RV_OK;
    while (at < source->len) {
        size_t bytes = rv_utf8_next(source->text + at, source->len - at, NULL);

        if (bytes == 0)
            break;
        at += bytes;
    }
    return cel_refuse(cx, source, at, "the expression is not UTF-8");
}

rv_result cel_parse_part(struct rv_ctx *cx, const struct cel_source *source, size_t *at,
                         struct cel_expr **out)
{
    struct cel_parser parser = { .cx = cx, .source = source, .end = *at };

    parser.token = cel_lex(source, *at);
    *out = cel_parse_expr(&parser);
    if (!*out)
        return RV_INVALID;
    if (parser.token.kind != TOKEN_BRACE_END) {
        cel_parse_unexpected(&parser, "\"}}\"");
        return RV_INVALID;
    }
    *at = parser.token.at + 1;
    return RV_OK;
}

rv_result cel_parse(struct rv_ctx *cx, const struct cel_source *source, struct cel_expr **out)
{
    struct cel_parser parser = { .cx = cx, .source = source };

    RV_TRY(cx, cel_source_check(cx, source));
    parser.token = cel_lex(source, 0);
    *out = cel_parse_expr(&parser);
    if (!*out)
        return RV_INVALID;
    if (parser.token.kind != TOKEN_END) {
        cel_parse_unexpected(&parser, "an operator");
        return RV_INVALID;
    }
    return RV_OK;
}
