#include "cel/time_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DAY_S = 86400, BILLION = 1000000000 };

/* Years begin in March here, so that the leap day is their last. */
struct cel_day cel_day_of(int64_t days)
{
    int64_t since = days + 719468; /* 0000-03-01 */
    int64_t era = (since >= 0 ? since : since - 146096) / 146097;
    int64_t of_era = since - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    struct cel_day day = { .day = (int)(of_year - (153 * month + 2) / 5 + 1),
                           .month = (int)(month < 10 ? month + 3 : month - 9) };
    bool leap;

    day.year = year + era * 400 + (day.month <= 2);
    leap = day.year % 4 == 0 && (day.year % 100 != 0 || day.year % 400 == 0);
    day.of_year = (int)(day.month > 2 ? of_year + 59 + leap : of_year - 306);
    day.of_week = (int)(((days + 4) % 7 + 7) % 7);
    return day;
}

static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t era, of_era, of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    year -= month <= 2;
    era = (year >= 0 ? year : year - 399) / 400;
    of_era = year - era * 400;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct cel_value cel_timestamp_of(int64_t seconds, int64_t nanoseconds)
{
    int64_t carried = nanoseconds / BILLION - (nanoseconds % BILLION < 0);

    nanoseconds -= carried * BILLION;
    if (__builtin_add_overflow(seconds, carried, &seconds) || seconds < CEL_SECONDS_LEAST ||
        seconds > CEL_SECONDS_MOST)
        return cel_none();
    return cel_timestamp(seconds, (uint32_t)nanoseconds);
}

/* What is left of a text to read. */
struct left {
    const char *at, *end;
};

static bool took(struct left *left, char c)
{
    if (left->at == left->end || *left->at != c)
        return false;
    left->at++;
    return true;
}

static bool is_digit(const struct left *left)
{
    return left->at < left->end && *left->at >= '0' && *left->at <= '9';
}

/* Exactly @width digits, from @least to @most. */
static bool number(struct left *left, int width, int64_t least, int64_t most, int64_t *out)
{
    *out = 0;
    for (int i = 0; i < width; i++) {
        if (!is_digit(left))
            return false;
        *out = *out * 10 + (*left->at++ - '0');
    }
    return *out >= least && *out <= most;
}

/* ".123456789" in nanoseconds; nothing is 0. */
static bool fraction(struct left *left, int64_t *nanoseconds)
{
    int digits = 0;

    *nanoseconds = 0;
    if (!took(left, '.'))
        return true;
    for (; is_digit(left) && digits < 9; digits++)
        *nanoseconds = *nanoseconds * 10 + (*left->at++ - '0');
    for (int i = digits; i < 9; i++)
        *nanoseconds *= 10;
    return digits > 0 && !is_digit(left);
}

static bool offset(struct left *left, int64_t *seconds)
{
    int64_t hours, minutes;
    bool west = false;

    *seconds = 0;
    if (took(left, 'Z'))
        return true;
    if (!took(left, '+')) {
        west = took(left, '-');
        if (!west)
            return false;
    }
    if (!number(left, 2, 0, 23, &hours) || !took(left, ':') || !number(left, 2, 0, 59, &minutes))
        return false;
    *seconds = (hours * 60 + minutes) * (west ? -60 : 60);
    return true;
}

bool cel_timestamp_read(const char *text, size_t len, struct cel_value *value)
{
    struct left left = { text, text + len };
    int64_t year, month, day, hour, minute, second, nanoseconds, east, days;
    struct cel_day back;

    if (!number(&left, 4, 0, 9999, &year) || !took(&left, '-') ||
        !number(&left, 2, 1, 12, &month) || !took(&left, '-') || !number(&left, 2, 1, 31, &day) ||
        !took(&left, 'T') || !number(&left, 2, 0, 23, &hour) || !took(&left, ':') ||
        !number(&left, 2, 0, 59, &minute) || !took(&left, ':') ||
        !number(&left, 2, 0, 59, &second) || !fraction(&left, &nanoseconds) ||
        !offset(&left, &east) || left.at != left.end)
        return false;
    days = days_of(year, month, day);
    back = cel_day_of(days);
    if (back.month != month || back.day != day) /* a 30th of February */
        return false;
    *value =
        cel_timestamp_of(days * DAY_S + hour * 3600 + minute * 60 + second - east, nanoseconds);
    return value->kind != CEL_NONE;
}

static const struct {
    const char *name;
    int64_t nanoseconds;
} units[] = {
    { "ns", 1 },           { "us", 1000 },   { "\xc2\xb5s", 1000 },   { "\xce\xbcs", 1000 },
    { "ms", 1000 * 1000 }, { "s", BILLION }, { "m", 60ll * BILLION }, { "h", 3600ll * BILLION },
};

static int64_t unit(struct left *left)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t len = strlen(units[i].name);

        if ((size_t)(left->end - left->at) >= len && memcmp(left->at, units[i].name, len) == 0) {
            left->at += len;
            return units[i].nanoseconds;
        }
    }
    return 0;
}

/* "1.5h" is added to *@total, below 0 so that the least duration fits. */
static bool part(struct left *left, int64_t *total)
{
    int64_t whole = 0, below = 0, scale = 1, each, whole_ns;
    bool digits = is_digit(left);

    for (; is_digit(left); left->at++)
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, *left->at - '0', &whole))
            return false;
    if (took(left, '.')) {
        digits |= is_digit(left);
        for (; is_digit(left); left->at++) {
            if (scale < BILLION * 1000000ll) { /* what is smaller is less than a nanosecond */
                below = below * 10 + (*left->at - '0');
                scale *= 10;
            }
        }
    }
    each = unit(left);
    if (!digits || each == 0 || __builtin_mul_overflow(whole, each, &whole_ns) ||
        __builtin_sub_overflow(*total, whole_ns, total))
        return false;
    whole_ns = (int64_t)((__int128)below * each / scale);
    return !__builtin_sub_overflow(*total, whole_ns, total);
}

bool cel_duration_read(const char *text, size_t len, struct cel_value *value)
{
    struct left left = { text, text + len };
    bool negative = took(&left, '-');
    int64_t total = 0;

    if (!negative)
        took(&left, '+');
    if (left.end - left.at == 1 && *left.at == '0') {
        *value = cel_duration(0);
        return true;
    }
    if (left.at == left.end)
        return false;
    while (left.at < left.end)
        if (!part(&left, &total))
            return false;
    if (!negative && total == INT64_MIN)
        return false;
    *value = cel_duration(negative ? total : -total);
    return true;
}

/* ".5": as many digits as it takes. */
static void add_fraction(struct rv_buf *text, uint64_t nanoseconds)
{
    char digits[16];
    size_t len;

    if (nanoseconds == 0)
        return;
    rv_buf_char(text, '.');
    len = (size_t)snprintf(digits, sizeof(digits), "%09" PRIu64, nanoseconds);
    while (digits[len - 1] == '0')
        len--;
    rv_buf_add(text, digits, len);
}

void cel_timestamp_add_text(struct rv_buf *text, struct cel_value value)
{
    int64_t days = value.whole / DAY_S - (value.whole % DAY_S < 0);
    int64_t second = value.whole - days * DAY_S;
    struct cel_day day = cel_day_of(days);

    rv_buf_printf(text, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d", day.year, day.month, day.day,
                  (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));
    add_fraction(text, value.len);
    rv_buf_char(text, 'Z');
}

void cel_duration_add_text(struct rv_buf *text, struct cel_value value)
{
    uint64_t size = value.whole < 0 ? -(uint64_t)value.whole : (uint64_t)value.whole;

    rv_buf_printf(text, "%s%" PRIu64, value.whole < 0 ? "-" : "", size / BILLION);
    add_fraction(text, size % BILLION);
    rv_buf_char(text, 's');
}
