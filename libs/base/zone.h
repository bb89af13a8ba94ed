#pragma once

/*
 * Zone: what the clocks of a place say. Read from the bytes of a TZif file (version 1 to 4), which
 * zones.h fetches; beyond the last change a file lists, its POSIX rule goes on for ever.
 *
 * Pure: no file, no clock, no environment. A zone never changes, so threads may share it. Seconds
 * since 1970; a local time is what its clock shows, counted as if it were UTC.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rv_zone;

/* Bytes; the largest file of tzdata has under 4 KB. */
enum { RV_ZONE_FILE_MAX = 64 * 1024 };

/* The zone in @bytes; NULL when they are none, broken, or count leap seconds. */
struct rv_zone *rv_zone_read(const void *bytes, size_t len);
void rv_zone_free(struct rv_zone *zone); /* NULL is fine */

/* A time in which a zone's clock is not touched: [from_s, until_s). */
struct rv_zone_span {
    int64_t from_s, until_s; /* INT64_MIN, INT64_MAX: no end known */
    int32_t offset_s;        /* east of UTC: local = UTC + offset */
    bool is_dst;
    const char *abbreviation; /* "CEST"; lives as long as the zone */
};

/* The span that holds @utc_s; @zone NULL is UTC. */
struct rv_zone_span rv_zone_at(const struct rv_zone *zone, int64_t utc_s);

enum rv_zone_fit {
    RV_ZONE_ONCE = 1, /* both instants are the one */
    RV_ZONE_GAP,      /* no clock ever showed it: the clock jumps over it */
    RV_ZONE_TWICE,    /* shown by both instants, in this order */
};

/*
 * When a clock shows a local time. In a gap @first_s is the time read with the offset before the
 * jump (it falls behind it), @second_s with the one after (it falls before it).
 */
struct rv_zone_local {
    enum rv_zone_fit fit;
    int64_t first_s, second_s;
    int64_t jump_s; /* of a gap: the first instant behind it */
};

struct rv_zone_local rv_zone_local(const struct rv_zone *zone, int64_t local_s);

/* "+02:00" "-08:30" "02:00": a fixed offset, hours to 23, minutes to 59; false: not one. */
bool rv_zone_fixed(const char *text, size_t len, int32_t *offset_s);
