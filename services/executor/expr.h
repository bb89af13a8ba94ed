#pragma once

/*
 * Expr: evaluates the templates and conditions of a plan against the facts of a task
 * (EXPRESSION_STEP in domain/expression.h).
 *
 * A text that is one expression keeps the value's type; any other text is joined, objects and
 * lists as compact JSON. What cannot be evaluated is RV_UNPROCESSABLE and names the place; so is
 * what costs more than a step may. Behind the cx's deadline everything is RV_TIMEOUT.
 */

#include "domain/expression.h"
#include "runtime/json.h"

struct expr {
    json_t *facts;       /* {"input", "steps", "run"} */
    const char *node_id; /* for words */
    int64_t *cost_left;  /* of all expressions of the step together; NULL: no end */
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

/* Whether @condition holds; NULL does. */
rv_result expr_holds(struct rv_ctx *cx, const struct expr *expr, const char *place,
                     const char *condition, bool *holds);
