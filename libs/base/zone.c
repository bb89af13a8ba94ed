#include "base/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/zone_inside.h"

enum { HEADER_SIZE = 44, TYPE_SIZE = 6, TIMES_MAX = 4096, TYPES_MAX = 256, NAMES_MAX = 4096 };

struct type {
    int32_t offset_s;
    bool is_dst;
    uint8_t name; /* where it begins in names */
};

struct rv_zone {
    size_t n_times, n_types;
    int64_t *times; /* ascending; types[kinds[i]] holds from times[i] on */
    uint8_t *kinds;
    struct type *types; /* the first one holds before all times */
    char *names;
    bool has_rule;
    struct zone_rule rule; /* after the last of times */
};

/* How many of each a block of the file holds, in the order of the header. */
struct counts {
    uint32_t utc, std, leaps, times, types, chars;
    char version;
};

struct cursor {
    const uint8_t *at;
    size_t left;
};

/* The next @size bytes; NULL when there are not so many. */
static const uint8_t *take(struct cursor *file, size_t size)
{
    const uint8_t *at = file->at;

    if (size > file->left)
        return NULL;
    file->at += size;
    file->left -= size;
    return at;
}

static int64_t big_endian(const uint8_t *at, int size)
{
    uint64_t value = at[0] & 0x80 ? UINT64_MAX : 0;

    for (int i = 0; i < size; i++)
        value = value << 8 | at[i];
    return (int64_t)value;
}

static bool header(struct cursor *file, struct counts *counts)
{
    uint32_t *const into[] = { &counts->utc,   &counts->std,   &counts->leaps,
                               &counts->times, &counts->types, &counts->chars };
    const uint8_t *at = take(file, HEADER_SIZE);

    if (!at || memcmp(at, "TZif", 4) != 0)
        return false;
    counts->version = (char)at[4];
    for (size_t i = 0; i < sizeof(into) / sizeof(into[0]); i++)
        *into[i] = (uint32_t)big_endian(at + 20 + 4 * i, 4);
    return counts->times <= TIMES_MAX && counts->types >= 1 && counts->types <= TYPES_MAX &&
           counts->chars >= 1 && counts->chars <= NAMES_MAX && counts->leaps == 0 &&
           (counts->std == 0 || counts->std == counts->types) &&
           (counts->utc == 0 || counts->utc == counts->types);
}

static size_t block_size(const struct counts *counts, int time_size)
{
    return counts->times * ((size_t)time_size + 1) + (size_t)counts->types * TYPE_SIZE +
           counts->chars + counts->std + counts->utc;
}

/* One piece of memory, so that one free is enough. */
static struct rv_zone *room(const struct counts *counts)
{
    size_t times = counts->times * sizeof(int64_t), types = counts->types * sizeof(struct type);
    struct rv_zone *zone = calloc(1, sizeof(*zone) + times + types + counts->times + counts->chars);

    if (!zone) {
        fputs("out of memory\n", stderr);
        abort();
    }
    zone->n_times = counts->times;
    zone->n_types = counts->types;
    zone->times = (int64_t *)(zone + 1);
    zone->types = (struct type *)(zone->times + counts->times);
    zone->kinds = (uint8_t *)(zone->types + counts->types);
    zone->names = (char *)(zone->kinds + counts->times);
    return zone;
}

static bool fill_times(struct rv_zone *zone, const uint8_t *at, int time_size)
{
    const uint8_t *kinds = at + zone->n_times * (size_t)time_size;

    for (size_t i = 0; i < zone->n_times; i++) {
        zone->times[i] = big_endian(at + i * (size_t)time_size, time_size);
        zone->kinds[i] = kinds[i];
        if (kinds[i] >= zone->n_types || (i > 0 && zone->times[i] <= zone->times[i - 1]))
            return false;
    }
    return true;
}

static bool fill_types(struct rv_zone *zone, const uint8_t *at, size_t n_chars)
{
    const uint8_t *names = at + zone->n_types * TYPE_SIZE;

    memcpy(zone->names, names, n_chars);
    for (size_t i = 0; i < zone->n_types; i++, at += TYPE_SIZE) {
        int64_t offset = big_endian(at, 4);

        if (offset <= -ZONE_REACH_S || offset >= ZONE_REACH_S || at[4] > 1 || at[5] >= n_chars)
            return false;
        zone->types[i] = (struct type){ (int32_t)offset, at[4], at[5] };
    }
    return names[n_chars - 1] == '\0';
}

/* "\n<rule>\n", where the rule may be nothing. */
static bool footer(struct cursor *file, struct rv_zone *zone)
{
    const uint8_t *end = file->left >= 2 ? memchr(file->at + 1, '\n', file->left - 1) : NULL;
    char text[128];
    size_t len;

    if (!end || file->at[0] != '\n')
        return false;
    len = (size_t)(end - file->at) - 1;
    if (len >= sizeof(text) || memchr(file->at + 1, '\0', len))
        return false;
    memcpy(text, file->at + 1, len);
    text[len] = '\0';
    zone->has_rule = len > 0;
    return len == 0 || zone_rule_read(text, &zone->rule);
}

/* Since version 2 a file says all twice: the second block has times of 64 bits. */
struct rv_zone *rv_zone_read(const void *bytes, size_t len)
{
    struct cursor file = { bytes, len };
    struct counts counts;
    struct rv_zone *zone;
    const uint8_t *block;
    int time_size = 4;

    if (len > RV_ZONE_FILE_MAX || !header(&file, &counts))
        return NULL;
    if (counts.version >= '2') {
        time_size = 8;
        if (!take(&file, block_size(&counts, 4)) || !header(&file, &counts))
            return NULL;
    }
    block = take(&file, block_size(&counts, time_size));
    if (!block)
        return NULL;
    zone = room(&counts);
    if (fill_times(zone, block, time_size) &&
        fill_types(zone, block + counts.times * ((size_t)time_size + 1), counts.chars) &&
        (counts.version < '2' || footer(&file, zone)))
        return zone;
    rv_zone_free(zone);
    return NULL;
}

void rv_zone_free(struct rv_zone *zone)
{
    free(zone);
}

/* How many changes lie at @utc_s or before. */
static size_t changes_by(const struct rv_zone *zone, int64_t utc_s)
{
    size_t low = 0, high = zone->n_times;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (zone->times[middle] <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct rv_zone_span rv_zone_at(const struct rv_zone *zone, int64_t utc_s)
{
    struct rv_zone_span span = { INT64_MIN, INT64_MAX, 0, false, "UTC" };
    const struct type *type;
    size_t n;

    if (!zone)
        return span;
    n = changes_by(zone, utc_s);
    if (n > 0)
        span.from_s = zone->times[n - 1];
    if (n < zone->n_times)
        span.until_s = zone->times[n];
    if (n == zone->n_times && zone->has_rule) {
        struct rv_zone_span ruled = zone_rule_at(&zone->rule, utc_s);

        ruled.from_s = ruled.from_s > span.from_s ? ruled.from_s : span.from_s;
        return ruled;
    }
    type = &zone->types[n > 0 ? zone->kinds[n - 1] : 0];
    span.offset_s = type->offset_s;
    span.is_dst = type->is_dst;
    span.abbreviation = zone->names + type->name;
    return span;
}

/* Walks the spans that a local time could fall into, and the jumps between them. */
struct rv_zone_local rv_zone_local(const struct rv_zone *zone, int64_t local_s)
{
    struct rv_zone_local local = { 0 }, gap = { 0 };
    struct rv_zone_span span = rv_zone_at(zone, zone_plus(local_s, -ZONE_REACH_S));

    for (;;) {
        int64_t utc = zone_plus(local_s, -span.offset_s);
        struct rv_zone_span next;

        if (utc >= span.from_s && utc < span.until_s) {
            local.fit = local.fit ? RV_ZONE_TWICE : RV_ZONE_ONCE;
            local.second_s = utc;
            local.first_s = local.fit == RV_ZONE_ONCE ? utc : local.first_s;
        }
        if (span.until_s > zone_plus(local_s, ZONE_REACH_S) || span.until_s == INT64_MAX)
            break;
        next = rv_zone_at(zone, span.until_s);
        if (utc >= span.until_s && zone_plus(local_s, -next.offset_s) < span.until_s)
            gap = (struct rv_zone_local){ RV_ZONE_GAP, utc, zone_plus(local_s, -next.offset_s),
                                          span.until_s };
        span = next;
    }
    return local.fit ? local : gap;
}

static bool two_digits(const char *at, int high, int *out)
{
    if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
        return false;
    *out = (at[0] - '0') * 10 + (at[1] - '0');
    return *out <= high;
}

bool rv_zone_fixed(const char *text, size_t len, int32_t *offset_s)
{
    bool west = len > 0 && text[0] == '-';
    int hours, minutes;

    if (len > 0 && (text[0] == '-' || text[0] == '+')) {
        text++;
        len--;
    }
    if (len != 5 || text[2] != ':' || !two_digits(text, 23, &hours) ||
        !two_digits(text + 3, 59, &minutes))
        return false;
    *offset_s = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}
