/* Printing: a tree as text again, with brackets only where they are needed. */

#include <math.h>

#include "base/text.h"
#include "cel/functions.h"

static void print(struct rv_buf *out, const struct cel_expr *expr);

/* As the parser's levels: 1 ternary … 8 what a dot can follow. */
static unsigned precedence(const struct cel_expr *expr)
{
    if (expr->kind == EXPR_CALL && expr->op)
        return expr->op->precedence;
    return PRECEDENCE_MEMBER;
}

static void print_at(struct rv_buf *out, const struct cel_expr *expr, unsigned least)
{
    bool brackets = precedence(expr) < least;

    if (brackets)
        rv_buf_char(out, '(');
    print(out, expr);
    if (brackets)
        rv_buf_char(out, ')');
}

/* Between double quotes; what is no text of its own is an escape. */
static void print_string(struct rv_buf *out, struct cel_value value)
{
    static const char marks[] = "\a\b\f\n\r\t\v\\\"", letters[] = "abfnrtv\\\"";
    bool bytes = value.kind == CEL_BYTES;

    rv_buf_text(out, bytes ? "b\"" : "\"");
    for (size_t i = 0; i < value.len;) {
        unsigned char c = (unsigned char)value.text[i];
        size_t whole = rv_utf8_next(value.text + i, value.len - i, NULL);
        const char *mark = c ? strchr(marks, c) : NULL;

        if (mark)
            rv_buf_add(out, (char[]){ '\\', letters[mark - marks] }, 2);
        else if (c < 0x20 || c == 0x7f || whole == 0 || (bytes && c >= 0x80))
            rv_buf_printf(out, "\\x%02x", c);
        else
            rv_buf_add(out, value.text + i, whole);
        i += whole && !bytes ? whole : 1;
    }
    rv_buf_char(out, '"');
}

static void print_double(struct rv_buf *out, double number)
{
    size_t from = out->len;

    cel_add_double(out, number);
    if (!memchr(out->data + from, '.', out->len - from) &&
        !memchr(out->data + from, 'e', out->len - from))
        rv_buf_text(out, ".0");
}

void cel_print_const(struct rv_buf *out, struct cel_value value)
{
    switch (value.kind) {
    case CEL_NULL:
        rv_buf_text(out, "null");
        break;
    case CEL_BOOL:
        rv_buf_text(out, value.truth ? "true" : "false");
        break;
    case CEL_INT:
        rv_buf_int(out, value.whole);
        break;
    case CEL_UINT:
        rv_buf_printf(out, "%lluu", (unsigned long long)value.natural);
        break;
    case CEL_DOUBLE:
        print_double(out, value.number);
        break;
    default:
        print_string(out, value);
    }
}

static void print_name(struct rv_buf *out, const char *name)
{
    bool plain = cel_is_selector(name, strlen(name));

    rv_buf_printf(out, plain ? "%s" : "`%s`", name);
}

static void print_args(struct rv_buf *out, struct cel_expr *const *args, size_t n_args)
{
    rv_buf_char(out, '(');
    for (size_t i = 0; i < n_args; i++) {
        if (i)
            rv_buf_text(out, ", ");
        print(out, args[i]);
    }
    rv_buf_char(out, ')');
}

/* What the text of @expr begins with, as long as nothing stands in brackets. */
static const struct cel_expr *leftmost(const struct cel_expr *expr)
{
    while (expr->target || (expr->op && expr->op->precedence == PRECEDENCE_MEMBER))
        expr = expr->target ? expr->target : expr->args[0];
    return expr;
}

/* A number that a minus before it would become a part of. */
static bool takes_minus(const struct cel_expr *expr)
{
    if (expr->kind != EXPR_CONST)
        return false;
    if (expr->value.kind == CEL_DOUBLE)
        return !signbit(expr->value.number);
    return expr->value.kind == CEL_UINT || (expr->value.kind == CEL_INT && expr->value.whole >= 0);
}

static void print_unary(struct rv_buf *out, const struct cel_expr *expr)
{
    const struct cel_expr *operand = expr->args[0];
    bool apart = expr->op == &cel_negate && takes_minus(leftmost(operand));

    rv_buf_text(out, expr->op->sign);
    print_at(out, operand, apart ? PRECEDENCE_MEMBER + 1 : PRECEDENCE_UNARY);
}

/* && and || may have many operands; each operator binds to the left. */
static void print_binary(struct rv_buf *out, const struct cel_expr *expr)
{
    const struct cel_operator *op = expr->op;

    for (size_t i = 0; i < expr->n_args; i++) {
        if (i)
            rv_buf_printf(out, " %s ", op->sign);
        print_at(out, expr->args[i], op->precedence + (i > 0));
    }
}

static void print_operator(struct rv_buf *out, const struct cel_expr *expr)
{
    const struct cel_operator *op = expr->op;

    if (op == &cel_ternary) {
        print_at(out, expr->args[0], PRECEDENCE_OR);
        rv_buf_text(out, " ? ");
        print_at(out, expr->args[1], PRECEDENCE_OR);
        rv_buf_text(out, " : ");
        print_at(out, expr->args[2], PRECEDENCE_TERNARY);
    } else if (op == &cel_index || op == &cel_index_optional) {
        print_at(out, expr->args[0], PRECEDENCE_MEMBER);
        rv_buf_text(out, op == &cel_index ? "[" : "[?");
        print(out, expr->args[1]);
        rv_buf_char(out, ']');
    } else if (op->arity == 1) {
        print_unary(out, expr);
    } else {
        print_binary(out, expr);
    }
}

static void print_call(struct rv_buf *out, const struct cel_expr *expr)
{
    if (expr->target) {
        print_at(out, expr->target, PRECEDENCE_MEMBER);
        rv_buf_char(out, '.');
    }
    if (expr->rooted)
        rv_buf_char(out, '.');
    if (expr->macro && !expr->macro->method)
        rv_buf_text(out, expr->macro->name);
    else
        print_name(out, expr->name);
    print_args(out, expr->args, expr->n_args);
}

static void print_items(struct rv_buf *out, const struct cel_expr *expr, const char *brackets)
{
    rv_buf_char(out, brackets[0]);
    for (size_t i = 0; i < expr->n_items; i++) {
        const struct cel_item *item = &expr->items[i];

        rv_buf_printf(out, "%s%s", i ? ", " : "", item->optional ? "?" : "");
        if (item->key)
            print(out, item->key);
        else if (item->name)
            print_name(out, item->name);
        if (item->key || item->name)
            rv_buf_text(out, ": ");
        print(out, item->value);
    }
    rv_buf_char(out, brackets[1]);
}

static void print_select(struct rv_buf *out, const struct cel_expr *expr)
{
    print_at(out, expr->target, PRECEDENCE_MEMBER);
    rv_buf_text(out, expr->optional ? ".?" : ".");
    print_name(out, expr->name);
}

static void print_join(struct rv_buf *out, const struct cel_expr *expr)
{
    for (size_t i = 0; i < expr->n_args; i++) {
        const struct cel_expr *part = expr->args[i];

        if (part->kind == EXPR_CONST && part->words) {
            rv_buf_add(out, part->value.text, part->value.len);
            continue;
        }
        rv_buf_text(out, "${{ ");
        print(out, part);
        rv_buf_text(out, " }}");
    }
}

static void print(struct rv_buf *out, const struct cel_expr *expr)
{
    switch (expr->kind) {
    case EXPR_CONST:
        cel_print_const(out, expr->value);
        break;
    case EXPR_NAME:
        rv_buf_printf(out, "%s%s", expr->rooted ? "." : "", expr->name);
        break;
    case EXPR_SELECT:
        print_select(out, expr);
        break;
    case EXPR_CALL:
        if (expr->op)
            print_operator(out, expr);
        else
            print_call(out, expr);
        break;
    case EXPR_MACRO:
        print_call(out, expr);
        break;
    case EXPR_LIST:
        print_items(out, expr, "[]");
        break;
    case EXPR_MAP:
        print_items(out, expr, "{}");
        break;
    case EXPR_MESSAGE:
        rv_buf_text(out, expr->name);
        print_items(out, expr, "{}");
        break;
    case EXPR_JOIN:
        print_join(out, expr);
        break;
    }
}

void cel_print(struct rv_buf *out, const struct cel_expr *expr)
{
    print(out, expr);
}

const char *cel_format(struct rv_ctx *cx, const struct cel_program *program)
{
    struct rv_buf text = { .arena = cx->arena };

    print(&text, program->expr);
    return rv_strndup(cx, text.data ? text.data : "", text.len);
}
