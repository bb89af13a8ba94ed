#include "executor/expr.h"

#include <string.h>

#include "base/time.h"
#include "domain/template.h"
#include "runtime/cel_json.h"

enum { VALUE_BYTES_MAX = 1 << 20, COMPILE_COST = 50 };

/* Whatever went wrong is said with the step and the place it went wrong at. */
static rv_result at_place(struct rv_ctx *cx, const struct expr *expr, const char *place,
                          const char *why)
{
    const char *words = rv_strdup(cx, why); /* they may stand in cx->error */

    cx->error = (struct rv_error){ 0 };
    return rv_fail(cx, RV_UNPROCESSABLE, "step %s: %.80s: %s", expr->node_id, place, words);
}

static void bind(struct rv_ctx *cx, const struct expr *expr, struct cel_value values[STEP_SEES])
{
    values[STEP_SEES_INPUT] = rv_cel_json(cx, json_object_get(expr->facts, "input"));
    values[STEP_SEES_STEPS] = rv_cel_json(cx, json_object_get(expr->facts, "steps"));
    values[STEP_SEES_RUN] = rv_cel_json(cx, json_object_get(expr->facts, "run"));
}

static rv_result may_go_on(struct rv_ctx *cx, const struct expr *expr, const char *place)
{
    if (cx->deadline_ms > 0 && rv_monotonic_ms() > cx->deadline_ms)
        return rv_fail(cx, RV_TIMEOUT, "the step took too long");
    if (expr->cost_left && *expr->cost_left <= 0)
        return at_place(cx, expr, place, "the expressions of the step cost more than it may");
    return RV_OK;
}

static void pay(const struct expr *expr, int64_t cost)
{
    if (expr->cost_left)
        *expr->cost_left -= cost;
}

/* In @scratch, which is let go after each: a step may have thousands. */
static rv_result evaluate(struct rv_ctx *cx, struct rv_ctx *scratch, const struct expr *expr,
                          const char *place, enum expression_kind kind, const char *text,
                          struct cel_value *value)
{
    const struct cel_program *program;
    struct cel_value values[STEP_SEES];
    int64_t cost;

    RV_TRY(cx, may_go_on(cx, expr, place));
    if (expression_compile(scratch, EXPRESSION_STEP, kind, text, &program) != RV_OK)
        return at_place(cx, expr, place, scratch->error.text);
    bind(scratch, expr, values);
    *value = cel_eval_cost(scratch, program, values, &cost);
    pay(expr, cost + COMPILE_COST + (int64_t)strlen(text) / 4);
    if (value->kind == CEL_ERROR)
        return at_place(cx, expr, place, cel_error_text(scratch, program, *value));
    return RV_OK;
}

static rv_result as_json(struct rv_ctx *cx, const struct expr *expr, const char *place,
                         struct cel_value value, const char **json, size_t *len)
{
    auto_buf buf = { 0 };

    if (!cel_json(cx, value, VALUE_BYTES_MAX, &buf))
        return at_place(cx, expr, place, "the value is larger than 1 MiB or nested too deep");
    pay(expr, (int64_t)buf.len / 16);
    *json = rv_strndup(cx, buf.data, buf.len);
    *len = buf.len;
    return RV_OK;
}

static rv_result text_in(struct rv_ctx *cx, struct rv_ctx *scratch, const struct expr *expr,
                         const char *place, const char *text, const char **out)
{
    struct cel_value value;
    size_t len;

    RV_TRY(cx, evaluate(cx, scratch, expr, place, EXPRESSION_TEMPLATE, text, &value));
    if (value.kind != CEL_STRING)
        return as_json(cx, expr, place, value, out, &len);
    *out = rv_strndup(cx, value.text, value.len);
    return RV_OK;
}

rv_result expr_text(struct rv_ctx *cx, const struct expr *expr, const char *place, const char *text,
                    const char **out)
{
    struct rv_ctx scratch;
    enum rv_status status;

    *out = text;
    if (!template_is(text))
        return RV_OK;
    rv_ctx_init(&scratch);
    status = text_in(cx, &scratch, expr, place, text, out);
    rv_ctx_release(&scratch);
    return status;
}

rv_result expr_holds(struct rv_ctx *cx, const struct expr *expr, const char *place,
                     const char *condition, bool *holds)
{
    struct cel_value value = cel_bool(true);
    enum rv_status status = RV_OK;
    struct rv_ctx scratch;

    rv_ctx_init(&scratch);
    if (condition)
        status = evaluate(cx, &scratch, expr, place, EXPRESSION_CONDITION, condition, &value);
    if (status == RV_OK && value.kind != CEL_BOOL)
        status = at_place(cx, expr, place, "1:1: the condition is neither true nor false");
    *holds = value.kind == CEL_BOOL && value.truth;
    rv_ctx_release(&scratch);
    return status;
}

/* The functions below return new references in @out, or NULL with a failure. */

static rv_result build(struct rv_ctx *cx, const struct expr *expr, const char *place, json_t *value,
                       int depth, json_t **out);

static rv_result json_in(struct rv_ctx *cx, struct rv_ctx *scratch, const struct expr *expr,
                         const char *place, const char *text, json_t **out)
{
    struct cel_value value;
    json_error_t error;
    const char *json;
    size_t len;

    RV_TRY(cx, evaluate(cx, scratch, expr, place, EXPRESSION_TEMPLATE, text, &value));
    RV_TRY(cx, as_json(cx, expr, place, value, &json, &len));
    *out = rv_json_load(json, len, &error);
    return *out ? RV_OK : at_place(cx, expr, place, error.text);
}

static rv_result build_text(struct rv_ctx *cx, const struct expr *expr, const char *place,
                            json_t *value, json_t **out)
{
    struct rv_ctx scratch;
    enum rv_status status;

    if (!template_is(json_string_value(value))) {
        *out = json_incref(value);
        return RV_OK;
    }
    rv_ctx_init(&scratch);
    status = json_in(cx, &scratch, expr, place, json_string_value(value), out);
    rv_ctx_release(&scratch);
    return status;
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
