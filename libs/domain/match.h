#pragma once

/*
 * Matches: the one table of comparisons that checks and scorers share until expressions take its
 * place.
 *
 * Pure. Values are given as texts: a list is several, a number is its decimal text.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/enum.h"

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
