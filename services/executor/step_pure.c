#include "executor/step.h"

/* Steps that touch nothing outside. */

rv_result step_noop(struct rv_ctx *cx, struct work *work)
{
    (void)cx;
    work->output = NULL;
    return RV_OK;
}

static rv_result check(struct rv_ctx *cx, struct work *work, const struct check_spec *spec)
{
    bool holds;

    if (!spec->condition)
        return step_fails(cx, work, "check_failed", false,
                          "check %s has no condition: apply its workflow anew", spec->name);
    RV_TRY(cx, expr_holds(cx, &work->expr, rv_printf(cx, "check %s", spec->name), spec->condition,
                          &holds));
    if (holds)
        return RV_OK;
    return step_fails(cx, work, "check_failed", false, "check %s does not hold: %s", spec->name,
                      spec->condition);
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
