#pragma once

/*
 * Expressions: where the Common Expression Language (cel/cel.h) stands in documents, and what it
 * sees there. One row a place: whoever checks a document and whoever evaluates it later share the
 * row, so what is refused at `apply` and what runs cannot differ.
 *
 * Pure but for one thing: time zones are those of the machine (base/zones.h).
 */

#include "cel/cel.h"

/* What reeve adds to the language, at every place; the README says the same. Ends without a name.
 */
extern const struct cel_function expression_functions[];

/* What a place binds, in this order. */
enum { STEP_SEES_INPUT, STEP_SEES_STEPS, STEP_SEES_RUN, STEP_SEES };
enum { SCORER_SEES_OUTPUT, SCORER_SEES_INPUT, SCORER_SEES_RUN, SCORER_SEES };
enum { RULE_SEES = 8 }; /* subject and the fields of policy_facts_record */

/* What one evaluation may cost; that of a step, CEL_COST_MAX. */
enum {
    RULE_COST_MAX = 10 * 1000,    /* there are many, before everything that happens */
    SCORER_COST_MAX = 200 * 1000, /* may look through a long output a few times */
};

#define EXPRESSION_PLACES(X)                                                                       \
    X(EXPRESSION_STEP, 1, "step")                                                                  \
    X(EXPRESSION_RULE, 2, "rule")                                                                  \
    X(EXPRESSION_SCORER, 3, "scorer")
RV_ENUM_DECLARE(expression_place, EXPRESSION_PLACES)

/* A condition gives a bool, a score a bool or a number; a text with ${{ }} in it gives anything. */
enum expression_kind {
    EXPRESSION_CONDITION,
    EXPRESSION_TEMPLATE,
    EXPRESSION_SCORE,
    EXPRESSION_NONE, /* a text that is taken as it stands, and has a ${{ in it */
};

/* Compiles @text as it stands at @place. RV_INVALID with "line:column: why". */
rv_result expression_compile(struct rv_ctx *cx, enum expression_place place,
                             enum expression_kind kind, const char *text,
                             const struct cel_program **program);

/* Notes at @path what is wrong with @text; NULL is nothing. */
void expression_check(struct rv_ctx *cx, enum expression_place place, enum expression_kind kind,
                      const char *path, const char *text);

/* What a rule sees of @ask, a struct policy_ask that outlives @values. Texts not set are "". */
void expression_rule_values(struct rv_ctx *cx, const void *ask, struct cel_value values[RULE_SEES]);

/* The names and types of @place, in the order of its values. */
const struct cel_variable *expression_sees(enum expression_place place);
