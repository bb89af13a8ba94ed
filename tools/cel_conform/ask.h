#pragma once

/* Ask: one line of a conformance run, {"name", "expr", …}, and the answer to it. */

#include "cel/cel.h"
#include "runtime/json.h"

enum { ASK_VARIABLES_MAX = 256, ASK_FUNCTIONS_MAX = 32 };

/* What a case lets an expression see. */
struct ask {
    const char *expr; /* NULL: there is none */
    size_t len;
    bool template;
    struct cel_env env;
    struct cel_variable variables[ASK_VARIABLES_MAX + 1];
    struct cel_value values[ASK_VARIABLES_MAX];
    size_t n_variables;
    struct cel_function functions[ASK_FUNCTIONS_MAX + 1]; /* declared, for the checker only */
    size_t n_functions;
    const char *unsupported; /* what nobody here knows; NULL: all is well */
};

/* @json is borrowed by the ask; @zones may be NULL. */
struct ask *ask_read(struct rv_ctx *cx, struct rv_zones *zones, json_t *json);

rv_result ask_compile(struct rv_ctx *cx, const struct ask *ask, const struct cel_program **program);

/* {"name", "value"}, {"name", "error"} or {"name", "unsupported"}; a new reference. */
json_t *ask_answer(struct rv_ctx *cx, struct rv_zones *zones, json_t *json);
