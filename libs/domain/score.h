#pragma once

/*
 * Scores: rules that look at a value and say a number from 0 to 1. Pure.
 */

#include "base/record.h"
#include "domain/match.h"

#define SCORER_KINDS(X)                                                                            \
    X(SCORER_EQUALS, 1, "equals")                                                                  \
    X(SCORER_CONTAINS, 2, "contains")                                                              \
    X(SCORER_REGEX, 3, "regex")                                                                    \
    X(SCORER_BOUNDS, 4, "bounds")
RV_ENUM_DECLARE(scorer_kind, SCORER_KINDS)

/* A scorer of a workflow or agent, looked at when a run has completed. */
struct scorer {
    const char *name;
    enum scorer_kind kind;
    const char
        *path; /* into {"output","input","run":{"cost_microusd","tokens_in","duration_ms",…}} */
    const char *value;     /* JSON: what equals, contains and regex compare with */
    const char *min, *max; /* decimal texts, for bounds; NULL: open */
    double weight;         /* 0: 1 */
};
extern const struct rv_record scorer_record;

struct score {
    double score; /* 0 to 1 */
    bool passed;
    const char *reason; /* in the buffer given */
};
struct score scorer_score(const struct scorer *scorer, struct match_value seen,
                          struct match_value wanted, char *reason, size_t reason_size);

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
