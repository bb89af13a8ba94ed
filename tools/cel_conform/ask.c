#include "ask.h"

#include <string.h>

#include "wire.h"

static size_t slot_of(struct ask *ask, const char *name)
{
    size_t i = 0;

    while (i < ask->n_variables && strcmp(ask->variables[i].name, name) != 0)
        i++;
    if (i == ASK_VARIABLES_MAX) {
        ask->unsupported = "too many variables";
        return 0;
    }
    if (i == ask->n_variables)
        ask->variables[ask->n_variables++].name = name;
    return i;
}

static CEL_FUNCTION(only_declared)
{
    return cel_fail(run, "the function was declared only");
}

static void read_function(struct rv_ctx *cx, struct ask *ask, const char *name, json_t *function)
{
    json_t *overload;
    size_t i;

    json_array_foreach(json_object_get(function, "overloads"), i, overload)
    {
        bool method = json_is_true(json_object_get(overload, "instance"));
        const char *signature = wire_read_signature(cx, overload);

        if (!signature || ask->n_functions == ASK_FUNCTIONS_MAX) {
            ask->unsupported = "a function of types that nobody here knows";
            return;
        }
        ask->functions[ask->n_functions++] =
            (struct cel_function){ .name = name,
                                   .style = method ? CEL_METHOD : CEL_CALL,
                                   .signature = signature,
                                   .call = only_declared };
    }
}

/* {"name", "type"}; with "ident" around the type as in cel.expr.Decl. */
static void read_types(struct rv_ctx *cx, struct ask *ask, json_t *types)
{
    json_t *row;
    size_t i;

    json_array_foreach(types, i, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));
        json_t *ident = json_object_get(row, "ident");
        json_t *type = json_object_get(ident ? ident : row, "type");

        if (name && json_object_get(row, "function"))
            read_function(cx, ask, name, json_object_get(row, "function"));
        else if (name && type) {
            const struct cel_type *read = wire_read_type(cx, type);

            ask->variables[slot_of(ask, name)].type = read;
            if (!read)
                ask->unsupported = "a user's message type";
        }
    }
}

static void read_bindings(struct rv_ctx *cx, struct ask *ask, json_t *bindings)
{
    const char *name;
    json_t *value;

    json_object_foreach(bindings, name, value)
    {
        json_t *inner = json_object_get(value, "value");
        size_t slot = slot_of(ask, name);

        if (!wire_read_value(cx, inner ? inner : value, &ask->values[slot]))
            ask->unsupported = "a user's message";
    }
}

static json_t *answer_error(const char *phase, const char *text)
{
    return json_pack("{s:o}", "error", json_sprintf("%s: %s", phase, text));
}

static json_t *evaluate(struct rv_ctx *cx, const struct cel_program *program, const struct ask *ask,
                        bool check_only)
{
    const char *type = cel_type_text(cx, cel_result_type(program));
    struct cel_value value;
    json_t *shown;

    if (check_only)
        return json_pack("{s:s}", "type", type);
    value = cel_eval(cx, program, ask->values);
    if (value.kind == CEL_ERROR)
        return answer_error("eval", cel_error_excerpt(cx, program, value));
    shown = wire_write_value(cx, value);
    if (!shown)
        return answer_error("eval", "the value is too large to show");
    return ask->env.unchecked ? json_pack("{s:o}", "value", shown)
                              : json_pack("{s:o,s:s}", "value", shown, "type", type);
}

struct ask *ask_read(struct rv_ctx *cx, struct rv_zones *zones, json_t *json)
{
    struct ask *ask = rv_new(cx, struct ask);
    json_t *expr = json_object_get(json, "expr");

    ask->expr = json_string_value(expr);
    ask->len = json_string_length(expr);
    ask->template = json_is_true(json_object_get(json, "template"));
    ask->env.container = json_string_value(json_object_get(json, "container"));
    ask->env.unchecked = json_is_true(json_object_get(json, "disable_check"));
    ask->env.variables = ask->variables;
    ask->env.functions = ask->functions;
    ask->env.zones = zones;
    read_types(cx, ask, json_object_get(json, "type_env"));
    read_bindings(cx, ask, json_object_get(json, "bindings"));
    return ask;
}

rv_result ask_compile(struct rv_ctx *cx, const struct ask *ask, const struct cel_program **program)
{
    if (ask->template)
        return cel_compile_template(cx, &ask->env, ask->expr, ask->len, program);
    return cel_compile(cx, &ask->env, ask->expr, ask->len, program);
}

static json_t *run(struct rv_ctx *cx, const struct ask *ask, bool check_only)
{
    const struct cel_program *program;

    if (!ask->expr)
        return answer_error("ask", "there is no \"expr\"");
    if (ask->unsupported)
        return json_pack("{s:s}", "unsupported", ask->unsupported);
    if (ask_compile(cx, ask, &program) == RV_OK)
        return evaluate(cx, program, ask, check_only);
    if (cx->error.hint)
        return json_pack("{s:s}", "unsupported", cx->error.hint);
    return answer_error("check",
                        cx->error.n_details ? cx->error.details[0].message : cx->error.text);
}

json_t *ask_answer(struct rv_ctx *cx, struct rv_zones *zones, json_t *json)
{
    json_t *name = json_object_get(json, "name"), *answer;

    answer = run(cx, ask_read(cx, zones, json), json_is_true(json_object_get(json, "check_only")));
    if (name)
        json_object_set(answer, "name", name);
    return answer;
}
