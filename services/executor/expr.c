#include "executor/expr.h"

#include <string.h>

#include "domain/template.h"
#include "runtime/cel_json.h"

enum { VALUE_BYTES_MAX = 1 << 20 };

/* Whatever went wrong is said with the step and the place it went wrong at. */
static rv_result at_place(struct rv_ctx *cx, const struct expr *expr, const char *place,
                          const char *why)
{
    const char *words = rv_strdup(cx, why); /* they may stand in cx->error */

    cx->error = (struct rv_error){ 0 };
    return rv_fail(cx, RV_UNPROCESSABLE, "step %s: %.80s: %s", expr->node_id, place, words);
}

static rv_result compile(struct rv_ctx *cx, const struct expr *expr, const char *place,
                         enum expression_kind kind, const char *text,
                         const struct cel_program **program)
{
    if (expression_compile(cx, EXPRESSION_STEP, kind, text, program) == RV_OK)
        return RV_OK;
    return at_place(cx, expr, place, cx->error.text);
}

static void bind(struct rv_ctx *cx, const struct expr *expr, struct cel_value values[STEP_SEES])
{
    values[STEP_SEES_INPUT] = rv_cel_json(cx, json_object_get(expr->facts, "input"));
    values[STEP_SEES_STEPS] = rv_cel_json(cx, json_object_get(expr->facts, "steps"));
    values[STEP_SEES_RUN] = rv_cel_json(cx, json_object_get(expr->facts, "run"));
}

static rv_result evaluate(struct rv_ctx *cx, const struct expr *expr, const char *place,
                          const char *text, struct cel_value *value)
{
    const struct cel_program *program;
    struct cel_value values[STEP_SEES];

    RV_TRY(cx, compile(cx, expr, place, EXPRESSION_TEMPLATE, text, &program));
    bind(cx, expr, values);
    *value = cel_eval(cx, program, values);
    if (value->kind == CEL_ERROR)
        return at_place(cx, expr, place, cel_error_text(cx, program, *value));
    return RV_OK;
}

static rv_result as_json(struct rv_ctx *cx, const struct expr *expr, const char *place,
                         struct cel_value value, const char **json, size_t *len)
{
    auto_buf buf = { 0 };

    if (!cel_json(cx, value, VALUE_BYTES_MAX, &buf))
        return at_place(cx, expr, place, "the value is larger than 1 MiB or nested too deep");
    *json = rv_strndup(cx, buf.data, buf.len);
    *len = buf.len;
    return RV_OK;
}

rv_result expr_text(struct rv_ctx *cx, const struct expr *expr, const char *place, const char *text,
                    const char **out)
{
    struct cel_value value;
    size_t len;

    *out = text;
    if (!template_is(text))
        return RV_OK;
    RV_TRY(cx, evaluate(cx, expr, place, text, &value));
    if (value.kind != CEL_STRING)
        return as_json(cx, expr, place, value, out, &len);
    *out = rv_strndup(cx, value.text, value.len);
    return RV_OK;
}

rv_result expr_holds(struct rv_ctx *cx, const struct expr *expr, const char *place,
                     const char *condition, bool *holds)
{
    const struct cel_program *program;
    struct cel_value values[STEP_SEES];

    *holds = true;
    if (!condition)
        return RV_OK;
    RV_TRY(cx, compile(cx, expr, place, EXPRESSION_CONDITION, condition, &program));
    bind(cx, expr, values);
    if (cel_test(cx, program, values, holds) == RV_OK)
        return RV_OK;
    return at_place(cx, expr, place, cx->error.text);
}

/* The functions below return new references in @out, or NULL with a failure. */

static rv_result build(struct rv_ctx *cx, const struct expr *expr, const char *place, json_t *value,
                       int depth, json_t **out);

static rv_result build_text(struct rv_ctx *cx, const struct expr *expr, const char *place,
                            json_t *value, json_t **out)
{
    const char *text = json_string_value(value), *json;
    struct cel_value found;
    json_error_t error;
    size_t len;

    if (!template_is(text)) {
        *out = json_incref(value);
        return RV_OK;
    }
    RV_TRY(cx, evaluate(cx, expr, place, text, &found));
    RV_TRY(cx, as_json(cx, expr, place, found, &json, &len));
    *out = rv_json_load(json, len, true, &error);
    if (!*out)
        return at_place(cx, expr, place, error.text);
    return RV_OK;
}

static rv_result build_list(struct rv_ctx *cx, const struct expr *expr, const char *place,
                            json_t *value, int depth, json_t **out)
{
    json_t *list = rv_json_own(cx, json_array()), *item, *made;
    size_t i;

    json_array_foreach(value, i, item)
    {
        RV_TRY(cx, build(cx, expr, rv_printf(cx, "%s[%zu]", place, i), item, depth + 1, &made));
        json_array_append_new(list, made);
    }
    *out = json_incref(list);
    return RV_OK;
}

static rv_result build_object(struct rv_ctx *cx, const struct expr *expr, const char *place,
                              json_t *value, int depth, json_t **out)
{
    json_t *object = rv_json_own(cx, json_object()), *item, *made;
    const char *key;

    json_object_foreach(value, key, item)
    {
        RV_TRY(cx, build(cx, expr, rv_printf(cx, "%s.%.60s", place, key), item, depth + 1, &made));
        json_object_set_new_nocheck(object, key, made);
    }
    *out = json_incref(object);
    return RV_OK;
}

static rv_result build(struct rv_ctx *cx, const struct expr *expr, const char *place, json_t *value,
                       int depth, json_t **out)
{
    if (depth > RV_JSON_DEPTH_MAX)
        return rv_fail(cx, RV_UNPROCESSABLE, "step %s: %.100s: nested deeper than %d levels",
                       expr->node_id, place, RV_JSON_DEPTH_MAX);
    switch (json_typeof(value)) {
    case JSON_STRING:
        return build_text(cx, expr, place, value, out);
    case JSON_ARRAY:
        return build_list(cx, expr, place, value, depth, out);
    case JSON_OBJECT:
        return build_object(cx, expr, place, value, depth, out);
    default:
        *out = json_incref(value);
        return RV_OK;
    }
}

rv_result expr_value(struct rv_ctx *cx, const struct expr *expr, const char *place, json_t *value,
                     json_t **out)
{
    RV_TRY(cx, build(cx, expr, place, value, 1, out));
    rv_json_own(cx, *out);
    return RV_OK;
}

rv_result expr_json(struct rv_ctx *cx, const struct expr *expr, const char *place, const char *json,
                    json_t **out)
{
    json_t *value;

    *out = NULL;
    if (!json)
        return RV_OK;
    RV_TRY(cx, rv_json_parse(cx, json, strlen(json), place, &value));
    return expr_value(cx, expr, place, value, out);
}
