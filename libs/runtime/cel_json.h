#pragma once

/*
 * Cel_json: JSON as values of expressions, looked at only where an expression looks. Whole
 * numbers are int, all others double; objects are maps of strings.
 */

#include "cel/value.h"
#include "runtime/json.h"

/* @json is borrowed: it outlives the value and must not change meanwhile. NULL is CEL_NONE. */
struct cel_value rv_cel_json(struct rv_ctx *cx, const json_t *json);
