#pragma once

/*
 * Ask: one line of a conformance run and the answer to it.
 *
 *     {"name", "expr",
 *      "container"?:     "a.b", where names are looked up first,
 *      "disable_check"?: true: types are found when it runs; the answer has no "type",
 *      "check_only"?:    true: does not run; the answer is {"name", "type"},
 *      "template"?:      true: "expr" is a text with ${{ expressions }},
 *      "type_env"?:      [{"name", "type"} or, as in cel.expr.Decl, {"name", "ident": {"type"}} or
 *                         {"name", "function": {"overloads": [{"params", "result", "instance"?}]}},
 *                         which can be checked, never called],
 *      "bindings"?:      {name: value or {"value": value}}}
 *
 * A type is the JSON form of cel.expr.Type or text as "list(int)", a value that of cel.expr.Value.
 * Other keys are not looked at. The answer is {"name", "value", "type"} (the type that the checker
 * found, as text), {"name", "error"} for all that is wrong with the expression or the ask, or
 * {"name", "unsupported"} when it takes a user's protobuf message. There always is one.
 */

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
    const char *wrong;       /* with the ask itself: "the binding x …"; NULL: all is well */
    const char *unsupported; /* what nobody here knows; NULL: all is well */
};

/* @json is borrowed by the ask; @zones may be NULL. */
struct ask *ask_read(struct rv_ctx *cx, struct rv_zones *zones, json_t *json);

rv_result ask_compile(struct rv_ctx *cx, const struct ask *ask, const struct cel_program **program);

/* A new reference, never NULL. */
json_t *ask_answer(struct rv_ctx *cx, struct rv_zones *zones, json_t *json);
