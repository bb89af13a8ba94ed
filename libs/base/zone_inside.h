#pragma once

/* What the two files of zone.h share, and nobody else. */

#include "base/zone.h"

/* Within 26 hours of UTC, as the format promises; so a local time is never further from its own. */
enum { ZONE_REACH_S = 26 * 3600, ZONE_NAME_MAX = 31 };

/* A day of the year, and the second of that day (below 0 or over a day, too) when clocks change. */
struct zone_edge {
    enum { ZONE_JULIAN = 1, ZONE_COUNTED, ZONE_MONTH } kind; /* J60, 59, M3.5.0 */
    int month, week, day;
    int32_t second;
};

/* The POSIX TZ rule at a file's end: "CET-1CEST,M3.5.0,M10.5.0/3". */
struct zone_rule {
    char name[2][ZONE_NAME_MAX + 1]; /* of standard time, of summer time */
    int32_t offset_s[2];
    bool changes;             /* or it is standard time for ever */
    struct zone_edge edge[2]; /* into standard time, into summer time */
};

/* All of @text; false when it is no rule. */
bool zone_rule_read(const char *text, struct zone_rule *rule);
struct rv_zone_span zone_rule_at(const struct zone_rule *rule, int64_t utc_s);

/* A sum that stays at the end of the numbers it would leave. */
static inline int64_t zone_plus(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? (b < 0 ? INT64_MIN : INT64_MAX) : sum;
}
