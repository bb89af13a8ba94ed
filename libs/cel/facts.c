/* Facts: what a program is about, found by walking over its tree. */

#include "cel/facts.h"

#include <string.h>

#include "base/buf.h"
#include "base/hash.h"

struct walking {
    const struct cel_env *env;
    struct rv_hash *variables, *paths, *functions;
};

static void walk(struct walking *walking, const struct cel_expr *expr);

static void note(struct rv_hash *names, const char *name)
{
    static char here;

    rv_hash_put(names, name, &here);
}

/* The name of a host's variable, or one that nobody knows; NULL: it is something else. */
static const char *variable_name(const struct walking *walking, const struct cel_expr *expr)
{
    if (expr->ref == REF_VARIABLE)
        return walking->env->variables[expr->slot].name;
    return expr->kind == EXPR_NAME && expr->ref == REF_NONE ? expr->name : NULL;
}

/* As an expression would take it, so that two keys never look the same. */
static void add_step(struct rv_buf *path, struct cel_value key)
{
    if (key.kind == CEL_STRING && cel_is_selector(key.text, key.len)) {
        rv_buf_printf(path, ".%.*s", (int)key.len, key.text);
        return;
    }
    rv_buf_char(path, '[');
    cel_print_const(path, key);
    rv_buf_char(path, ']');
}

/* Whether @expr takes one step from @inner, by a field or a constant key. */
static bool is_step(const struct cel_expr *expr, const struct cel_expr **inner,
                    struct cel_value *key)
{
    if (expr->kind == EXPR_SELECT && expr->ref == REF_NONE) {
        *inner = expr->target;
        *key = cel_text(expr->name);
        return true;
    }
    if (expr->op != &cel_index && expr->op != &cel_index_optional)
        return false;
    *inner = expr->args[0];
    *key = expr->args[1]->value;
    return expr->args[1]->kind == EXPR_CONST &&
           (key->kind == CEL_STRING || key->kind == CEL_INT || key->kind == CEL_UINT);
}

/* Writes "tool.args.path"; false when @expr is no path from a variable. */
static bool add_path(const struct walking *walking, const struct cel_expr *expr,
                     struct rv_buf *path)
{
    const char *name = variable_name(walking, expr);
    const struct cel_expr *inner;
    struct cel_value key;

    if (name) {
        rv_buf_text(path, name);
        return true;
    }
    if (!is_step(expr, &inner, &key) || !add_path(walking, inner, path))
        return false;
    add_step(path, key);
    return true;
}

static bool walk_path(struct walking *walking, const struct cel_expr *expr)
{
    const struct cel_expr *inner = expr;
    struct cel_value key;
    auto_buf path = { 0 };

    if (!add_path(walking, expr, &path))
        return false;
    note(walking->paths, path.data);
    while (is_step(inner, &inner, &key))
        if (inner->kind == EXPR_CALL)
            note(walking->functions, inner->name);
    note(walking->variables, variable_name(walking, inner));
    return true;
}

/* "math.least" as it was found, "_+_", or a name that nobody knows. */
static const char *function_name(const struct cel_expr *expr)
{
    return expr->functions ? expr->functions->name : expr->name;
}

static void walk_parts(struct walking *walking, const struct cel_expr *expr)
{
    size_t first = expr->kind == EXPR_MACRO ? expr->macro->n_vars : 0;

    if (expr->target && expr->ref != REF_FUNCTION)
        walk(walking, expr->target);
    for (size_t i = first; i < expr->n_args; i++)
        walk(walking, expr->args[i]);
    for (size_t i = 0; i < expr->n_items; i++) {
        if (expr->items[i].key)
            walk(walking, expr->items[i].key);
        walk(walking, expr->items[i].value);
    }
}

static void walk(struct walking *walking, const struct cel_expr *expr)
{
    if (expr->kind == EXPR_CALL)
        note(walking->functions, function_name(expr));
    if (expr->kind == EXPR_MACRO)
        note(walking->functions, expr->macro->name);
    if (!walk_path(walking, expr))
        walk_parts(walking, expr);
}

static const char **names_of(struct rv_ctx *cx, struct rv_hash *hash, size_t *n_names)
{
    const char **names = rv_new_array(cx, const char *, rv_hash_count(hash) + 1), *name;
    size_t at = 0;
    void *value;

    *n_names = 0;
    while (rv_hash_next(hash, &at, &name, &value))
        names[(*n_names)++] = rv_strdup(cx, name);
    rv_hash_free(hash, NULL);
    return names;
}

void cel_facts(struct rv_ctx *cx, const struct cel_program *program, int64_t weight_max,
               struct cel_facts *facts)
{
    struct walking walking = { .env = program->env,
                               .variables = rv_hash_new(),
                               .paths = rv_hash_new(),
                               .functions = rv_hash_new() };

    *facts = (struct cel_facts){ .truth = cel_none() };
    walk(&walking, program->expr);
    facts->variables = names_of(cx, walking.variables, &facts->n_variables);
    facts->paths = names_of(cx, walking.paths, &facts->n_paths);
    facts->functions = names_of(cx, walking.functions, &facts->n_functions);
    facts->cost_most = cel_cost_most(cx, program, weight_max);
    if (program->root->run == cel_run_const && program->root->value.kind == CEL_BOOL)
        facts->truth = program->root->value;
}
