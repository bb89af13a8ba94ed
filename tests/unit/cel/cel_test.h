#pragma once

/* What tests of expressions say often. Variables: a, b, c are dyn. */

#include <stdio.h>

#include "support/rv_test.h"

#include "base/buf.h"
#include "cel/cel.h"

static const struct cel_variable abc[] = { { "a", NULL }, { "b", NULL }, { "c", NULL }, { 0 } };
static const struct cel_env abc_env = { .variables = abc };

static inline const struct cel_program *compile_in(struct rv_ctx *cx, const struct cel_env *env,
                                                   const char *text)
{
    const struct cel_program *program = NULL;

    if (cel_compile(cx, env, text, strlen(text), &program) != RV_OK)
        fail_msg("%s: %s", text, cx->error.text);
    return program;
}

static inline const struct cel_program *compile(struct rv_ctx *cx, const char *text)
{
    return compile_in(cx, &abc_env, text);
}

/* The value as JSON, or "error: …". */
static inline const char *shown(struct rv_ctx *cx, const struct cel_program *program,
                                struct cel_value value)
{
    auto_buf json = { 0 };

    if (value.kind == CEL_ERROR)
        return rv_printf(cx, "error: %s", cel_error_text(cx, program, value));
    if (!cel_json(cx, value, 10000, &json))
        return "too large";
    return rv_strndup(cx, json.data, json.len);
}

static inline const char *eval_with(struct rv_ctx *cx, const char *text,
                                    const struct cel_value *values)
{
    const struct cel_program *program = compile(cx, text);

    return shown(cx, program, cel_eval(cx, program, values));
}

static inline const char *eval(struct rv_ctx *cx, const char *text)
{
    return eval_with(cx, text, NULL);
}

/* Why the text is refused; "" when it is not. */
static inline const char *refusal(struct rv_ctx *cx, const struct cel_env *env, const char *text)
{
    const struct cel_program *program;

    return cel_compile(cx, env, text, strlen(text), &program) == RV_OK ? "" : cx->error.text;
}
