#pragma once

/*
 * The tree of an expression as it was written: macros and operators are still what they were, so
 * that it can be printed again. Resolving and checking only fill in what is theirs.
 */

#include "cel/function.h"
#include "cel/lexer.h"
#include "cel/macro.h"
#include "cel/operator.h"
#include "cel/type.h"

enum cel_expr_kind {
    EXPR_CONST,   /* value */
    EXPR_NAME,    /* name; rooted: .name */
    EXPR_SELECT,  /* target.name; optional: target.?name */
    EXPR_CALL,    /* operator(args), name(args), target.name(args) */
    EXPR_LIST,    /* items: value, optional */
    EXPR_MAP,     /* items: key, value, optional */
    EXPR_MESSAGE, /* name, items: name, value, optional */
    EXPR_MACRO,   /* macro(args) or target.macro(args) */
    EXPR_JOIN,    /* args of a template, put together as one text */
};

/* What a name turned out to be. */
enum cel_ref {
    REF_NONE,
    REF_VARIABLE, /* slot in the env's variables */
    REF_LOCAL,    /* slot in the frame of the evaluation */
    REF_VALUE,    /* value: a type, a constant of protobuf */
    REF_FUNCTION, /* a.b.f(…): the target is part of the function's name */
};

struct cel_expr;

struct cel_item {
    struct cel_expr *key, *value;
    const char *name;
    bool optional;
    uint32_t at;
};

struct cel_expr {
    enum cel_expr_kind kind;
    uint32_t at;    /* byte of the source to blame */
    uint32_t depth; /* of the tree below, itself included */
    const char *name;
    bool rooted, optional;
    bool words;                    /* EXPR_CONST: what stands between the ${{ }} of a template */
    const struct cel_operator *op; /* EXPR_CALL: NULL when called by name */
    const struct cel_macro *macro;
    struct cel_value value;
    struct cel_expr *target;
    struct cel_expr **args;
    size_t n_args;
    struct cel_item *items;
    size_t n_items;

    /* for cel_resolve to fill in */
    enum cel_ref ref;
    uint32_t slot;                        /* EXPR_MACRO: of its first variable */
    const struct cel_function *functions; /* the rows of the name; NULL: there is none */
    size_t n_functions;

    /* for cel_check to fill in */
    const struct cel_type *type;
    uint64_t fits; /* which of the functions the types allow, one bit a row */
};

/* Parses a whole text. */
rv_result cel_parse(struct rv_ctx *cx, const struct cel_source *source, struct cel_expr **out);

/* Parses an expression that begins at *@at and ends before a }; *@at is then behind it. */
rv_result cel_parse_part(struct rv_ctx *cx, const struct cel_source *source, size_t *at,
                         struct cel_expr **out);

/* Parses a text with ${{ }} in it: EXPR_CONST, EXPR_JOIN, or the one expression it is. */
rv_result cel_parse_template(struct rv_ctx *cx, const struct cel_source *source,
                             struct cel_expr **out);

/* Writes the expression so that parsing gives the same tree. */
void cel_print(struct rv_buf *out, const struct cel_expr *expr);

/* Writes a constant: null, bool, a number, string or bytes. */
void cel_print_const(struct rv_buf *out, struct cel_value value);
