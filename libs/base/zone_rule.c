#include "base/zone_inside.h"

#include <string.h>

enum { DAY_S = 86400, DAYS_OF_400_YEARS = 146097 };

/* One or more digits, at most @high. */
static bool number(const char **at, int high, int *out)
{
    const char *start = *at;

    for (*out = 0; **at >= '0' && **at <= '9'; (*at)++) {
        *out = *out * 10 + (**at - '0');
        if (*out > high)
            return false;
    }
    return *at > start;
}

static bool letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* "CET", or "<+1030>" where it is no word. */
static bool name(const char **at, char *out)
{
    bool quoted = **at == '<';
    size_t len = 0;

    for (*at += quoted; letter(**at) || (quoted && **at && strchr("+-0123456789", **at)); (*at)++) {
        if (len == ZONE_NAME_MAX)
            return false;
        out[len++] = **at;
    }
    if (quoted && *(*at)++ != '>')
        return false;
    return len >= 3;
}

/* [+-]hh[:mm[:ss]] */
static bool clock_time(const char **at, int hours_max, int32_t *seconds)
{
    int sign = **at == '-' ? -1 : 1, hours, rest;

    *at += **at == '-' || **at == '+';
    if (!number(at, hours_max, &hours))
        return false;
    *seconds = hours * 3600;
    for (int unit = 60; unit >= 1 && **at == ':'; unit /= 60) {
        (*at)++;
        if (!number(at, 59, &rest))
            return false;
        *seconds += rest * unit;
    }
    *seconds *= sign;
    return true;
}

static bool month_day(const char **at, struct zone_edge *edge)
{
    if (!number(at, 12, &edge->month) || edge->month < 1 || *(*at)++ != '.')
        return false;
    if (!number(at, 5, &edge->week) || edge->week < 1 || *(*at)++ != '.')
        return false;
    return number(at, 6, &edge->day);
}

/* ",M3.5.0/2" ",J60" ",59/-1": the hour is 2 where none is said, and up to a week off. */
static bool edge_read(const char **at, struct zone_edge *edge)
{
    bool ok;

    if (*(*at)++ != ',')
        return false;
    edge->kind = **at == 'M' ? ZONE_MONTH : **at == 'J' ? ZONE_JULIAN : ZONE_COUNTED;
    *at += edge->kind != ZONE_COUNTED;
    if (edge->kind == ZONE_MONTH)
        ok = month_day(at, edge);
    else
        ok = number(at, 365, &edge->day) && edge->day >= (edge->kind == ZONE_JULIAN);
    edge->second = 2 * 3600;
    if (!ok || **at != '/')
        return ok;
    (*at)++;
    return clock_time(at, 167, &edge->second);
}

/* A rule counts hours west of UTC; we count east. */
bool zone_rule_read(const char *text, struct zone_rule *rule)
{
    int32_t west;

    memset(rule, 0, sizeof(*rule));
    if (!name(&text, rule->name[0]) || !clock_time(&text, 24, &west))
        return false;
    rule->offset_s[0] = -west;
    if (!*text)
        return true;
    rule->changes = true;
    if (!name(&text, rule->name[1]))
        return false;
    rule->offset_s[1] = rule->offset_s[0] + 3600;
    if (*text != ',') {
        if (!clock_time(&text, 24, &west))
            return false;
        rule->offset_s[1] = -west;
    }
    return edge_read(&text, &rule->edge[1]) && edge_read(&text, &rule->edge[0]) && !*text;
}

static bool leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01 to the first of January of @year, which is not before 1900. */
static int64_t new_year(int64_t year)
{
    int64_t y = year - 1;

    return 365 * (year - 1970) + (y / 4 - 492) - (y / 100 - 19) + (y / 400 - 4);
}

/* The @week-th such weekday of the month, or its last one. */
static int64_t weekday_of_month(const struct zone_edge *edge, int64_t year)
{
    static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365 };
    int late = leap(year) && edge->month > 2;
    int64_t first = new_year(year) + before[edge->month - 1] + late;
    int64_t end = new_year(year) + before[edge->month] + (leap(year) && edge->month > 1);
    int64_t weekday = (first + 4) % 7; /* 1970 began on a Thursday */
    int64_t day;

    weekday = (weekday + 7) % 7;
    day = first + (edge->day - weekday + 7) % 7 + 7 * (edge->week - 1);
    return day < end ? day : day - 7;
}

static int64_t edge_s(const struct zone_rule *rule, int to, int64_t year)
{
    const struct zone_edge *edge = &rule->edge[to];
    int64_t day;

    if (edge->kind == ZONE_MONTH)
        day = weekday_of_month(edge, year);
    else if (edge->kind == ZONE_JULIAN)
        day = new_year(year) + edge->day - 1 + (leap(year) && edge->day >= 60);
    else
        day = new_year(year) + edge->day;
    return day * DAY_S + edge->second - rule->offset_s[!to];
}

/*
 * The calendar repeats after 400 years, so any instant is looked up in those behind 1970. Where
 * both edges meet, it stays summer.
 */
struct rv_zone_span zone_rule_at(const struct zone_rule *rule, int64_t utc_s)
{
    const int64_t cycle = (int64_t)DAYS_OF_400_YEARS * DAY_S;
    int64_t at = (utc_s % cycle + cycle) % cycle,
            guess = 1970 + at / DAY_S * 400 / DAYS_OF_400_YEARS;
    int64_t from = INT64_MIN, until = INT64_MAX;
    int which = 0;

    if (rule->changes)
        for (int64_t year = guess - 2; year <= guess + 2; year++)
            for (int to = 0; to < 2; to++) {
                int64_t edge = edge_s(rule, to, year);

                if (edge > at) {
                    until = edge < until ? edge : until;
                } else if (edge >= from) {
                    from = edge;
                    which = to;
                }
            }
    return (struct rv_zone_span){
        .from_s = from == INT64_MIN ? from : zone_plus(utc_s, from - at),
        .until_s = until == INT64_MAX ? until : zone_plus(utc_s, until - at),
        .offset_s = rule->offset_s[which],
        .is_dst = which,
        .abbreviation = rule->name[which],
    };
}
