/*
 * Facts: what an evaluation can cost at most.
 *
 * Each part of an expression gets two bounds: what it costs, and what its value weighs, that is
 * all elements and bytes in it together. Numbers that do not fit are INT64_MAX, no telling.
 */

#include <string.h>

#include "cel/facts.h"

enum {
    PLAIN = 4,      /* weight of a number, a time, an optional around something */
    TEXT_MOST = 64, /* of a number as text */
    STEP = 16,      /* cost of a call that fails at once */
};

struct bound {
    int64_t cost, weight;
};

struct bounding {
    int64_t weight_max;
    struct bound *locals; /* of the variables of macros, by slot; the cost is not looked at */
};

/* How the weight of a result follows from those of the arguments. */
enum growth { GROWS_SUM, GROWS_PRODUCT, GROWS_UNTOLD };

/* clang-format off */
static const struct {
    const char *function;
    enum growth weight, cost;
} growths[] = {
    { "replace",         GROWS_PRODUCT, GROWS_PRODUCT },
    { "join",            GROWS_PRODUCT, GROWS_PRODUCT },
    { "format",          GROWS_PRODUCT, GROWS_PRODUCT },
    { "lastIndexOf",     GROWS_SUM,     GROWS_PRODUCT },
    { "distinct",        GROWS_SUM,     GROWS_PRODUCT },
    { "sort",            GROWS_SUM,     GROWS_PRODUCT },
    { "sets.contains",   GROWS_SUM,     GROWS_PRODUCT },
    { "sets.equivalent", GROWS_SUM,     GROWS_PRODUCT },
    { "sets.intersects", GROWS_SUM,     GROWS_PRODUCT },
    { "lists.range",     GROWS_UNTOLD,  GROWS_UNTOLD },
    { "matches",         GROWS_SUM,     GROWS_UNTOLD },
};
/* clang-format on */

static struct bound bound_of(struct bounding *bounding, const struct cel_expr *expr);

/* Whether all values of the type weigh next to nothing. */
static bool is_plain(const struct cel_type *type)
{
    static const bool rows[CEL_TYPE_KINDS] = {
        [CEL_T_NULL] = true,     [CEL_T_BOOL] = true,   [CEL_T_INT] = true,
        [CEL_T_UINT] = true,     [CEL_T_DOUBLE] = true, [CEL_T_TIMESTAMP] = true,
        [CEL_T_DURATION] = true, [CEL_T_TYPE] = true,
    };

    return type && rows[type->kind];
}

static int64_t plus(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static int64_t times(int64_t a, int64_t b)
{
    int64_t product;

    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

static int64_t grown(enum growth growth, int64_t sum)
{
    return growth == GROWS_SUM ? sum : growth == GROWS_PRODUCT ? times(sum, sum) : INT64_MAX;
}

/* Both of the parts together. */
static void add(struct bound *sum, struct bound part)
{
    sum->cost = plus(sum->cost, part.cost);
    sum->weight = plus(sum->weight, part.weight);
}

static struct bound of_const(struct cel_value value)
{
    bool sized = value.kind == CEL_STRING || value.kind == CEL_BYTES;

    return (struct bound){ 1, PLAIN + (sized ? value.len : 0) };
}

/* A function: its arguments, what it looks at, what it makes; or the error it fails with. */
static struct bound of_call(struct bounding *bounding, const struct cel_expr *expr)
{
    enum growth cost = GROWS_SUM, weight = GROWS_SUM;
    struct bound bound = { STEP, expr->op ? PLAIN : TEXT_MOST };
    const char *name = expr->functions ? expr->functions->name : expr->name ? expr->name : "";

    if (expr->target && expr->ref != REF_FUNCTION)
        add(&bound, bound_of(bounding, expr->target));
    for (size_t i = 0; i < expr->n_args; i++)
        add(&bound, bound_of(bounding, expr->args[i]));
    for (size_t i = 0; i < sizeof(growths) / sizeof(growths[0]); i++) {
        if (strcmp(growths[i].function, name) == 0) {
            cost = growths[i].cost;
            weight = growths[i].weight;
        }
    }
    bound.cost = plus(bound.cost, grown(cost, times(bound.weight, 4)));
    bound.weight = grown(weight, times(bound.weight, 2));
    return bound;
}

/* The steps of a walk over something of this weight, each as dear as the body. */
static struct bound repeated(struct bound range, struct bound body)
{
    int64_t steps = plus(range.weight, 1);

    return (struct bound){ plus(range.cost, times(steps, plus(body.cost, 8))),
                           plus(times(steps, plus(body.weight, 4)), range.weight) };
}

static struct bound of_macro(struct bounding *bounding, const struct cel_expr *expr)
{
    const struct cel_macro *macro = expr->macro;
    struct bound range, body = { 16, PLAIN };
    size_t first = macro->n_vars;

    if (macro->kind == MACRO_HAS)
        range = bound_of(bounding, expr->args[0]->target);
    else
        range = bound_of(bounding, expr->target ? expr->target : expr->args[first++]);
    for (size_t i = 0; i < macro->n_vars; i++)
        bounding->locals[expr->slot + i] = (struct bound){ 1, plus(range.weight, PLAIN) };
    for (size_t i = first; macro->kind != MACRO_HAS && i < expr->n_args; i++)
        add(&body, bound_of(bounding, expr->args[i]));
    if (macro->kind == MACRO_HAS || macro->kind == MACRO_BIND || macro->kind == MACRO_OPT_MAP ||
        macro->kind == MACRO_OPT_FLAT_MAP) {
        add(&range, body);
        return range;
    }
    range = repeated(range, body);
    if (macro->kind == MACRO_SORT_BY) /* and the sorting: a step for each halving */
        range.cost = plus(range.cost, times(range.weight, 64));
    return range;
}

static struct bound of_items(struct bounding *bounding, const struct cel_expr *expr)
{
    struct bound bound = { 16, PLAIN };

    for (size_t i = 0; i < expr->n_items; i++) {
        if (expr->items[i].key)
            add(&bound, bound_of(bounding, expr->items[i].key));
        add(&bound, bound_of(bounding, expr->items[i].value));
        add(&bound, (struct bound){ 4, 4 });
    }
    return bound;
}

static struct bound of_select(struct bounding *bounding, const struct cel_expr *expr)
{
    struct bound bound = bound_of(bounding, expr->target);

    add(&bound, (struct bound){ 16 + (int64_t)strlen(expr->name), PLAIN });
    return bound;
}

static struct bound of_any(struct bounding *bounding, const struct cel_expr *expr)
{
    if (expr->ref == REF_LOCAL)
        return bounding->locals[expr->slot];
    if (expr->ref == REF_VARIABLE || (expr->kind == EXPR_NAME && expr->ref == REF_NONE))
        return (struct bound){ 16, plus(bounding->weight_max, PLAIN) };
    switch (expr->kind) {
    case EXPR_SELECT:
        return expr->ref ? of_const(cel_null()) : of_select(bounding, expr);
    case EXPR_MACRO:
        return of_macro(bounding, expr);
    case EXPR_CALL:
    case EXPR_JOIN:
        return of_call(bounding, expr);
    case EXPR_LIST:
    case EXPR_MAP:
    case EXPR_MESSAGE:
        return of_items(bounding, expr);
    default:
        return of_const(expr->value);
    }
}

static struct bound bound_of(struct bounding *bounding, const struct cel_expr *expr)
{
    struct bound bound = of_any(bounding, expr);

    if (is_plain(expr->type))
        bound.weight = PLAIN;
    return bound;
}

int64_t cel_cost_most(struct rv_ctx *cx, const struct cel_program *program, int64_t weight_max)
{
    struct bounding bounding = { .weight_max = weight_max };

    bounding.locals = rv_new_array(cx, struct bound, program->n_locals + 1);
    return bound_of(&bounding, program->expr).cost;
}
