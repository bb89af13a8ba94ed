#include "base/time.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t rv_now_ms(void)
{
    return clock_ns(CLOCK_REALTIME) / 1000000;
}

int64_t rv_monotonic_ms(void)
{
    return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

int64_t rv_monotonic_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

void rv_sleep_ms(int64_t ms)
{
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    while (ms > 0 && nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

const char *rv_time_text(struct rv_ctx *cx, int64_t ms)
{
    int64_t rest = (ms % 1000 + 1000) % 1000;
    time_t seconds = (time_t)((ms - rest) / 1000);
    struct tm tm;

    if (!gmtime_r(&seconds, &tm))
        return "";
    return rv_printf(cx, "%04d-%02d-%02dT%02d:%02d:%02d.%03" PRId64 "Z", tm.tm_year + 1900,
                     tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, rest);
}

/* @count digits, with a value from @low to @high. */
static bool number(const char **at, int count, int low, int high, int *out)
{
    *out = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *out = *out * 10 + (**at - '0');
    }
    return *out >= low && *out <= high;
}

static bool sign(const char **at, const char *set, char *found)
{
    if (!**at || !strchr(set, **at))
        return false;
    *found = *(*at)++;
    return true;
}

static int days_in(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970-01-01, counting years from March so that the leap day comes last. */
static int64_t days_since_1970(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* ".123456789": up to nanoseconds; what is finer than ours is cut off. */
static bool fraction(const char **at, int *ms)
{
    int count = 0;

    *ms = 0;
    if (**at != '.')
        return true;
    for ((*at)++; **at >= '0' && **at <= '9'; (*at)++)
        if (++count <= 3)
            *ms = *ms * 10 + (**at - '0');
    for (int i = count; i < 3; i++)
        *ms *= 10;
    return count >= 1 && count <= 9;
}

static bool offset(const char **at, int *minutes)
{
    char way;
    int h, m;

    *minutes = 0;
    if (!sign(at, "Zz+-", &way))
        return false;
    if (way == 'Z' || way == 'z')
        return true;
    if (!number(at, 2, 0, 23, &h) || *(*at)++ != ':' || !number(at, 2, 0, 59, &m))
        return false;
    *minutes = (way == '-' ? -1 : 1) * (h * 60 + m);
    return true;
}

bool rv_time_parse(const char *text, int64_t *ms)
{
    int year, month, day, hour, min, sec, rest, east;
    char between;

    if (!number(&text, 4, 0, 9999, &year) || !sign(&text, "-", &between) ||
        !number(&text, 2, 1, 12, &month) || !sign(&text, "-", &between) ||
        !number(&text, 2, 1, days_in(year, month), &day) || !sign(&text, "Tt ", &between) ||
        !number(&text, 2, 0, 23, &hour) || !sign(&text, ":", &between) ||
        !number(&text, 2, 0, 59, &min) || !sign(&text, ":", &between) ||
        !number(&text, 2, 0, 60, &sec) || !fraction(&text, &rest) || !offset(&text, &east) || *text)
        return false;
    *ms = ((days_since_1970(year, month, day) * 24 + hour) * 60 + min - east) * 60000 +
          (int64_t)sec * 1000 + rest;
    return true;
}
