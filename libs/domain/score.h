#pragma once

/*
 * Scores: rules that look at a value and say a number from 0 to 1. Pure.
 */

#include "base/ctx.h"
#include "base/record.h"
#include "domain/expression.h"
#include "domain/match.h"

#define SCORER_KINDS(X)                                                                            \
    X(SCORER_EQUALS, 1, "equals")                                                                  \
    X(SCORER_CONTAINS, 2, "contains")                                                              \
    X(SCORER_REGEX, 3, "regex")                                                                    \
    X(SCORER_BOUNDS, 4, "bounds")                                                                  \
    X(SCORER_EXPRESSION, 5, "expression")
RV_ENUM_DECLARE(scorer_kind, SCORER_KINDS)

/*
 * A scorer of a workflow or agent, looked at when a run has completed. One of the kind expression
 * has an @expression and nothing else to look with: @value is what others compare with, any JSON,
 * and an expression is no value.
 */
struct scorer {
    const char *name;
    enum scorer_kind kind;
    const char
        *path; /* into {"output","input","run":{"cost_microusd","tokens_in","duration_ms",…}} */
    const char *value;      /* JSON: what equals, contains and regex compare with */
    const char *min, *max;  /* decimal texts, for bounds; NULL: open */
    double weight;          /* 0: 1 */
    const char *expression; /* sees output, input and run, the roots of @path; gives the score */
};
extern const struct rv_record scorer_record;

struct score {
    double score; /* 0 to 1 */
    bool passed;
    const char *reason; /* in the buffer given, or the ctx's */
};
struct score scorer_score(const struct scorer *scorer, struct match_value seen,
                          struct match_value wanted, char *reason, size_t reason_size);

/*
 * The score that @scorer's expression gives: true is 1, false 0, a number from 0 to 1 itself, and
 * passes from SCORE_PASSES on. All else is 0 with the reason: another number, another kind of
 * value, an expression that fails or does not compile.
 */
#define SCORE_PASSES 0.5
struct score scorer_evaluate(struct rv_ctx *cx, const struct scorer *scorer,
                             const struct cel_value sees[SCORER_SEES]);

/* A score that was given, as it is kept. Unique per run and scorer: once more replaces nothing. */
struct evaluation {
    const char *tenant_id, *evaluation_id, *project_id, *run_id;
    const char *scorer;
    enum scorer_kind kind;
    double score, weight;
    bool passed;
    const char *reason;
    int64_t created_at_ms;
};
extern const struct rv_record evaluation_record;
