/* Compiling: from the tree of an expression to the nodes that evaluate it. */

#include <assert.h>
#include <string.h>

#include "cel/compile.h"
#include "cel/message.h"

struct cel_node *cel_node_of(struct lowering *lowering, const struct cel_expr *expr,
                             struct cel_value (*run)(struct cel_run *, const struct cel_node *),
                             const struct cel_node *const *args, size_t n_args)
{
    struct cel_node *node = rv_new(lowering->cx, struct cel_node);

    *node = (struct cel_node){ .run = run, .at = expr->at, .args = args, .n_args = n_args };
    node->constant = true;
    for (size_t i = 0; i < n_args; i++)
        node->constant = node->constant && args[i]->constant;
    return node;
}

const struct cel_node **cel_lower_all(struct lowering *lowering, const struct cel_expr *first,
                                      struct cel_expr *const *exprs, size_t n_exprs)
{
    const struct cel_node **nodes =
        rv_new_array(lowering->cx, const struct cel_node *, n_exprs + 1);
    size_t n = 0;

    if (first)
        nodes[n++] = cel_lower(lowering, first);
    for (size_t i = 0; i < n_exprs; i++)
        nodes[n++] = cel_lower(lowering, exprs[i]);
    return nodes;
}

static const struct cel_node *constant(struct lowering *lowering, const struct cel_expr *expr)
{
    struct cel_node *node = cel_node_of(lowering, expr, cel_run_const, NULL, 0);

    node->value = expr->value;
    return node;
}

const struct cel_node *cel_unknown(struct lowering *lowering, const struct cel_expr *expr,
                                   const char *what)
{
    struct cel_node *node = cel_node_of(lowering, expr, cel_run_unknown, NULL, 0);

    node->constant = false;
    node->name = rv_printf(lowering->cx, "%s \"%s\"", what, expr->name);
    return node;
}

/* What a name was resolved to. */
static const struct cel_node *lower_ref(struct lowering *lowering, const struct cel_expr *expr)
{
    struct cel_node *node;

    switch (expr->ref) {
    case REF_LOCAL:
        node = cel_node_of(lowering, expr, cel_run_local, NULL, 0);
        break;
    case REF_VARIABLE:
        node = cel_node_of(lowering, expr, cel_run_variable, NULL, 0);
        node->name = lowering->env->variables[expr->slot].name;
        break;
    case REF_VALUE:
        return constant(lowering, expr);
    default:
        return cel_unknown(lowering, expr, "variable");
    }
    node->constant = false;
    node->slot = expr->slot;
    return node;
}

static const struct cel_node *lower_select(struct lowering *lowering, const struct cel_expr *expr,
                                           bool test)
{
    const struct cel_node **args = cel_lower_all(lowering, expr->target, NULL, 0);
    const struct cel_type *type = expr->target->type;
    struct cel_node *node = cel_node_of(lowering, expr, cel_run_select, args, 1);

    node->value = cel_text(expr->name);
    node->optional = expr->optional;
    if (test) {
        node->run = cel_run_has;
    } else if (type && type->kind == CEL_T_RECORD && type->record && !expr->optional) {
        node->record = type->record;
        node->field = rv_record_field(type->record, expr->name);
        node->run = node->field ? cel_run_field : cel_run_select;
    }
    return cel_fold(lowering, node);
}

/* Which fields the arguments are for; resolving made sure that they are there. */
static void prepare_message(struct lowering *lowering, const struct cel_expr *expr,
                            struct cel_node *node)
{
    struct cel_value *names = rv_new_array(lowering->cx, struct cel_value, expr->n_items + 1);

    for (size_t i = 0; i < expr->n_items; i++)
        names[i] = cel_text(expr->items[i].name);
    node->run = cel_run_message;
    node->value = cel_list_of(lowering->cx, names, expr->n_items);
    node->message = cel_message_find(lowering->env, expr->name);
}

static const struct cel_node *lower_items(struct lowering *lowering, const struct cel_expr *expr)
{
    bool pairs = expr->kind == EXPR_MAP;
    size_t n_args = expr->n_items * (pairs ? 2 : 1), n = 0;
    const struct cel_node **args = rv_new_array(lowering->cx, const struct cel_node *, n_args + 1);
    bool *optionals = rv_new_array(lowering->cx, bool, expr->n_items + 1);
    struct cel_node *node;

    for (size_t i = 0; i < expr->n_items; i++) {
        if (pairs)
            args[n++] = cel_lower(lowering, expr->items[i].key);
        args[n++] = cel_lower(lowering, expr->items[i].value);
        optionals[i] = expr->items[i].optional;
    }
    node = cel_node_of(lowering, expr, pairs ? cel_run_map : cel_run_list, args, n);
    node->optionals = optionals;
    if (expr->kind == EXPR_MESSAGE)
        prepare_message(lowering, expr, node);
    return cel_fold(lowering, node);
}

/* The receiver, if there is one, and what stands behind the variables. */
static const struct cel_node *lower_macro(struct lowering *lowering, const struct cel_expr *expr)
{
    const struct cel_macro *macro = expr->macro;
    size_t n_args = expr->n_args - macro->n_vars;
    const struct cel_node **args;
    struct cel_node *node;

    if (macro->kind == MACRO_HAS)
        return lower_select(lowering, expr->args[0], true);
    args = cel_lower_all(lowering, expr->target, expr->args + macro->n_vars, n_args);
    node = cel_node_of(lowering, expr, cel_run_macro, args, n_args + (expr->target != NULL));
    if (macro->kind == MACRO_SORT_BY)
        node->run = cel_run_sort_by;
    node->constant = false;
    node->macro = macro;
    node->slot = expr->slot;
    return node;
}

const struct cel_node *cel_lower(struct lowering *lowering, const struct cel_expr *expr)
{
    switch (expr->kind) {
    case EXPR_CONST:
        return constant(lowering, expr);
    case EXPR_NAME:
        return lower_ref(lowering, expr);
    case EXPR_SELECT:
        return expr->ref ? lower_ref(lowering, expr) : lower_select(lowering, expr, false);
    case EXPR_CALL:
        return cel_lower_call(lowering, expr);
    case EXPR_LIST:
    case EXPR_MAP:
    case EXPR_MESSAGE:
        return lower_items(lowering, expr);
    case EXPR_MACRO:
        return lower_macro(lowering, expr);
    case EXPR_JOIN:
        return cel_fold(lowering,
                        cel_node_of(lowering, expr, cel_run_join,
                                    cel_lower_all(lowering, NULL, expr->args, expr->n_args),
                                    expr->n_args));
    }
    assert(!"an expression of no kind");
    return NULL;
}

static rv_result compile(struct rv_ctx *cx, const struct cel_env *env, struct cel_program *program,
                         struct cel_expr *expr, const struct cel_program **out)
{
    struct lowering lowering = { .cx = cx,
                                 .env = env,
                                 .fold_left = CEL_FOLD_COST_MAX + 8 * (int64_t)program->source.len,
                                 .fold_each =
                                     CEL_FOLD_COST_MAX / 10 + 4 * (int64_t)program->source.len };

    RV_TRY(cx, cel_resolve(cx, env, &program->source, expr, &program->n_locals));
    if (!env->unchecked)
        RV_TRY(cx, cel_check(cx, env, &program->source, program->n_locals, expr));
    program->root = cel_lower(&lowering, expr);
    if (lowering.pattern_bytes > CEL_PATTERNS_MAX)
        return cel_refuse(cx, &program->source, lowering.pattern_at, "its patterns are too large");
    if (env->strict && lowering.wrong)
        return cel_refuse(cx, &program->source, lowering.wrong_at, "%s", lowering.wrong);
    program->expr = expr;
    program->env = env;
    program->type = expr->type ? expr->type : cel_type(CEL_T_DYN);
    program->cost_max = env->cost_max ? env->cost_max : CEL_COST_MAX;
    *out = program;
    return RV_OK;
}

/* The source is kept: errors of an evaluation show it. */
static struct cel_program *program_of(struct rv_ctx *cx, const char *source, size_t len)
{
    struct cel_program *program = rv_new(cx, struct cel_program);

    program->source = (struct cel_source){ .text = source, .len = len };
    if (len <= CEL_SOURCE_MAX)
        program->source.text = rv_strndup(cx, source, len);
    return program;
}

rv_result cel_compile(struct rv_ctx *cx, const struct cel_env *env, const char *source, size_t len,
                      const struct cel_program **out)
{
    struct cel_program *program = program_of(cx, source, len);
    struct cel_expr *expr;

    RV_TRY(cx, cel_parse(cx, &program->source, &expr));
    return compile(cx, env, program, expr, out);
}

rv_result cel_compile_template(struct rv_ctx *cx, const struct cel_env *env, const char *source,
                               size_t len, const struct cel_program **out)
{
    struct cel_program *program = program_of(cx, source, len);
    struct cel_expr *expr;

    RV_TRY(cx, cel_parse_template(cx, &program->source, &expr));
    return compile(cx, env, program, expr, out);
}
