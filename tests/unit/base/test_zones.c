#include "support/rv_test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "base/zones.h"

static struct rv_zones *zones;

static const struct rv_zone *find(const char *name)
{
    return rv_zones_find(zones, name, strlen(name));
}

static int open_system(void **state)
{
    zones = rv_zones_new(NULL);
    return open_ctx(state);
}

static int close_zones(void **state)
{
    rv_zones_free(zones);
    return close_ctx(state);
}

#define WITH_SYSTEM(function) cmocka_unit_test_setup_teardown(function, open_system, close_zones)

/* A machine may have no zones, or no old ones: then there is nothing to compare with. */
static void need_system(void)
{
    if (!find("Europe/Berlin"))
        skip();
}

static int64_t s(const char *text)
{
    int64_t ms;

    if (!rv_time_parse(text, &ms))
        fail_msg("%s is no time", text);
    return ms / 1000;
}

static void clocks_of_the_world_show_what_they_showed(void **state)
{
    /* clang-format off */
    static const struct {
        const char *name, *at;
        int offset_s;
        bool is_dst;
        const char *abbreviation;
    } rows[] = {
        { "UTC",                 "2026-07-01T00:00:00Z",      0, false, "UTC" },
        { "Europe/Berlin",       "1900-06-01T12:00:00Z",   3600, false, "CET" },
        { "Europe/Berlin",       "1945-06-01T12:00:00Z",  10800, true,  "CEMT" },
        { "Europe/Berlin",       "2026-03-29T00:59:59Z",   3600, false, "CET" },
        { "Europe/Berlin",       "2026-03-29T01:00:00Z",   7200, true,  "CEST" },
        { "Europe/Berlin",       "2026-10-25T00:59:59Z",   7200, true,  "CEST" },
        { "Europe/Berlin",       "2026-10-25T01:00:00Z",   3600, false, "CET" },
        { "Europe/Berlin",       "2099-07-01T00:00:00Z",   7200, true,  "CEST" },
        { "America/New_York",    "1918-07-01T00:00:00Z", -14400, true,  "EDT" },
        { "America/New_York",    "2007-03-11T07:00:00Z", -14400, true,  "EDT" },
        { "America/New_York",    "2100-12-31T23:59:59Z", -18000, false, "EST" },
        { "Australia/Lord_Howe", "2026-01-01T00:00:00Z",  39600, true,  "+11" },
        { "Australia/Lord_Howe", "2026-07-01T00:00:00Z",  37800, false, "+1030" },
        { "Australia/Lord_Howe", "2080-01-01T00:00:00Z",  39600, true,  "+11" },
        { "Africa/Casablanca",   "2019-08-01T12:00:00Z",   3600, false, "+01" },
        { "Asia/Tehran",         "2021-07-01T00:00:00Z",  16200, true,  "+0430" },
        { "Asia/Tehran",         "2026-07-01T00:00:00Z",  12600, false, "+0330" },
        { "Pacific/Apia",        "2011-12-30T09:59:59Z", -36000, true,  "-10" },
        { "Pacific/Apia",        "2011-12-30T10:00:00Z",  50400, true,  "+14" },
        { "Asia/Kathmandu",      "1985-12-31T18:29:59Z",  19800, false, "+0530" },
        { "Asia/Kathmandu",      "1985-12-31T18:30:00Z",  20700, false, "+0545" },
        { "America/St_Johns",    "2005-07-01T00:00:00Z",  -9000, true,  "NDT" },
        { "Pacific/Chatham",     "2045-01-15T00:00:00Z",  49500, true,  "+1345" },
        { "America/Sao_Paulo",   "2060-01-15T00:00:00Z", -10800, false, "-03" },
        { "Africa/Monrovia",     "1960-01-15T00:00:00Z",  -2670, false, "MMT" },
        { "Etc/GMT+5",           "2026-01-15T00:00:00Z", -18000, false, "-05" },
    };
    /* clang-format on */

    need_system();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rv_zone_span span = rv_zone_at(find(rows[i].name), s(rows[i].at));

        if (span.offset_s != rows[i].offset_s || span.is_dst != rows[i].is_dst ||
            strcmp(span.abbreviation, rows[i].abbreviation) != 0)
            fail_msg("%s at %s: %d %d %s", rows[i].name, rows[i].at, span.offset_s, span.is_dst,
                     span.abbreviation);
    }
}

static void a_day_that_samoa_never_had_is_a_gap(void **state)
{
    struct rv_zone_local local;

    need_system();
    local = rv_zone_local(find("Pacific/Apia"), s("2011-12-30T12:00:00Z"));
    assert_int_equal(local.fit, RV_ZONE_GAP);
    assert_true(local.jump_s == s("2011-12-30T10:00:00Z"));
    assert_true(local.first_s == s("2011-12-30T22:00:00Z"));
}

static void half_an_hour_comes_twice_on_lord_howe(void **state)
{
    struct rv_zone_local local;

    need_system();
    local = rv_zone_local(find("Australia/Lord_Howe"), s("2026-04-05T01:45:00Z"));
    assert_int_equal(local.fit, RV_ZONE_TWICE);
    assert_true(local.second_s - local.first_s == 1800);
    local = rv_zone_local(find("Australia/Lord_Howe"), s("2026-04-05T01:15:00Z"));
    assert_int_equal(local.fit, RV_ZONE_ONCE);
}

static void every_instant_is_found_again_by_its_local_time(void **state)
{
    static const char *const names[] = { "Europe/Berlin",  "America/New_York", "Asia/Tehran",
                                         "Africa/Cairo",   "Pacific/Apia",     "Europe/Dublin",
                                         "Asia/Kathmandu", "Africa/Casablanca" };

    need_system();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        for (int64_t at = s("1900-01-01T00:00:00Z"); at < s("2100-01-01T00:00:00Z");
             at += 86400 * 3 + 4567) {
            const struct rv_zone *zone = find(names[i]);
            struct rv_zone_span span = rv_zone_at(zone, at);
            struct rv_zone_local local = rv_zone_local(zone, at + span.offset_s);

            assert_true(span.from_s <= at && at < span.until_s);
            if (local.fit == RV_ZONE_GAP || (local.first_s != at && local.second_s != at))
                fail_msg("%s at %lld", names[i], (long long)at);
        }
}

static void a_zone_is_read_once(void **state)
{
    need_system();
    assert_ptr_equal(find("Europe/Berlin"), find("Europe/Berlin"));
    assert_ptr_not_equal(find("Europe/Berlin"), find("Europe/Paris"));
    assert_ptr_equal(rv_zones_find(zones, "Europe/BerlinX", 13), find("Europe/Berlin"));
}

static void no_name_leaves_the_folder(void **state)
{
    static const char *const rows[] = {
        "",
        "/etc/localtime",
        "../zoneinfo/UTC",
        "Europe/../UTC",
        "./UTC",
        "Europe//Berlin",
        "Europe/Berlin/",
        "Europe",
        "Europe/Berlin ",
        "Europe\\Berlin",
        "europe/nowhere",
        "tzdata.zi",
        "posix/UTC",
        "right/UTC",
        "localtime",
        "posixrules",
        "Europe/Berlin\n",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (find(rows[i]))
            fail_msg("'%s' was found", rows[i]);
    assert_null(rv_zones_find(zones, "UTC\0C", 5));
}

static void what_is_no_plain_zone_file_is_no_zone(void **state)
{
    static const char *const names[] = { "Garbage", "Empty", "Long", "Pipe", "Folder" };
    char folder[] = "/tmp/test_zones.XXXXXX", path[5][64];

    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < 5; i++) {
        snprintf(path[i], sizeof(path[i]), "%s/%s", folder, names[i]);
        if (i < 3) {
            FILE *file = fopen(path[i], "w");

            assert_non_null(file);
            fputs(i == 0 ? "TZif2 and then nothing" : "", file);
            assert_int_equal(ftruncate(fileno(file), i == 2 ? RV_ZONE_FILE_MAX + 1
                                                     : i    ? 0
                                                            : 22),
                             0);
            fclose(file);
        }
    }
    assert_int_equal(mkfifo(path[3], 0600), 0);
    assert_int_equal(mkdir(path[4], 0700), 0);
    rv_zones_free(zones);
    zones = rv_zones_new(folder);
    for (size_t i = 0; i < 5; i++) {
        assert_null(find(names[i]));
        assert_int_equal(remove(path[i]), 0);
    }
    assert_int_equal(rmdir(folder), 0);
}

static void *find_many(void *seen)
{
    static const char *const names[] = { "UTC", "Europe/Berlin", "Asia/Tokyo", "America/Lima" };

    for (int i = 0; i < 4; i++)
        ((const struct rv_zone **)seen)[i] = find(names[i]);
    return NULL;
}

static void threads_that_meet_get_the_same_zone(void **state)
{
    const struct rv_zone *seen[4][4];
    pthread_t threads[4];

    need_system();
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, find_many, (void *)seen[i]), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 1; i < 4; i++)
        assert_memory_equal((const void *)seen[i], (const void *)seen[0], sizeof(seen[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(clocks_of_the_world_show_what_they_showed),
        WITH_SYSTEM(a_day_that_samoa_never_had_is_a_gap),
        WITH_SYSTEM(half_an_hour_comes_twice_on_lord_howe),
        WITH_SYSTEM(every_instant_is_found_again_by_its_local_time),
        WITH_SYSTEM(a_zone_is_read_once),
        WITH_SYSTEM(no_name_leaves_the_folder),
        WITH_SYSTEM(what_is_no_plain_zone_file_is_no_zone),
        WITH_SYSTEM(threads_that_meet_get_the_same_zone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
