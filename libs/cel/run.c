/* Evaluation: an expression's value, its conditions and its logic. */

#include "cel/program.h"

#include "base/buf.h"
#include "cel/functions.h"

struct cel_value cel_run_const(struct cel_run *run, const struct cel_node *node)
{
    (void)run;
    return node->value;
}

struct cel_value cel_run_local(struct cel_run *run, const struct cel_node *node)
{
    return run->locals[node->slot];
}

struct cel_value cel_run_variable(struct cel_run *run, const struct cel_node *node)
{
    struct cel_value value = run->values ? run->values[node->slot] : cel_none();

    if (value.kind != CEL_NONE)
        return value;
    run->at = node->at;
    return cel_fail(run, "the variable \"%s\" has no value", node->name);
}

/* A name that meant nothing when the expression was compiled unchecked. */
struct cel_value cel_run_unknown(struct cel_run *run, const struct cel_node *node)
{
    run->at = node->at;
    return cel_fail(run, "there is no %s", node->name);
}

struct cel_value cel_not_bool(struct cel_run *run, const struct cel_node *node,
                              struct cel_value value)
{
    if (value.kind == CEL_ERROR)
        return value;
    run->at = node->at;
    return cel_fail(run, "%s is no condition", cel_kind_name(value.kind));
}

/* What decides wins over any error, wherever it stands; else the first error is told. */
static struct cel_value logic(struct cel_run *run, const struct cel_node *node, bool decides)
{
    struct cel_value wrong = cel_none();

    for (size_t i = 0; i < node->n_args; i++) {
        struct cel_value value = cel_run_node(run, node->args[i]);

        if (run->spent)
            return value;
        if (value.kind == CEL_BOOL && value.truth == decides)
            return value;
        if (value.kind != CEL_BOOL && wrong.kind == CEL_NONE)
            wrong = cel_not_bool(run, node->args[i], value);
    }
    return wrong.kind == CEL_NONE ? cel_bool(!decides) : wrong;
}

struct cel_value cel_run_and(struct cel_run *run, const struct cel_node *node)
{
    return logic(run, node, false);
}

struct cel_value cel_run_or(struct cel_run *run, const struct cel_node *node)
{
    return logic(run, node, true);
}

struct cel_value cel_run_ternary(struct cel_run *run, const struct cel_node *node)
{
    struct cel_value condition = cel_run_node(run, node->args[0]);

    if (condition.kind != CEL_BOOL)
        return cel_not_bool(run, node->args[0], condition);
    return cel_run_node(run, node->args[condition.truth ? 1 : 2]);
}

/* What is added is paid at once: many parts may be large. */
static bool add_part(struct cel_run *run, struct rv_buf *text, struct cel_value part)
{
    size_t before = text->len, most = run->cost_left < 0 ? 0 : (size_t)run->cost_left * 16;

    if (part.kind != CEL_STRING)
        return cel_json(run->cx, part, most, text) && cel_spend(run, (text->len - before) / 16 + 1);
    if (!cel_spend(run, part.len / 16 + 1))
        return false;
    rv_buf_add(text, part.text, part.len);
    return true;
}

/* The parts of a template as one text: strings as they are, the rest as JSON. */
struct cel_value cel_run_join(struct cel_run *run, const struct cel_node *node)
{
    struct rv_buf text = { .arena = run->cx->arena };

    for (size_t i = 0; i < node->n_args; i++) {
        struct cel_value part = cel_run_node(run, node->args[i]);

        if (part.kind == CEL_ERROR)
            return part;
        run->at = node->args[i]->at;
        if (!add_part(run, &text, part))
            return cel_spent(run);
    }
    return cel_string(text.data ? text.data : "", text.len);
}

struct cel_run cel_run_begin(struct rv_ctx *cx, const struct cel_program *program,
                             const struct cel_value *values)
{
    struct cel_run run = {
        .cx = cx, .values = values, .cost_left = program->cost_max, .zones = program->env->zones
    };

    if (program->n_locals)
        run.locals = rv_new_array(cx, struct cel_value, program->n_locals);
    return run;
}

struct cel_value cel_eval_cost(struct rv_ctx *cx, const struct cel_program *program,
                               const struct cel_value *values, int64_t *cost)
{
    struct cel_run run = cel_run_begin(cx, program, values);
    struct cel_value value = cel_run_node(&run, program->root);

    if (cost)
        *cost = program->cost_max - (run.cost_left < 0 ? 0 : run.cost_left);
    return value;
}

struct cel_value cel_eval(struct rv_ctx *cx, const struct cel_program *program,
                          const struct cel_value *values)
{
    return cel_eval_cost(cx, program, values, NULL);
}

rv_result cel_test(struct rv_ctx *cx, const struct cel_program *program,
                   const struct cel_value *values, bool *truth)
{
    struct cel_value value = cel_eval(cx, program, values);

    if (value.kind == CEL_ERROR)
        return rv_fail(cx, RV_UNPROCESSABLE, "%s", cel_error_text(cx, program, value));
    if (value.kind != CEL_BOOL)
        return rv_fail(cx, RV_UNPROCESSABLE, "1:1: %s is no condition", cel_kind_name(value.kind));
    *truth = value.truth;
    return RV_OK;
}

const struct cel_type *cel_result_type(const struct cel_program *program)
{
    return program->type;
}
