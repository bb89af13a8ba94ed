#include "executor/step.h"

#include <string.h>

/* Steps that touch nothing outside. */

enum { WHY_SIZE = 300 };

rv_result step_noop(struct rv_ctx *cx, struct work *work)
{
    (void)cx;
    work->output = NULL;
    return RV_OK;
}

/* What comparisons look at: a list as its texts, null as none, anything else as one text. */
static struct match_value match_value_of(struct rv_ctx *cx, const json_t *json)
{
    struct match_value value = { .list = json_is_array(json) };
    const char **texts;

    value.n = value.list ? json_array_size(json) : !json_is_null(json);
    texts = rv_new_array(cx, const char *, value.n + 1);
    for (size_t i = 0; i < value.n; i++) {
        const json_t *one = value.list ? json_array_get(json, i) : json;

        texts[i] = json_is_string(one) ? json_string_value(one) : rv_json_text(cx, one);
    }
    value.texts = texts;
    return value;
}

static rv_result check(struct rv_ctx *cx, struct work *work, const struct check_spec *spec)
{
    char why[WHY_SIZE];
    json_t *left, *right;

    RV_TRY(cx, expr_json(cx, &work->expr, rv_printf(cx, "check %s: value", spec->name), spec->value,
                         &left));
    RV_TRY(cx, expr_json(cx, &work->expr, rv_printf(cx, "check %s: against", spec->name),
                         spec->against, &right));
    if (match_holds(spec->op, match_value_of(cx, left ? left : json_null()),
                    match_value_of(cx, right ? right : json_null()), why, sizeof(why)))
        return RV_OK;
    return step_fails(cx, work, "check_failed", false, "check %s does not hold: %s", spec->name,
                      why);
}

/* {"checks":[{"name":…,"holds":true}, …]}: all of them held, or we would not be here. */
static const char *checks_text(struct rv_ctx *cx, const struct map_spec *map)
{
    auto_buf text = { 0 };

    rv_buf_text(&text, "{\"checks\":[");
    for (size_t i = 0; i < map->n_checks; i++) {
        rv_buf_text(&text, i > 0 ? ",{\"name\":" : "{\"name\":");
        rv_buf_json(&text, map->checks[i].name);
        rv_buf_text(&text, ",\"holds\":true}");
    }
    rv_buf_text(&text, "]}");
    return rv_strndup(cx, text.data, text.len);
}

rv_result step_map(struct rv_ctx *cx, struct work *work)
{
    const struct map_spec *map = work->node->map;
    json_t *value;

    RV_TRY(cx, step_facts(cx, work));
    RV_TRY(cx, expr_json(cx, &work->expr, "map.value", map->value, &value));
    for (size_t i = 0; i < map->n_checks; i++)
        RV_TRY(cx, check(cx, work, &map->checks[i]));
    work->output = value ? rv_json_text(cx, value) : checks_text(cx, map);
    return RV_OK;
}
