#include "ask.h"

#include <string.h>

#include "wire.h"

/* Remembers the first that stands in the way: cx->error is about @name, a @what. */
static void refuse(struct rv_ctx *cx, struct ask *ask, const char *what, const char *name)
{
    const char *text = cx->error.text;

    if (ask->wrong || ask->unsupported)
        return;
    if (cx->error.status == RV_NOT_FOUND)
        ask->unsupported = rv_strdup(cx, text);
    else
        ask->wrong = rv_printf(cx, "the %s %.200s is wrong: %s", what, name, text);
}

/* The variable called @name, new or known; the one too many is not kept. */
static size_t slot_of(struct rv_ctx *cx, struct ask *ask, const char *name)
{
    size_t i = 0;

    while (i < ask->n_variables && strcmp(ask->variables[i].name, name) != 0)
        i++;
    if (i == ASK_VARIABLES_MAX) {
        (void)rv_fail(cx, RV_INVALID, "there are more than %d", ASK_VARIABLES_MAX);
        refuse(cx, ask, "binding", name);
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

/* Says which type of the overload is wrong, if it is not one that only has no letters here. */
static void refuse_signature(struct rv_ctx *cx, struct ask *ask, const char *name, json_t *overload)
{
    json_t *params = json_object_get(overload, "params");
    const struct cel_type *type;
    enum rv_status result = wire_read_type(cx, json_object_get(overload, "result"), &type);

    for (size_t i = 0; i < json_array_size(params) && result == RV_OK; i++)
        result = wire_read_type(cx, json_array_get(params, i), &type);
    if (result != RV_OK)
        refuse(cx, ask, "function", name);
    else if (!ask->unsupported)
        ask->unsupported = "a function of types that nobody here knows";
}

static void read_function(struct rv_ctx *cx, struct ask *ask, const char *name, json_t *function)
{
    json_t *overload;
    size_t i;

    json_array_foreach(json_object_get(function, "overloads"), i, overload)
    {
        bool method = json_is_true(json_object_get(overload, "instance"));
        const char *signature = wire_read_signature(cx, overload);

        if (ask->n_functions == ASK_FUNCTIONS_MAX) {
            (void)rv_fail(cx, RV_INVALID, "there are more than %d", ASK_FUNCTIONS_MAX);
            refuse(cx, ask, "function", name);
            return;
        }
        if (!signature) {
            refuse_signature(cx, ask, name, overload);
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
static void read_row(struct rv_ctx *cx, struct ask *ask, json_t *row)
{
    const char *name = json_string_value(json_object_get(row, "name"));
    json_t *function = json_object_get(row, "function"), *ident = json_object_get(row, "ident");
    size_t slot;

    if (!name) {
        ask->wrong = "a row of type_env has no name";
        return;
    }
    if (function) {
        read_function(cx, ask, name, function);
        return;
    }
    slot = slot_of(cx, ask, name);
    if (wire_read_type(cx, json_object_get(ident ? ident : row, "type"),
                       &ask->variables[slot].type) != RV_OK)
        refuse(cx, ask, "binding", name);
}

static void read_types(struct rv_ctx *cx, struct ask *ask, json_t *types)
{
    json_t *row;
    size_t i;

    if (types && !json_is_null(types) && !json_is_array(types))
        ask->wrong = "type_env is not a list";
    json_array_foreach(types, i, row) read_row(cx, ask, row);
}

static void read_bindings(struct rv_ctx *cx, struct ask *ask, json_t *bindings)
{
    const char *name;
    json_t *value;

    if (bindings && !json_is_null(bindings) && !json_is_object(bindings))
        ask->wrong = "bindings is not an object";
    json_object_foreach(bindings, name, value)
    {
        json_t *inner = json_object_get(value, "value");
        size_t slot = slot_of(cx, ask, name);

        if (wire_read_value(cx, inner ? inner : value, &ask->values[slot]) != RV_OK)
            refuse(cx, ask, "binding", name);
    }
}

/* {"error": text}, where what is not UTF-8 is shown as U+FFFD: texts are cut, and quote anything.
 */
static json_t *answer_text(const char *key, const char *text)
{
    auto_buf json = { 0 };

    rv_buf_json(&json, text);
    return json_pack("{s:o}", key, json_loadb(json.data, json.len, JSON_DECODE_ANY, NULL));
}

static json_t *answer_error(struct rv_ctx *cx, const char *phase, const char *text)
{
    return answer_text("error", rv_printf(cx, "%s: %s", phase, text));
}

static json_t *evaluate(struct rv_ctx *cx, const struct cel_program *program, const struct ask *ask,
                        bool check_only)
{
    const char *type = cel_type_text(cx, cel_result_type(program));
    struct cel_value value;
    json_t *shown;

    if (check_only)
        return answer_text("type", type);
    value = cel_eval(cx, program, ask->values);
    if (value.kind == CEL_ERROR)
        return answer_error(cx, "eval", cel_error_excerpt(cx, program, value));
    shown = wire_write_value(cx, value);
    if (!shown)
        return answer_error(cx, "eval", "the value is too large to show");
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
        return answer_error(cx, "ask", "there is no \"expr\"");
    if (ask->wrong)
        return answer_text("error", ask->wrong);
    if (ask->unsupported)
        return answer_text("unsupported", ask->unsupported);
    if (ask_compile(cx, ask, &program) == RV_OK)
        return evaluate(cx, program, ask, check_only);
    if (cx->error.hint)
        return answer_text("unsupported", cx->error.hint);
    return answer_error(cx, "check",
                        cx->error.n_details ? cx->error.details[0].message : cx->error.text);
}

json_t *ask_answer(struct rv_ctx *cx, struct rv_zones *zones, json_t *json)
{
    json_t *name = json_object_get(json, "name"), *answer;

    answer = run(cx, ask_read(cx, zones, json), json_is_true(json_object_get(json, "check_only")));
    if (!answer) /* a text that JSON does not take */
        answer = json_pack("{s:s}", "error", "eval: the answer cannot be shown");
    if (name)
        json_object_set(answer, "name", name);
    return answer;
}
