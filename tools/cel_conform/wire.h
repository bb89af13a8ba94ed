#pragma once

/* Wire: values and types of expressions in the JSON form of cel.expr.Value and cel.expr.Type. */

#include "cel/cel.h"
#include "runtime/json.h"

/* False: the value is a message that nobody here knows, or no value at all. */
bool wire_read_value(struct rv_ctx *cx, json_t *json, struct cel_value *value);

/* A new reference; NULL when the value is too large to show, or has no such form. */
json_t *wire_write_value(struct rv_ctx *cx, struct cel_value value);

/*
 * The signature of an overload {"params", "result"} in the letters of cel/function.h; NULL: it has
 * a type that has no letters. Parameters of types are A, B, C as they come.
 */
const char *wire_read_signature(struct rv_ctx *cx, json_t *overload);

/* Reads the JSON form, or text as "list(int)". NULL: a message type. */
const struct cel_type *wire_read_type(struct rv_ctx *cx, json_t *json);
