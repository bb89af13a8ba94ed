#include "executor/expr.h"

#include <string.h>

#include "domain/template.h"

struct joining {
    struct rv_ctx *cx;
    const struct expr *expr;
    const char *place;
    struct rv_buf text;
    enum rv_status status;
};

static rv_result look_up(struct rv_ctx *cx, const struct expr *expr, const char *place,
                         const struct template_part *part, json_t **value)
{
    const char *path = rv_strndup(cx, part->text, part->len);

    if (!template_path_ok(part->text, part->len))
        return rv_fail(cx, RV_UNPROCESSABLE, "step %s: %s: \"%.100s\" is not a path", expr->node_id,
                       place, path);
    *value = rv_json_at(expr->facts, path);
    if (!*value)
        return rv_fail(cx, RV_UNPROCESSABLE, "step %s: %s: there is no %s", expr->node_id, place,
                       path);
    return RV_OK;
}

static bool join(void *arg, const struct template_part *part)
{
    struct joining *joining = arg;
    json_t *value;

    if (!part->expression) {
        rv_buf_add(&joining->text, part->text, part->len);
        return true;
    }
    joining->status = look_up(joining->cx, joining->expr, joining->place, part, &value);
    if (joining->status != RV_OK)
        return false;
    if (json_is_string(value))
        rv_buf_add(&joining->text, json_string_value(value), json_string_length(value));
    else
        rv_json_add(&joining->text, value);
    return true;
}

rv_result expr_text(struct rv_ctx *cx, const struct expr *expr, const char *place, const char *text,
                    const char **out)
{
    struct joining joining = { .cx = cx, .expr = expr, .place = place };

    *out = text;
    if (!text || !strstr(text, "${{"))
        return RV_OK;
    if (!template_each(text, join, &joining))
        joining.status =
            rv_fail(cx, RV_UNPROCESSABLE, "step %s: %s: a ${{ has no }}", expr->node_id, place);
    else if (joining.status == RV_OK)
        *out = rv_strndup(cx, joining.text.data ? joining.text.data : "", joining.text.len);
    rv_buf_release(&joining.text);
    return joining.status;
}

/* The functions below return new references in @out, or NULL with a failure. */

static rv_result build(struct rv_ctx *cx, const struct expr *expr, const char *place, json_t *value,
                       int depth, json_t **out);

static rv_result build_text(struct rv_ctx *cx, const struct expr *expr, const char *place,
                            json_t *value, json_t **out)
{
    const char *text = json_string_value(value);
    struct template_part part;
    json_t *found;

    if (template_is_one(text, &part)) {
        RV_TRY(cx, look_up(cx, expr, place, &part, &found));
        *out = json_incref(found);
        return RV_OK;
    }
    RV_TRY(cx, expr_text(cx, expr, place, text, &text));
    *out = json_string(text);
    if (!*out)
        return rv_fail(cx, RV_UNPROCESSABLE, "step %s: %s: the text is not UTF-8", expr->node_id,
                       place);
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
