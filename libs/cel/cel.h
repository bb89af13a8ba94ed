#pragma once

/*
 * Cel: the Common Expression Language. An expression is compiled once and evaluated many times.
 *
 *     static const struct cel_variable variables[] = { { "cost", NULL }, { "tags", NULL }, { 0 } };
 *     static const struct cel_env env = { .variables = variables };
 *     const struct cel_program *program;
 *     struct cel_value values[] = { cel_double(1.5), tags }, value;
 *
 *     RV_TRY(cx, cel_compile(cx, &env, text, strlen(text), &program));
 *     value = cel_eval(cx, program, values);
 *     if (value.kind == CEL_ERROR)
 *         return rv_fail(cx, RV_UNPROCESSABLE, "%s", cel_error_text(cx, program, value));
 *
 * Pure: no I/O, no clock, nothing global that changes, no memory but the ctx's. A program lives as
 * long as the ctx it was compiled with and may be evaluated by many threads at once, each with a
 * ctx of its own.
 *
 * Everything has a limit: the text (CEL_SOURCE_MAX), how deep it is nested (CEL_DEPTH_MAX), its
 * regular expressions (CEL_PATTERNS_MAX), what one evaluation may spend (CEL_COST_MAX unless the
 * env says otherwise). A unit of cost is one step, one element or 16 bytes looked at or made;
 * running out is an error that nothing absorbs.
 */

#include "base/zones.h"
#include "cel/function.h"
#include "cel/type.h"

enum {
    CEL_SOURCE_MAX = 128 * 1024, /* bytes */
    CEL_DEPTH_MAX = 200,         /* of brackets, operators and calls inside each other */
    CEL_PATTERNS_MAX = 4 << 20,  /* bytes that the compiled patterns of a program take */
    CEL_COST_MAX = 1000 * 1000,  /* of one evaluation, if the env says nothing */
    CEL_FOLD_COST_MAX = 20000,   /* of constant parts, worked out when compiled; and 8 a byte */
};

/* A name that a host gives a value. The table ends with a row without a name. */
struct cel_variable {
    const char *name;            /* "run", "x.y" */
    const struct cel_type *type; /* NULL: dyn */
};

/* What an expression can see. All of it outlives the programs made with it; zeros are fine. */
struct cel_env {
    const char *container;                /* where names are looked up first: "a.b"; NULL: none */
    const struct cel_variable *variables; /* NULL: none */
    const struct cel_function *functions; /* the host's, ending without a name; NULL: none */
    struct rv_zones *zones;               /* for "Europe/Berlin"; NULL: UTC and offsets only */
    int64_t cost_max;                     /* 0: CEL_COST_MAX */
    const struct cel_type *result;        /* what the expression must give; NULL: anything */
    bool unchecked;                       /* leaves types and unknown names to the evaluation */
    bool strict;                          /* refuses patterns and times that can only fail */
    bool unfolded;                        /* keeps constant parts as they stand, for tests */
};

struct cel_program;

/*
 * Compiles @source. A refusal is RV_INVALID: its text is "line:column: why", and its detail
 * shows the line with a caret below the place.
 */
rv_result cel_compile(struct rv_ctx *cx, const struct cel_env *env, const char *source, size_t len,
                      const struct cel_program **out);

/*
 * Compiles a text with ${{ expressions }} in it. A text that is one interpolation and nothing else
 * keeps the type of its value; any other gives a string, values in it as cel_json writes them
 * (strings without quotes).
 */
rv_result cel_compile_template(struct rv_ctx *cx, const struct cel_env *env, const char *source,
                               size_t len, const struct cel_program **out);

/*
 * The value of the program, or CEL_ERROR. @values stand in the order of env->variables; one that is
 * cel_none() is an error only where the program needs it.
 */
struct cel_value cel_eval(struct rv_ctx *cx, const struct cel_program *program,
                          const struct cel_value *values);

/* The same, and what it cost. */
struct cel_value cel_eval_cost(struct rv_ctx *cx, const struct cel_program *program,
                               const struct cel_value *values, int64_t *cost);

/* Evaluates a condition: RV_UNPROCESSABLE with words when it fails or is no bool. */
rv_result cel_test(struct rv_ctx *cx, const struct cel_program *program,
                   const struct cel_value *values, bool *truth);

/* "line:column: why", and the same with the line of the source and a caret below it. */
const char *cel_error_text(struct rv_ctx *cx, const struct cel_program *program,
                           struct cel_value error);
const char *cel_error_excerpt(struct rv_ctx *cx, const struct cel_program *program,
                              struct cel_value error);

/* The type the checker found; dyn for a program that was not checked. */
const struct cel_type *cel_result_type(const struct cel_program *program);

/* The expression as the printer writes it: one line, brackets only where they are needed. */
const char *cel_format(struct rv_ctx *cx, const struct cel_program *program);

/* What of a program is known before it runs. */
struct cel_facts {
    const char **variables; /* names that are not its own, each once */
    size_t n_variables;
    const char **paths; /* "tool.args.path", as far as fields and constant keys lead */
    size_t n_paths;
    const char **functions; /* "size", "_+_", "all"; each once */
    size_t n_functions;
    int64_t cost_most;      /* at most this much when it runs; INT64_MAX: no telling */
    struct cel_value truth; /* true or false when it is always that, else CEL_NONE */
};

/* @weight_max: the most elements and bytes that a variable has, with all that is inside it. */
void cel_facts(struct rv_ctx *cx, const struct cel_program *program, int64_t weight_max,
               struct cel_facts *facts);

/*
 * @value as compact JSON: int, uint and double are numbers (a double has a point or an exponent;
 * one not finite is a string), bytes base64, timestamps and durations as string() writes them, keys
 * as text, an empty optional null. False when it is more than @bytes_max bytes or deeper than
 * CEL_DEPTH_MAX.
 */
struct rv_buf;
bool cel_json(struct rv_ctx *cx, struct cel_value value, size_t bytes_max, struct rv_buf *json);
