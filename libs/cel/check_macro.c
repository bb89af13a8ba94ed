/* The part of the checker that knows what the variables of macros are. */

#include "cel/check.h"

/* Types of a walk over something: of its positions or keys, and of its elements or values. */
struct range {
    const struct cel_type *key, *value;
    bool map;
};

static bool range_of(const struct cel_checker *checker, const struct cel_type *type,
                     struct range *range)
{
    type = cel_follow(checker, type);
    *range = (struct range){ cel_type(CEL_T_DYN), cel_type(CEL_T_DYN), false };
    switch (type->kind) {
    case CEL_T_LIST:
        *range = (struct range){ cel_type(CEL_T_INT), type->params[0], false };
        return true;
    case CEL_T_MAP:
        *range = (struct range){ type->params[0], type->params[1], true };
        return true;
    case CEL_T_RECORD:
        *range = (struct range){ cel_type(CEL_T_STRING), cel_type(CEL_T_DYN), true };
        return true;
    case CEL_T_DYN:
    case CEL_T_VAR:
    case CEL_T_ERROR:
        return true;
    default:
        return false;
    }
}

static const struct cel_type *must_be(struct cel_checker *checker, const struct cel_expr *expr,
                                      const struct cel_type *want)
{
    if (cel_assignable(checker, want, expr->type))
        return expr->type;
    return cel_type_refused(checker, expr->at, "this gives %s where %s is wanted",
                            cel_type_text(checker->cx, cel_settled(checker, expr->type)),
                            cel_type_text(checker->cx, cel_settled(checker, want)));
}

static const struct cel_type *checked(struct cel_checker *checker, struct cel_expr *expr,
                                      enum cel_type_kind kind)
{
    if (!cel_check_expr(checker, expr))
        return NULL;
    return kind == CEL_T_DYN ? expr->type : must_be(checker, expr, cel_type(kind));
}

static const struct cel_type *check_has(struct cel_checker *checker, struct cel_expr *select)
{
    const struct cel_type *target = cel_check_expr(checker, select->target);

    if (!target)
        return NULL;
    select->type = cel_check_field(checker, select, target);
    return select->type ? cel_type(CEL_T_BOOL) : NULL;
}

static const struct cel_type *check_bind(struct cel_checker *checker, struct cel_expr *expr)
{
    const struct cel_type *value = cel_check_expr(checker, expr->args[1]);

    if (!value)
        return NULL;
    checker->locals[expr->slot] = value;
    return cel_check_expr(checker, expr->args[2]);
}

static const struct cel_type *check_optional(struct cel_checker *checker, struct cel_expr *expr)
{
    const struct cel_type *held = cel_fresh(checker), *body;

    if (!must_be(checker, expr->target, cel_type_optional(checker->cx, held)))
        return NULL;
    checker->locals[expr->slot] = held;
    body = cel_check_expr(checker, expr->args[1]);
    if (!body || expr->macro->kind == MACRO_OPT_MAP)
        return body ? cel_type_optional(checker->cx, body) : NULL;
    return must_be(checker, expr->args[1], cel_type_optional(checker->cx, cel_fresh(checker)));
}

static const struct cel_type *result(struct cel_checker *checker, const struct cel_expr *expr,
                                     const struct range *range, const struct cel_type *body)
{
    switch (expr->macro->kind) {
    case MACRO_MAP:
        return cel_type_list(checker->cx, body);
    case MACRO_FILTER:
        return cel_type_list(checker->cx, range->map ? range->key : range->value);
    case MACRO_TRANSFORM_MAP:
        return cel_type_map(checker->cx, range->key, body);
    case MACRO_TRANSFORM_ENTRY:
        return must_be(checker, expr->args[expr->n_args - 1],
                       cel_type_map(checker->cx, cel_fresh(checker), cel_fresh(checker)));
    case MACRO_SORT_BY:
        return expr->target->type;
    default:
        return cel_type(CEL_T_BOOL);
    }
}

static bool wants_bool(enum cel_macro_kind kind)
{
    return kind == MACRO_ALL || kind == MACRO_EXISTS || kind == MACRO_EXISTS_ONE ||
           kind == MACRO_FILTER;
}

const struct cel_type *cel_check_macro(struct cel_checker *checker, struct cel_expr *expr)
{
    const struct cel_macro *macro = expr->macro;
    const struct cel_type *body;
    struct range range;

    if (macro->kind == MACRO_HAS)
        return check_has(checker, expr->args[0]);
    if (macro->kind == MACRO_BIND)
        return check_bind(checker, expr);
    if (!cel_check_expr(checker, expr->target))
        return NULL;
    if (macro->kind == MACRO_OPT_MAP || macro->kind == MACRO_OPT_FLAT_MAP)
        return check_optional(checker, expr);
    if (!range_of(checker, expr->target->type, &range))
        return cel_type_refused(
            checker, expr->target->at, "%s() wants a list or a map, not %s", macro->name,
            cel_type_text(checker->cx, cel_settled(checker, expr->target->type)));
    checker->locals[expr->slot] = macro->n_vars == 2 || range.map ? range.key : range.value;
    if (macro->n_vars == 2)
        checker->locals[expr->slot + 1] = range.value;
    if (macro->filtered && !checked(checker, expr->args[macro->n_vars], CEL_T_BOOL))
        return NULL;
    body = checked(checker, expr->args[expr->n_args - 1],
                   wants_bool(macro->kind) ? CEL_T_BOOL : CEL_T_DYN);
    return body ? result(checker, expr, &range, body) : NULL;
}
