/* Checking: each part of an expression gets its type, from below. */

#include <stdarg.h>
#include <stdio.h>

#include "cel/check.h"
#include "cel/message.h"

const struct cel_type *cel_type_refused(struct cel_checker *checker, size_t at, const char *format,
                                        ...)
{
    char why[300];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    (void)cel_refuse(checker->cx, checker->source, at, "%s", why);
    return NULL;
}

/* The kinds of fields, as types: a text that is not set is null. */
static const struct cel_type *field_type(struct cel_checker *checker, const struct rv_field *field)
{
    struct rv_ctx *cx = checker->cx;

    switch (field->kind) {
    case RV_KIND_TEXT:
    case RV_KIND_UUID:
    case RV_KIND_JSON:
    case RV_KIND_ENUM:
        return cel_type_wrapper(cx, cel_type(CEL_T_STRING));
    case RV_KIND_BYTES:
        return cel_type(CEL_T_BYTES);
    case RV_KIND_INT:
        return cel_type(CEL_T_INT);
    case RV_KIND_DOUBLE:
        return cel_type(CEL_T_DOUBLE);
    case RV_KIND_BOOL:
        return cel_type(CEL_T_BOOL);
    case RV_KIND_TEXTS:
        return cel_type_list(cx, cel_type(CEL_T_STRING));
    case RV_KIND_RECORD:
        return cel_type_record(cx, field->element);
    case RV_KIND_LIST:
        return cel_type_list(cx, cel_type_record(cx, field->element));
    }
    return cel_type(CEL_T_DYN);
}

static const struct cel_type *record_field(struct cel_checker *checker, const struct cel_expr *expr,
                                           const struct cel_type *target)
{
    const struct rv_field *field = rv_record_field(target->record, expr->name);

    if (!field)
        return cel_type_refused(checker, expr->at, "%s has no field \"%.60s\"",
                                target->record->name, expr->name);
    return field_type(checker, field);
}

const struct cel_type *cel_check_field(struct cel_checker *checker, const struct cel_expr *expr,
                                       const struct cel_type *target)
{
    const struct cel_type *inner;

    target = cel_follow(checker, target);
    switch (target->kind) {
    case CEL_T_DYN:
    case CEL_T_VAR:
    case CEL_T_ERROR:
        return cel_type(CEL_T_DYN);
    case CEL_T_MAP:
        return target->params[1];
    case CEL_T_RECORD:
        return record_field(checker, expr, target);
    case CEL_T_OPTIONAL:
        inner = cel_check_field(checker, expr, target->params[0]);
        return inner ? cel_type_optional(checker->cx, inner) : NULL;
    default:
        return cel_type_refused(checker, expr->at, "%s has no fields",
                                cel_type_text(checker->cx, cel_settled(checker, target)));
    }
}

static const struct cel_type *check_select(struct cel_checker *checker, struct cel_expr *expr)
{
    const struct cel_type *target = cel_check_expr(checker, expr->target), *type;

    type = target ? cel_check_field(checker, expr, target) : NULL;
    if (!type || !expr->optional || cel_follow(checker, target)->kind == CEL_T_OPTIONAL)
        return type;
    return cel_type_optional(checker->cx, type);
}

/* What stands behind ?e must be an optional; its value's type. */
static const struct cel_type *check_item(struct cel_checker *checker, const struct cel_item *item)
{
    const struct cel_type *type = cel_check_expr(checker, item->value), *held;

    if (!type || !item->optional)
        return type;
    held = cel_fresh(checker);
    if (!cel_assignable(checker, cel_type_optional(checker->cx, held), type))
        return cel_type_refused(checker, item->value->at, "%s is no optional",
                                cel_type_text(checker->cx, cel_settled(checker, type)));
    return held;
}

static const struct cel_type *check_list(struct cel_checker *checker, const struct cel_expr *expr)
{
    const struct cel_type *element = NULL;

    for (size_t i = 0; i < expr->n_items; i++) {
        const struct cel_type *type = check_item(checker, &expr->items[i]);

        if (!type)
            return NULL;
        element = element ? cel_joined(checker, element, type) : type;
    }
    return cel_type_list(checker->cx, element ? element : cel_fresh(checker));
}

/* Only what can be a key; so a type is as large as it is deep, whoever made it up. */
static const struct cel_type *check_key(struct cel_checker *checker, struct cel_expr *expr)
{
    const struct cel_type *type = cel_check_expr(checker, expr);

    if (!type)
        return NULL;
    type = cel_follow(checker, type);
    if (type->kind == CEL_T_WRAPPER)
        type = type->params[0];
    if (type->kind == CEL_T_BOOL || type->kind == CEL_T_INT || type->kind == CEL_T_UINT ||
        type->kind == CEL_T_STRING)
        return type;
    if (type->kind == CEL_T_DYN || type->kind == CEL_T_VAR || type->kind == CEL_T_ERROR)
        return cel_type(CEL_T_DYN);
    return cel_type_refused(checker, expr->at, "%s is no key of a map", cel_type_name(type));
}

static const struct cel_type *check_map(struct cel_checker *checker, const struct cel_expr *expr)
{
    const struct cel_type *key = NULL, *value = NULL;

    for (size_t i = 0; i < expr->n_items; i++) {
        const struct cel_type *of_key = check_key(checker, expr->items[i].key), *of_value;

        of_value = of_key ? check_item(checker, &expr->items[i]) : NULL;
        if (!of_value)
            return NULL;
        key = key ? cel_joined(checker, key, of_key) : of_key;
        value = value ? cel_joined(checker, value, of_value) : of_value;
    }
    return cel_type_map(checker->cx, key ? key : cel_fresh(checker),
                        value ? value : cel_fresh(checker));
}

static const struct cel_type *check_message(struct cel_checker *checker,
                                            const struct cel_expr *expr)
{
    for (size_t i = 0; i < expr->n_items; i++)
        if (!check_item(checker, &expr->items[i]))
            return NULL;
    return cel_message_type(checker->cx, cel_message_find(checker->env, expr->name));
}

static const struct cel_type *check_join(struct cel_checker *checker, const struct cel_expr *expr)
{
    for (size_t i = 0; i < expr->n_args; i++)
        if (!cel_check_expr(checker, expr->args[i]))
            return NULL;
    return cel_type(CEL_T_STRING);
}

static const struct cel_type *check_ref(struct cel_checker *checker, const struct cel_expr *expr)
{
    const struct cel_type *type;

    switch (expr->ref) {
    case REF_LOCAL:
        return checker->locals[expr->slot];
    case REF_VARIABLE:
        type = checker->env->variables[expr->slot].type;
        return type ? type : cel_type(CEL_T_DYN);
    default:
        return cel_type_of(expr->value);
    }
}

static const struct cel_type *type_of(struct cel_checker *checker, struct cel_expr *expr)
{
    if (expr->ref != REF_NONE && expr->kind != EXPR_CALL)
        return check_ref(checker, expr);
    switch (expr->kind) {
    case EXPR_CONST:
        return cel_type_of(expr->value);
    case EXPR_SELECT:
        return check_select(checker, expr);
    case EXPR_CALL:
        return cel_check_call(checker, expr);
    case EXPR_MACRO:
        return cel_check_macro(checker, expr);
    case EXPR_LIST:
        return check_list(checker, expr);
    case EXPR_MAP:
        return check_map(checker, expr);
    case EXPR_MESSAGE:
        return check_message(checker, expr);
    case EXPR_JOIN:
        return check_join(checker, expr);
    case EXPR_NAME:
        break;
    }
    return cel_type(CEL_T_DYN);
}

const struct cel_type *cel_check_expr(struct cel_checker *checker, struct cel_expr *expr)
{
    expr->type = type_of(checker, expr);
    return expr->type;
}

rv_result cel_check(struct rv_ctx *cx, const struct cel_env *env, const struct cel_source *source,
                    uint32_t n_locals, struct cel_expr *expr)
{
    struct cel_checker checker = { .cx = cx, .env = env, .source = source };
    enum { STEPS = 100000, STEPS_PER_BYTE = 64 };
    const struct cel_type *type;

    checker.steps_left = STEPS + STEPS_PER_BYTE * (int64_t)source->len;
    checker.locals = rv_new_array(cx, const struct cel_type *, n_locals + 1);
    type = cel_check_expr(&checker, expr);
    if (!type)
        return RV_INVALID;
    if (env->result && !cel_assignable(&checker, env->result, type))
        return cel_refuse(cx, source, expr->at, "the expression gives %s where %s is wanted",
                          cel_type_text(cx, cel_settled(&checker, type)),
                          cel_type_text(cx, env->result));
    expr->type = cel_settled(&checker, type);
    return RV_OK;
}
