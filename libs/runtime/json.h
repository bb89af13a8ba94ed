#pragma once

/*
 * Json: values whose shape we do not know (inputs, outputs, tool arguments). The only header
 * that lets jansson in; what these functions return is the ctx's: never json_decref it, and
 * never keep it longer than the ctx. What has a known shape is a record instead.
 */

#include <jansson.h>

#include "base/buf.h"
#include "runtime/codec.h"

enum { RV_JSON_DEPTH_MAX = 64 };

/* Parses @text; @what names it in the refusal ("input is not JSON at line 1: …"). */
rv_result rv_json_parse(struct rv_ctx *cx, const char *text, size_t len, const char *what,
                        json_t **json);

/*
 * Fills @out from @json, which was parsed already. Every mistake is noted (rv_wrong) under @place
 * ("", "spec", …), then the work is refused with all that were noted so far.
 */
rv_result rv_json_into_record(struct rv_ctx *cx, json_t *json, const char *place,
                              enum rv_json_mode mode, struct rv_out out);

/*
 * json_loadb with our limits. A whole number beyond 64 bits is a double, as Postgres prints those
 * that have no fraction.
 */
json_t *rv_json_load(const char *text, size_t len, json_error_t *error);

/* Compact text of @json; NULL becomes "null". */
const char *rv_json_text(struct rv_ctx *cx, const json_t *json);
void rv_json_add(struct rv_buf *into, const json_t *json);

/* Hands a new reference to the ctx: rv_json_own(cx, json_object()). */
json_t *rv_json_own(struct rv_ctx *cx, json_t *json);

/*
 * The value at a dotted path ("steps.read.output.items[0].text"), borrowed from @json; NULL when
 * there is none. A key with other letters than [A-Za-z0-9_-] is written ["so"].
 */
json_t *rv_json_at(json_t *json, const char *path);
