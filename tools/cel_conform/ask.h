#pragma once

/* Ask: one line of a conformance run, {"name", "expr", …}, and the answer to it. */

#include "cel/cel.h"
#include "runtime/json.h"

/* Answers @line; a new reference. @zones may be NULL. */
json_t *ask_answer(struct rv_ctx *cx, struct rv_zones *zones, const char *line, size_t len);

/* The same for a case that is JSON already. */
json_t *ask_answer_json(struct rv_ctx *cx, struct rv_zones *zones, json_t *ask);
