/* The part of the parser that knows names, calls, brackets and literals. */

#include <string.h>

#include "cel/parser.h"

static const char *taken_text(struct cel_parser *parser)
{
    const struct cel_token token = parser->token;
    bool quoted = token.kind == TOKEN_QUOTED;

    cel_parser_take(parser);
    return rv_strndup(parser->cx, parser->source->text + token.at + quoted, token.len - 2 * quoted);
}

const char *cel_parse_selector(struct cel_parser *parser)
{
    const struct cel_token *token = &parser->token;

    if (token->kind == TOKEN_QUOTED)
        return taken_text(parser);
    if (token->kind != TOKEN_NAME || !cel_is_selector(parser->source->text + token->at, token->len))
        return cel_parse_unexpected(parser, "a field's name");
    return taken_text(parser);
}

/* Arguments up to the closing bracket; false when refused. */
static bool parse_args(struct cel_parser *parser, struct cel_expr *call)
{
    if (cel_parser_took(parser, TOKEN_PAREN_END))
        return true;
    do {
        struct cel_expr *arg = cel_parse_expr(parser);

        if (!arg)
            return false;
        if (call->n_args == CEL_ARGS_MAX)
            return cel_parse_refused(parser, arg->at, "too many arguments");
        call->args = cel_expr_append(parser->cx, call->args, call->n_args++, arg);
    } while (cel_parser_took(parser, TOKEN_COMMA));
    if (!cel_parser_took(parser, TOKEN_PAREN_END))
        return cel_parse_unexpected(parser, "\")\"");
    return true;
}

static bool is_variable(const struct cel_expr *expr)
{
    return expr->kind == EXPR_NAME && !expr->rooted;
}

/* Why the arguments are not what the macro wants; NULL: they are. */
static const char *macro_wrong(const struct cel_macro *macro, struct cel_expr *const *args)
{
    if (macro->kind == MACRO_HAS && (args[0]->kind != EXPR_SELECT || args[0]->optional))
        return "has() wants a field: has(a.b)";
    for (size_t i = 0; i < macro->n_vars; i++)
        if (!is_variable(args[i]))
            return "the variable of a macro is a simple name";
    if (macro->n_vars == 2 && strcmp(args[0]->name, args[1]->name) == 0)
        return "the two variables of a macro have one name";
    return NULL;
}

/* "cel.bind" of the target and the name of a call; @name when it is no such thing. */
static const char *spaced_name(struct cel_parser *parser, const struct cel_expr *call)
{
    const struct cel_expr *space = call->target;

    if (!space || space->kind != EXPR_NAME || strcmp(space->name, "cel") != 0)
        return call->name;
    return rv_printf(parser->cx, "cel.%s", call->name);
}

static struct cel_expr *finish_call(struct cel_parser *parser, struct cel_expr call)
{
    const char *spaced = spaced_name(parser, &call), *why;
    const struct cel_macro *macro = NULL;

    if (!call.rooted)
        macro = cel_macro_find(spaced, call.target && spaced == call.name, call.n_args);
    if (!macro)
        return cel_expr_new(parser, call);
    why = macro_wrong(macro, call.args);
    if (why)
        return cel_parse_refused(parser, call.args[0]->at, why);
    call.kind = EXPR_MACRO;
    call.macro = macro;
    if (!macro->method)
        call.target = NULL;
    return cel_expr_new(parser, call);
}

/* What stands behind a dot: .f, .?f or .f(…). */
static struct cel_expr *parse_select(struct cel_parser *parser, struct cel_expr *target)
{
    bool optional = cel_parser_took(parser, TOKEN_QUESTION);
    struct cel_expr expr = { .target = target, .at = parser->token.at, .optional = optional };

    expr.name = cel_parse_selector(parser);
    if (!expr.name)
        return NULL;
    if (optional || !cel_parser_took(parser, TOKEN_PAREN)) {
        expr.kind = EXPR_SELECT;
        return cel_expr_new(parser, expr);
    }
    expr.kind = EXPR_CALL;
    return parse_args(parser, &expr) ? finish_call(parser, expr) : NULL;
}

static struct cel_expr *parse_index(struct cel_parser *parser, struct cel_expr *target, size_t at)
{
    bool optional = cel_parser_took(parser, TOKEN_QUESTION);
    struct cel_expr *args[] = { target, cel_parse_expr(parser) };

    if (!args[1])
        return NULL;
    if (!cel_parser_took(parser, TOKEN_BRACKET_END))
        return cel_parse_unexpected(parser, "\"]\"");
    return cel_expr_operator(parser, optional ? &cel_index_optional : &cel_index, at, args, 2);
}

struct cel_expr *cel_parse_postfix(struct cel_parser *parser, struct cel_expr *expr)
{
    while (expr) {
        size_t at = parser->token.at;

        if (cel_parser_took(parser, TOKEN_DOT))
            expr = parse_select(parser, expr);
        else if (cel_parser_took(parser, TOKEN_BRACKET))
            expr = parse_index(parser, expr, at);
        else if (parser->token.kind == TOKEN_BRACE &&
                 (expr->kind == EXPR_NAME || expr->kind == EXPR_SELECT))
            expr = cel_parse_message(parser, expr);
        else
            return expr;
    }
    return NULL;
}

struct cel_expr *cel_parse_literal(struct cel_parser *parser, bool negative, size_t at)
{
    struct cel_expr expr = { .kind = EXPR_CONST, .at = (uint32_t)at };
    size_t bad_at;
    const char *why =
        cel_literal(parser->cx, parser->source, &parser->token, negative, &expr.value, &bad_at);

    if (why)
        return cel_parse_refused(parser, bad_at, why);
    cel_parser_take(parser);
    return cel_expr_new(parser, expr);
}

static struct cel_expr *parse_word(struct cel_parser *parser, size_t at, bool rooted)
{
    static const struct {
        const char *word;
        struct cel_value value;
    } words[] = { { "true", { .kind = CEL_BOOL, .whole = 1 } },
                  { "false", { .kind = CEL_BOOL } },
                  { "null", { .kind = CEL_NULL } } };
    struct cel_expr expr = { .kind = EXPR_NAME, .at = (uint32_t)at, .rooted = rooted };
    size_t len = parser->token.len;

    if (parser->token.kind != TOKEN_NAME)
        return cel_parse_unexpected(parser, "a name");
    expr.name = taken_text(parser);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && !rooted; i++)
        if (strcmp(expr.name, words[i].word) == 0)
            return cel_expr_new(parser, (struct cel_expr){ .kind = EXPR_CONST,
                                                           .at = (uint32_t)at,
                                                           .value = words[i].value });
    if (cel_is_reserved(expr.name, len))
        return cel_parse_refused(parser, at, "this is a reserved word");
    if (!cel_parser_took(parser, TOKEN_PAREN))
        return cel_expr_new(parser, expr);
    expr.kind = EXPR_CALL;
    return parse_args(parser, &expr) ? finish_call(parser, expr) : NULL;
}

static struct cel_expr *parse_parens(struct cel_parser *parser)
{
    struct cel_expr *expr;

    cel_parser_take(parser);
    expr = cel_parse_expr(parser);
    if (expr && !cel_parser_took(parser, TOKEN_PAREN_END))
        return cel_parse_unexpected(parser, "\")\"");
    return expr;
}

static struct cel_expr *parse_primary(struct cel_parser *parser)
{
    size_t at = parser->token.at;

    switch (parser->token.kind) {
    case TOKEN_INT:
    case TOKEN_UINT:
    case TOKEN_DOUBLE:
    case TOKEN_STRING:
    case TOKEN_BYTES:
        return cel_parse_literal(parser, false, at);
    case TOKEN_PAREN:
        return parse_parens(parser);
    case TOKEN_BRACKET:
        cel_parser_take(parser);
        return cel_parse_items(parser, (struct cel_expr){ .kind = EXPR_LIST, .at = (uint32_t)at },
                               TOKEN_BRACKET_END);
    case TOKEN_BRACE:
        cel_parser_take(parser);
        return cel_parse_items(parser, (struct cel_expr){ .kind = EXPR_MAP, .at = (uint32_t)at },
                               TOKEN_BRACE_END);
    case TOKEN_DOT:
        cel_parser_take(parser);
        return parse_word(parser, at, true);
    case TOKEN_NAME:
        return parse_word(parser, at, false);
    default:
        return cel_parse_unexpected(parser, "an expression");
    }
}

struct cel_expr *cel_parse_member(struct cel_parser *parser)
{
    return cel_parse_postfix(parser, parse_primary(parser));
}
