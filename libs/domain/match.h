#pragma once

/*
 * Matches: the comparisons of plain scorers. Whatever else is to be compared is an expression.
 *
 * Pure. Values are given as texts: a list is several, a number is its decimal text.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/enum.h"

#define MATCH_OPS(X)                                                                               \
    X(MATCH_EQUALS, 1, "equals")                                                                   \
    X(MATCH_CONTAINS, 2, "contains")                                                               \
    X(MATCH_REGEX, 3, "regex")                                                                     \
    X(MATCH_AT_LEAST, 4, "at_least")                                                               \
    X(MATCH_AT_MOST, 5, "at_most")
RV_ENUM_DECLARE(match_op, MATCH_OPS)

struct match_value {
    const char *const *texts; /* one for a text or a number, several for a list, none for null */
    size_t n;
    bool list;
};

/*
 * Whether "@left op @right" holds. In a list, contains looks for an element. Regex is POSIX
 * extended, at most 500 bytes of pattern (no back references, counted repeats to 1000) and 64 KiB
 * of text. @why says what was seen when it does not hold.
 */
bool match_holds(enum match_op op, struct match_value left, struct match_value right, char *why,
                 size_t why_size);

/* Whether a pattern can be used; @why otherwise. */
bool match_pattern_ok(const char *pattern, char *why, size_t why_size);
