#pragma once

/*
 * Scores: rules that look at a value and say a number from 0 to 1. And the one table of
 * comparisons that checks, policies and scorers share until expressions take its place.
 *
 * Pure. Values are given as texts: a list is several, a number is its decimal text.
 */

#include "base/record.h"

#define MATCH_OPS(X)                                                                               \
    X(MATCH_EQUALS, 1, "equals")                                                                   \
    X(MATCH_NOT_EQUALS, 2, "not_equals")                                                           \
    X(MATCH_CONTAINS, 3, "contains")                                                               \
    X(MATCH_NOT_CONTAINS, 4, "not_contains")                                                       \
    X(MATCH_REGEX, 5, "regex")                                                                     \
    X(MATCH_AT_LEAST, 6, "at_least")                                                               \
    X(MATCH_AT_MOST, 7, "at_most")                                                                 \
    X(MATCH_LENGTH_AT_LEAST, 8, "length_at_least")                                                 \
    X(MATCH_LENGTH_AT_MOST, 9, "length_at_most")                                                   \
    X(MATCH_ALL_WITHIN, 10, "all_within")
RV_ENUM_DECLARE(match_op, MATCH_OPS)

struct match_value {
    const char *const *texts; /* one for a text or a number, several for a list, none for null */
    size_t n;
    bool list;
};

/*
 * Whether "@left op @right" holds. Lists: contains looks for an element, all_within asks that every
 * element of @left occurs in the text @right (runs of white space count as one blank), length
 * counts elements. Of a text, length counts words. Regex is POSIX extended, at most 500 bytes of
 * pattern (no back references, counted repeats to 1000) and 64 KiB of text. @why says what was
 * seen when it does not hold.
 */
bool match_holds(enum match_op op, struct match_value left, struct match_value right, char *why,
                 size_t why_size);

/* Whether a pattern can be used; @why otherwise. */
bool match_pattern_ok(const char *pattern, char *why, size_t why_size);

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
    const char *path;  /* into {"output","input","run":{"cost_microusd","tokens_in","duration_ms",…}} */
    const char *value; /* JSON: what equals, contains and regex compare with */
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
