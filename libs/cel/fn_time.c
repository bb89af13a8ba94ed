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

struct cel_value cel_time_add(struct cel_run *run, const struct cel_value *args, size_t n_args)
{
    const struct cel_value *when = args[0].kind == CEL_TIMESTAMP ? &args[0] : &args[1];
    int64_t whole, by = when == &args[0] ? args[1].whole : args[0].whole;

    (void)n_args;
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

struct cel_value cel_time_subtract(struct cel_run *run, const struct cel_value *args, size_t n_args)
{
    int64_t by = args[1].whole, whole;

    (void)n_args;
    if (args[1].kind == CEL_TIMESTAMP)
        return between(run, args[0], args[1]);
    if (args[0].kind == CEL_TIMESTAMP)
        return in_range(run,
                        cel_timestamp_of(args[0].whole - by / BILLION, args[0].len - by % BILLION));
    if (__builtin_sub_overflow(args[0].whole, by, &whole))
        return too_long(run);
    return cel_duration(whole);
}

/* What a clock shows, as seconds of its own since 1970. CEL_ERROR when nobody knows the place. */
static struct cel_value shown(struct cel_run *run, const struct cel_value *args, size_t n_args)
{
    const struct rv_zone *zone = NULL;
    int32_t offset_s = 0;

    if (n_args == 1 || (args[1].len == 3 && memcmp(args[1].text, "UTC", 3) == 0))
        return cel_int(args[0].whole);
    if (rv_zone_fixed(args[1].text, args[1].len, &offset_s))
        return cel_int(args[0].whole + offset_s);
    if (run->zones)
        zone = rv_zones_find(run->zones, args[1].text, args[1].len);
    if (!zone)
        return cel_fail(run, "there is no time zone \"%.*s\"",
                        args[1].len > 60 ? 60 : (int)args[1].len, args[1].text);
    return cel_int(args[0].whole + rv_zone_at(zone, args[0].whole).offset_s);
}

#define GETTER(name, expression)                                                                   \
    static struct cel_value get_##name(struct cel_run *run, const struct cel_value *args,          \
                                       size_t n_args)                                              \
    {                                                                                              \
        struct cel_value local = shown(run, args, n_args);                                         \
        int64_t days, second;                                                                      \
        struct cel_day day;                                                                        \
                                                                                                   \
        if (local.kind == CEL_ERROR)                                                               \
            return local;                                                                          \
        days = local.whole / DAY_S - (local.whole % DAY_S < 0);                                    \
        second = local.whole - days * DAY_S;                                                       \
        day = cel_day_of(days);                                                                    \
        (void)second;                                                                              \
        (void)day;                                                                                 \
        return cel_int(expression);                                                                \
    }
GETTER(year, day.year)
GETTER(month, day.month - 1)
GETTER(date, day.day)
GETTER(day_of_month, day.day - 1)
GETTER(day_of_week, day.of_week)
GETTER(day_of_year, day.of_year)
GETTER(hours, second / 3600)
GETTER(minutes, second / 60 % 60)
GETTER(seconds, second % 60)
GETTER(milliseconds, args[0].len / 1000000)

#define TOTAL(name, expression)                                                                    \
    static struct cel_value total_##name(struct cel_run *run, const struct cel_value *args,        \
                                         size_t n_args)                                            \
    {                                                                                              \
        (void)run;                                                                                 \
        (void)n_args;                                                                              \
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
