#pragma once

/* Wire: values and types of expressions in the JSON form of cel.expr.Value and cel.expr.Type. */

#include "cel/cel.h"
#include "runtime/json.h"

/*
 * Both readers fail with RV_INVALID and say what is wrong, or with RV_NOT_FOUND when all that is
 * wrong is that it takes a user's protobuf message to understand.
 */
rv_result wire_read_value(struct rv_ctx *cx, json_t *json, struct cel_value *value);

/* The JSON form, where {} is dyn, or text as "list(int)". */
rv_result wire_read_type(struct rv_ctx *cx, json_t *json, const struct cel_type **type);

/* A new reference; NULL when the value is too large to show (WIRE_BYTES_MAX as JSON, roughly), or
 * has no such form. */
enum { WIRE_VALUES_MAX = 200000, WIRE_BYTES_MAX = 16 << 20 };
json_t *wire_write_value(struct rv_ctx *cx, struct cel_value value);

/*
 * The signature of an overload {"params", "result"} in the letters of cel/function.h; NULL: it has
 * a type that has no letters. Parameters of types are A, B, C as they come.
 */
const char *wire_read_signature(struct rv_ctx *cx, json_t *overload);
