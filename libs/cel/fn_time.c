/* Timestamps and durations: arithmetic, and what a clock somewhere shows. */

#include "base/zones.h"
#include "cel/functions.h"
#include "cel/time_text.h"

enum { DAY_S = 86400, BILLION = 1000000000 };

static struct cel_value in_range(struct cel_run *run, struct cel_value timestamp)
{
    return timestamp.kind == CEL_NONE ? cel_fail(run, "the timestamp is out of range") : timestamp;
}

static struct cel_value too_long(struct cel_run *run)
{
    return cel_fail(run, "the duration is out of range");
}

CEL_FUNCTION(cel_time_add)
{
    const struct cel_value *when = args[0].kind == CEL_TIMESTAMP ? &args[0] : &args[1];
    int64_t whole, by = when == &args[0] ? args[1].whole : args[0].whole;

    if (when->kind == CEL_TIMESTAMP)
        return in_range(run,
                        cel_timestamp_of(when->whole + by / BILLION, when->len + by % BILLION));
    if (__builtin_add_overflow(args[0].whole, args[1].whole, &whole))
        return too_long(run);
    return cel_duration(whole);
}

static struct cel_value between(struct cel_run *run, struct cel_value late, struct cel_value early)
{
    int64_t whole;

    if (__builtin_mul_overflow(late.whole - early.whole, BILLION, &whole) ||
        __builtin_add_overflow(whole, (int64_t)late.len - early.len, &whole))
        return too_long(run);
    return cel_duration(whole);
}

CEL_FUNCTION(cel_time_subtract)
{
    int64_t by = args[1].whole, whole;

    if (args[1].kind == CEL_TIMESTAMP)
        return between(run, args[0], args[1]);
    if (args[0].kind == CEL_TIMESTAMP)
        return in_range(run,
                        cel_timestamp_of(args[0].whole - by / BILLION, args[0].len - by % BILLION));
    if (__builtin_sub_overflow(args[0].whole, by, &whole))
        return too_long(run);
    return cel_duration(whole);
}

/* What a clock somewhere shows; months and days count as the language counts them. */
struct shown {
    int64_t year, month, date, day_of_month, day_of_week, day_of_year;
    int64_t hours, minutes, seconds, milliseconds;
};

/* Seconds east of UTC at the place that the second argument names, if there is one. */
static bool find_offset(const struct cel_run *run, const struct cel_value *args, size_t n_args,
                        int32_t *offset_s)
{
    const struct rv_zone *zone = NULL;

    *offset_s = 0;
    if (n_args == 1 || (args[1].len == 3 && memcmp(args[1].text, "UTC", 3) == 0) ||
        rv_zone_fixed(args[1].text, args[1].len, offset_s))
        return true;
    if (run->zones)
        zone = rv_zones_find(run->zones, args[1].text, args[1].len);
    if (zone)
        *offset_s = rv_zone_at(zone, args[0].whole).offset_s;
    return zone != NULL;
}

static bool look(const struct cel_run *run, const struct cel_value *args, size_t n_args,
                 struct shown *shown)
{
    int32_t offset_s;
    int64_t local, days, second;
    struct cel_day day;

    if (!find_offset(run, args, n_args, &offset_s))
        return false;
    local = args[0].whole + offset_s;
    days = local / DAY_S - (local % DAY_S < 0);
    second = local - days * DAY_S;
    day = cel_day_of(days);
    *shown = (struct shown){
        .year = day.year,
        .month = day.month - 1,
        .date = day.day,
        .day_of_month = day.day - 1,
        .day_of_week = day.of_week,
        .day_of_year = day.of_year,
        .hours = second / 3600,
        .minutes = second / 60 % 60,
        .seconds = second % 60,
        .milliseconds = args[0].len / 1000000,
    };
    return true;
}

static struct cel_value no_zone(struct cel_run *run, struct cel_value name)
{
    return cel_fail(run, "there is no time zone \"%.*s\"", name.len > 60 ? 60 : (int)name.len,
                    name.text);
}

#define GETTER(name)                                                                               \
    static CEL_FUNCTION(get_##name)                                                                \
    {                                                                                              \
        struct shown shown;                                                                        \
                                                                                                   \
        return look(run, args, n_args, &shown) ? cel_int(shown.name) : no_zone(run, args[1]);      \
    }
GETTER(year)
GETTER(month)
GETTER(date)
GETTER(day_of_month)
GETTER(day_of_week)
GETTER(day_of_year)
GETTER(hours)
GETTER(minutes)
GETTER(seconds)
GETTER(milliseconds)

#define TOTAL(name, expression)                                                                    \
    static CEL_FUNCTION(total_##name)                                                              \
    {                                                                                              \
        return cel_int(args[0].whole expression);                                                  \
    }
TOTAL(hours, / BILLION / 3600)
TOTAL(minutes, / BILLION / 60)
TOTAL(seconds, / BILLION)
TOTAL(milliseconds, % BILLION / 1000000)

/* clang-format off */
#define WITH_ZONE(name, call)                      \
    { name, CEL_METHOD, "t:i",  call, false },     \
    { name, CEL_METHOD, "ts:i", call, false }

const struct cel_function cel_fn_time[] = {
    WITH_ZONE("getFullYear",     get_year),
    WITH_ZONE("getMonth",        get_month),
    WITH_ZONE("getDate",         get_date),
    WITH_ZONE("getDayOfMonth",   get_day_of_month),
    WITH_ZONE("getDayOfWeek",    get_day_of_week),
    WITH_ZONE("getDayOfYear",    get_day_of_year),
    WITH_ZONE("getHours",        get_hours),
    { "getHours",        CEL_METHOD, "D:i", total_hours,        false },
    WITH_ZONE("getMinutes",      get_minutes),
    { "getMinutes",      CEL_METHOD, "D:i", total_minutes,      false },
    WITH_ZONE("getSeconds",      get_seconds),
    { "getSeconds",      CEL_METHOD, "D:i", total_seconds,      false },
    WITH_ZONE("getMilliseconds", get_milliseconds),
    { "getMilliseconds", CEL_METHOD, "D:i", total_milliseconds, false },
    { 0 },
};
/* clang-format on */
