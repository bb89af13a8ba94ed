/* Resolving: what each name of an expression means, once and for all. */

#include <string.h>

#include "cel/message.h"

/* Variables of the macros around an expression, innermost first. */
struct scope {
    const struct scope *outer;
    const char *name;
    uint32_t slot;
};

struct resolver {
    struct rv_ctx *cx;
    const struct cel_env *env;
    const struct cel_source *source;
    uint32_t n_slots, n_most;
};

enum { NAME_BYTES = 512 };

static rv_result walk(struct resolver *resolver, const struct scope *scope, struct cel_expr *expr);

static const struct scope *find_local(const struct scope *scope, const char *name)
{
    while (scope && strcmp(scope->name, name) != 0)
        scope = scope->outer;
    return scope;
}

/* "a.b.c" of names joined by dots; false when the expression is something else. */
static bool dotted(const struct cel_expr *expr, char name[NAME_BYTES], const struct cel_expr **root)
{
    size_t len = 0, more;

    if (expr->kind == EXPR_NAME)
        *root = expr;
    else if (expr->kind != EXPR_SELECT || expr->optional || !dotted(expr->target, name, root))
        return false;
    if (expr->kind == EXPR_SELECT) {
        len = strlen(name);
        name[len++] = '.';
    }
    more = strlen(expr->name);
    if (len + more + 2 > NAME_BYTES) /* a dot and the NUL still fit behind it */
        return false;
    memcpy(name + len, expr->name, more + 1);
    return true;
}

static bool try_variable(const struct resolver *resolver, const char *name, struct cel_expr *expr)
{
    const struct cel_variable *variables = resolver->env->variables;

    for (uint32_t i = 0; variables && variables[i].name; i++) {
        if (strcmp(variables[i].name, name) == 0) {
            expr->ref = REF_VARIABLE;
            expr->slot = i;
            return true;
        }
    }
    return false;
}

static bool try_name(const struct resolver *resolver, const char *name, struct cel_expr *expr)
{
    const struct cel_type *type;

    if (try_variable(resolver, name, expr))
        return true;
    if (strcmp(name, "google.protobuf.NullValue.NULL_VALUE") == 0) {
        expr->ref = REF_VALUE;
        expr->value = cel_int(0);
        return true;
    }
    type = cel_type_named(name, strlen(name));
    if (!type)
        return false;
    expr->ref = REF_VALUE;
    expr->value = cel_type_value(type);
    return true;
}

static bool try_function(const struct resolver *resolver, const char *name, struct cel_expr *expr)
{
    expr->functions = cel_functions_find(resolver->env, name, &expr->n_functions);
    return expr->functions != NULL;
}

/* Tries @name in the container, then in what is around it, and at last as it is. */
static bool try_container(const struct resolver *resolver, const char *name, bool rooted,
                          bool (*attempt)(const struct resolver *, const char *, struct cel_expr *),
                          struct cel_expr *expr)
{
    const char *container = resolver->env->container;
    size_t len = container && !rooted ? strlen(container) : 0;
    char full[2 * NAME_BYTES];

    while (len > 0 && len < NAME_BYTES) {
        memcpy(full, container, len);
        full[len] = '.';
        strcpy(full + len + 1, name);
        if (attempt(resolver, full, expr))
            return true;
        while (len > 0 && container[--len] != '.')
            ;
    }
    return attempt(resolver, name, expr);
}

/* Whether the whole of @expr, "a.b.c", is the name of something. */
static bool resolve_whole(struct resolver *resolver, const struct scope *scope,
                          struct cel_expr *expr)
{
    const struct cel_expr *root;
    char name[NAME_BYTES];

    if (!dotted(expr, name, &root) || (!root->rooted && find_local(scope, root->name)))
        return false;
    return try_container(resolver, name, root->rooted, try_name, expr);
}

static rv_result resolve_name(struct resolver *resolver, const struct scope *scope,
                              struct cel_expr *expr)
{
    const struct scope *local = expr->rooted ? NULL : find_local(scope, expr->name);

    if (local) {
        expr->ref = REF_LOCAL;
        expr->slot = local->slot;
        return RV_OK;
    }
    if (resolve_whole(resolver, scope, expr) || resolver->env->unchecked)
        return RV_OK;
    return cel_refuse(resolver->cx, resolver->source, expr->at, "there is no variable \"%.60s\"",
                      expr->name);
}

static rv_result walk_all(struct resolver *resolver, const struct scope *scope,
                          struct cel_expr *const *exprs, size_t n_exprs)
{
    for (size_t i = 0; i < n_exprs; i++)
        RV_TRY(resolver->cx, walk(resolver, scope, exprs[i]));
    return RV_OK;
}

/* a.b.f(…) may be the function a.b.f. */
static bool resolve_spaced(struct resolver *resolver, const struct scope *scope,
                           struct cel_expr *call)
{
    const struct cel_expr *root;
    struct cel_expr as_name = *call;
    char name[NAME_BYTES];

    as_name.kind = EXPR_SELECT;
    if (!dotted(&as_name, name, &root) || (!root->rooted && find_local(scope, root->name)) ||
        !try_container(resolver, name, root->rooted, try_function, call))
        return false;
    call->ref = REF_FUNCTION;
    return true;
}

static rv_result resolve_call(struct resolver *resolver, const struct scope *scope,
                              struct cel_expr *call)
{
    RV_TRY(resolver->cx, walk_all(resolver, scope, call->args, call->n_args));
    if (call->op) {
        try_function(resolver, call->op->function, call);
        return RV_OK;
    }
    if (call->target && resolve_spaced(resolver, scope, call))
        return RV_OK;
    if (call->target)
        RV_TRY(resolver->cx, walk(resolver, scope, call->target));
    if (!try_container(resolver, call->name, call->rooted || call->target, try_function, call) &&
        !resolver->env->unchecked)
        return cel_refuse(resolver->cx, resolver->source, call->at,
                          "there is no function \"%.60s\"", call->name);
    return RV_OK;
}

/* The value of cel.bind and the receiver of the others do not see the variables. */
static rv_result resolve_macro(struct resolver *resolver, const struct scope *scope,
                               struct cel_expr *expr)
{
    const struct cel_macro *macro = expr->macro;
    struct scope vars[2] = { { .outer = scope }, { .outer = &vars[0] } };
    size_t first = macro->n_vars;

    if (expr->target)
        RV_TRY(resolver->cx, walk(resolver, scope, expr->target));
    if (macro->kind == MACRO_HAS)
        return walk(resolver, scope, expr->args[0]->target);
    if (macro->kind == MACRO_BIND)
        RV_TRY(resolver->cx, walk(resolver, scope, expr->args[first++]));
    expr->slot = resolver->n_slots;
    for (size_t i = 0; i < macro->n_vars; i++) {
        vars[i].name = expr->args[i]->name;
        vars[i].slot = resolver->n_slots++;
    }
    if (resolver->n_slots > resolver->n_most)
        resolver->n_most = resolver->n_slots;
    RV_TRY(resolver->cx,
           walk_all(resolver, &vars[macro->n_vars - 1], expr->args + first, expr->n_args - first));
    resolver->n_slots -= macro->n_vars;
    return RV_OK;
}

static rv_result resolve_message(struct resolver *resolver, const struct cel_expr *expr)
{
    const struct cel_message *message = cel_message_find(resolver->env, expr->name);

    if (!message) {
        (void)cel_refuse(resolver->cx, resolver->source, expr->at, "there is no message \"%.60s\"",
                         expr->name);
        resolver->cx->error.hint = "only google.protobuf's wrappers, Value, Struct, ListValue, "
                                   "Timestamp and Duration can be made";
        return RV_INVALID;
    }
    for (size_t i = 0; i < expr->n_items; i++)
        if (!cel_message_has(message, expr->items[i].name))
            return cel_refuse(resolver->cx, resolver->source, expr->items[i].at,
                              "%s has no field \"%.60s\"", expr->name, expr->items[i].name);
    return RV_OK;
}

static rv_result walk(struct resolver *resolver, const struct scope *scope, struct cel_expr *expr)
{
    switch (expr->kind) {
    case EXPR_CONST:
        return RV_OK;
    case EXPR_NAME:
        return resolve_name(resolver, scope, expr);
    case EXPR_SELECT:
        return resolve_whole(resolver, scope, expr) ? RV_OK : walk(resolver, scope, expr->target);
    case EXPR_CALL:
        return resolve_call(resolver, scope, expr);
    case EXPR_MACRO:
        return resolve_macro(resolver, scope, expr);
    case EXPR_JOIN:
        return walk_all(resolver, scope, expr->args, expr->n_args);
    case EXPR_MESSAGE:
        RV_TRY(resolver->cx, resolve_message(resolver, expr));
        __attribute__((fallthrough));
    case EXPR_LIST:
    case EXPR_MAP:
        for (size_t i = 0; i < expr->n_items; i++) {
            if (expr->items[i].key)
                RV_TRY(resolver->cx, walk(resolver, scope, expr->items[i].key));
            RV_TRY(resolver->cx, walk(resolver, scope, expr->items[i].value));
        }
    }
    return RV_OK;
}

rv_result cel_resolve(struct rv_ctx *cx, const struct cel_env *env, const struct cel_source *source,
                      struct cel_expr *expr, uint32_t *n_locals)
{
    struct resolver resolver = { .cx = cx, .env = env, .source = source };

    RV_TRY(cx, walk(&resolver, NULL, expr));
    *n_locals = resolver.n_most;
    return RV_OK;
}
