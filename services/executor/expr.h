#pragma once

/*
 * Expr: evaluates the templates of a plan (domain/template.h) against the facts of a task. The one
 * evaluator; another expression language changes this file only.
 *
 * A text that is one expression keeps the value's type; any other text is joined, objects and
 * lists as compact JSON. A path that leads nowhere is RV_UNPROCESSABLE and names place and path.
 */

#include "runtime/json.h"

struct expr {
    json_t *facts;
    const char *node_id; /* for words */
};

/* @text with its expressions replaced; @place is where it stands ("http.url"). NULL stays NULL. */
rv_result expr_text(struct rv_ctx *cx, const struct expr *expr, const char *place, const char *text,
                    const char **out);

/* Every text inside @value, at most 64 levels deep. The result is the cx's. */
rv_result expr_value(struct rv_ctx *cx, const struct expr *expr, const char *place, json_t *value,
                     json_t **out);

/* The same for JSON as text; NULL gives NULL. */
rv_result expr_json(struct rv_ctx *cx, const struct expr *expr, const char *place, const char *json,
                    json_t **out);
