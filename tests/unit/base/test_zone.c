#include "support/rv_test.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/time.h"
#include "base/zone.h"

/* A TZif file of our own: a type per name, a change at each time into the type beside it. */
struct made {
    char version;
    uint32_t n_times, n_types, leaps;
    int64_t times[4];
    char kinds[4];
    int32_t offsets[3];
    const char *names; /* of four bytes each, with their NULs */
    const char *footer;
};

static void put(struct rv_buf *file, int64_t value, int size)
{
    for (int i = size - 1; i >= 0; i--)
        rv_buf_add(file, &(char){ (char)((uint64_t)value >> (8 * i)) }, 1);
}

static void put_block(struct rv_buf *file, const struct made *made, int time_size)
{
    rv_buf_add(file, "TZif", 4);
    rv_buf_add(file, &made->version, 1);
    rv_buf_add(file, (char[15]){ 0 }, 15);
    put(file, 0, 8);
    put(file, made->leaps, 4);
    put(file, made->n_times, 4);
    put(file, made->n_types, 4);
    put(file, made->n_types * 4, 4);
    for (uint32_t i = 0; i < made->n_times; i++)
        put(file, made->times[i], time_size);
    rv_buf_add(file, made->kinds, made->n_times);
    for (uint32_t i = 0; i < made->n_types; i++) {
        put(file, made->offsets[i], 4);
        put(file, i == 1, 1);
        put(file, 4 * i, 1);
    }
    rv_buf_add(file, made->names, made->n_types * 4);
}

static void put_file(struct rv_buf *file, const struct made *made)
{
    put_block(file, made, 4);
    if (made->version == 0)
        return;
    put_block(file, made, 8);
    rv_buf_printf(file, "\n%s\n", made->footer);
}

static struct rv_zone *make(const struct made *made)
{
    auto_buf file = { 0 };

    put_file(&file, made);
    return rv_zone_read(file.data, file.len);
}

static struct rv_zone *ruled(const char *footer)
{
    return make(&(struct made){ .version = '3', .n_types = 1, .names = "LMT", .footer = footer });
}

static int64_t s(const char *text)
{
    int64_t ms;

    if (!rv_time_parse(text, &ms))
        fail_msg("%s is no time", text);
    return ms / 1000;
}

static const struct made two_changes = {
    .version = '2',
    .n_times = 2,
    .n_types = 3,
    .times = { -3000000000, 1000000 },
    .kinds = { 1, 2 },
    .offsets = { 600, 7200, -3600 },
    .names = "LMT\0SUM\0WIN",
    .footer = "",
};

static void the_first_type_holds_before_all_changes_and_the_last_after(void **state)
{
    struct rv_zone *zone = make(&two_changes);
    struct rv_zone_span span = rv_zone_at(zone, INT64_MIN);

    assert_string_equal(span.abbreviation, "LMT");
    assert_int_equal(span.offset_s, 600);
    assert_true(span.from_s == INT64_MIN && span.until_s == -3000000000);
    span = rv_zone_at(zone, 999999);
    assert_string_equal(span.abbreviation, "SUM");
    assert_true(span.is_dst && span.from_s == -3000000000 && span.until_s == 1000000);
    span = rv_zone_at(zone, INT64_MAX);
    assert_string_equal(span.abbreviation, "WIN");
    assert_true(!span.is_dst && span.from_s == 1000000 && span.until_s == INT64_MAX);
    rv_zone_free(zone);
}

static void the_first_version_has_short_times_and_no_footer(void **state)
{
    struct made old = two_changes;
    struct rv_zone *zone;

    old.version = 0;
    old.times[0] = -2000000000;
    zone = make(&old);
    assert_int_equal(rv_zone_at(zone, -1999999999).offset_s, 7200);
    assert_int_equal(rv_zone_at(zone, -2000000001).offset_s, 600);
    rv_zone_free(zone);
}

static void a_rule_goes_on_where_the_list_ends(void **state)
{
    static const struct {
        const char *footer, *at;
        int offset_s;
        const char *name;
    } rows[] = {
        { "CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T00:59:59Z", 3600, "CET" },
        { "CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T01:00:00Z", 7200, "CEST" },
        { "CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T00:59:59Z", 7200, "CEST" },
        { "CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T01:00:00Z", 3600, "CET" },
        { "CET-1CEST,M3.5.0,M10.5.0/3", "9999-07-01T00:00:00Z", 7200, "CEST" },
        { "CET-1CEST,M3.5.0,M10.5.0/3", "0001-01-01T00:00:00Z", 3600, "CET" },
        { "EST5EDT,M3.2.0,M11.1.0", "2026-03-08T07:00:00Z", -14400, "EDT" },
        { "EST5EDT,M3.2.0,M11.1.0", "2026-11-01T06:00:00Z", -18000, "EST" },
        { "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2026-01-01T00:00:00Z", 39600, "+11" },
        { "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2026-07-01T00:00:00Z", 37800, "+1030" },
        { "IST-1GMT0,M10.5.0,M3.5.0/1", "2026-01-01T00:00:00Z", 0, "GMT" },
        { "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59Z", -7200, "-02" },
        { "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00Z", -3600, "-01" },
        { "EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-03-28T00:00:00Z", 10800, "EEST" },
        { "AAA0BBB,J60/0,J300/0", "2024-03-01T00:00:00Z", 3600, "BBB" },
        { "AAA0BBB,J60/0,J300/0", "2024-02-29T23:59:59Z", 0, "AAA" },
        { "AAA0BBB,J60/0,J300/0", "2023-03-01T00:00:00Z", 3600, "BBB" },
        { "AAA0BBB,59/0,300/0", "2024-02-29T00:00:00Z", 3600, "BBB" },
        { "AAA0BBB,59/0,300/0", "2023-02-28T23:59:59Z", 0, "AAA" },
        { "XXX3EDT4,0/0,J365/23", "2027-01-01T02:59:59Z", -14400, "EDT" },
        { "XXX3EDT4,0/0,J365/23", "2027-01-01T03:00:00Z", -14400, "EDT" },
        { "EST5EDT,0/0,J365/25", "2027-01-01T05:00:00Z", -14400, "EDT" },
        { "JST-9", "2500-01-01T00:00:00Z", 32400, "JST" },
        { "ABC-1:02:03", "2026-01-01T00:00:00Z", 3723, "ABC" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rv_zone *zone = ruled(rows[i].footer);
        struct rv_zone_span span;

        assert_non_null(zone);
        span = rv_zone_at(zone, s(rows[i].at));
        if (span.offset_s != rows[i].offset_s || strcmp(span.abbreviation, rows[i].name) != 0)
            fail_msg("%s at %s: %d %s", rows[i].footer, rows[i].at, span.offset_s,
                     span.abbreviation);
        rv_zone_free(zone);
    }
}

static void spans_of_a_rule_meet_without_holes_for_thousands_of_years(void **state)
{
    struct rv_zone *zone = ruled("CET-1CEST,M3.5.0,M10.5.0/3");
    struct rv_zone_span span = rv_zone_at(zone, s("0001-01-01T00:00:00Z"));

    while (span.until_s < s("9999-12-31T00:00:00Z")) {
        struct rv_zone_span next = rv_zone_at(zone, span.until_s);

        assert_true(next.from_s == span.until_s && next.until_s > next.from_s);
        assert_true(next.is_dst != span.is_dst);
        span = next;
    }
    assert_true(rv_zone_at(zone, INT64_MAX).until_s == INT64_MAX);
    assert_true(rv_zone_at(zone, INT64_MIN).from_s == INT64_MIN);
    rv_zone_free(zone);
}

static void a_list_of_changes_bounds_the_rule_behind_it(void **state)
{
    struct made made = two_changes;
    struct rv_zone *zone;

    made.footer = "CET-1CEST,M3.5.0,M10.5.0/3";
    zone = make(&made);
    assert_true(rv_zone_at(zone, 1000001).from_s == 1000000);
    assert_string_equal(rv_zone_at(zone, 1000001).abbreviation, "CET");
    assert_string_equal(rv_zone_at(zone, 999999).abbreviation, "SUM");
    rv_zone_free(zone);
}

static void a_gap_is_told_with_both_readings_and_the_jump(void **state)
{
    struct rv_zone *zone = ruled("CET-1CEST,M3.5.0,M10.5.0/3");
    struct rv_zone_local gap = rv_zone_local(zone, s("2026-03-29T02:30:00Z"));

    assert_int_equal(gap.fit, RV_ZONE_GAP);
    assert_true(gap.first_s == s("2026-03-29T01:30:00Z"));
    assert_true(gap.second_s == s("2026-03-29T00:30:00Z"));
    assert_true(gap.jump_s == s("2026-03-29T01:00:00Z"));
    assert_int_equal(rv_zone_local(zone, s("2026-03-29T01:59:59Z")).fit, RV_ZONE_ONCE);
    assert_int_equal(rv_zone_local(zone, s("2026-03-29T02:00:00Z")).fit, RV_ZONE_GAP);
    assert_int_equal(rv_zone_local(zone, s("2026-03-29T02:59:59Z")).fit, RV_ZONE_GAP);
    assert_int_equal(rv_zone_local(zone, s("2026-03-29T03:00:00Z")).fit, RV_ZONE_ONCE);
    rv_zone_free(zone);
}

static void an_overlap_is_told_with_both_instants(void **state)
{
    struct rv_zone *zone = ruled("CET-1CEST,M3.5.0,M10.5.0/3");
    struct rv_zone_local twice = rv_zone_local(zone, s("2026-10-25T02:30:00Z"));

    assert_int_equal(twice.fit, RV_ZONE_TWICE);
    assert_true(twice.first_s == s("2026-10-25T00:30:00Z"));
    assert_true(twice.second_s == s("2026-10-25T01:30:00Z"));
    assert_int_equal(rv_zone_local(zone, s("2026-10-25T01:59:59Z")).fit, RV_ZONE_ONCE);
    assert_int_equal(rv_zone_local(zone, s("2026-10-25T02:00:00Z")).fit, RV_ZONE_TWICE);
    assert_int_equal(rv_zone_local(zone, s("2026-10-25T02:59:59Z")).fit, RV_ZONE_TWICE);
    assert_int_equal(rv_zone_local(zone, s("2026-10-25T03:00:00Z")).fit, RV_ZONE_ONCE);
    rv_zone_free(zone);
}

static void utc_needs_no_file_and_the_ends_of_time_are_read_too(void **state)
{
    struct rv_zone *zone = ruled("CET-1CEST,M3.5.0,M10.5.0/3");

    assert_int_equal(rv_zone_at(NULL, 12345).offset_s, 0);
    assert_string_equal(rv_zone_at(NULL, 12345).abbreviation, "UTC");
    assert_true(rv_zone_local(NULL, 12345).first_s == 12345);
    rv_zone_local(NULL, INT64_MIN);
    rv_zone_local(NULL, INT64_MAX);
    rv_zone_local(zone, INT64_MIN);
    rv_zone_local(zone, INT64_MAX);
    rv_zone_free(zone);
}

static void refuses_a_file_cut_anywhere(void **state)
{
    auto_buf file = { 0 };

    put_file(&file, &two_changes);
    for (size_t len = 1; len < file.len; len++) {
        char *copy = malloc(len); /* of its own, so that a step over the end is seen */

        memcpy(copy, file.data, len);
        if (rv_zone_read(copy, len))
            fail_msg("%zu of %zu bytes were read", len, file.len);
        free(copy);
    }
}

static void refuses_what_is_no_zone(void **state)
{
    static const char *const footers[] = {
        "CET",
        "C-1",
        "CET-1CEST",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.0.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,J0,J10",
        "CET-1CEST,366,10",
        "CET-1CEST,M3.5.0/168,M10.5.0",
        "CET-25",
        "CET-1:60",
        "<CET-1",
        "<+1>-1",
        "CET-1CEST,M3.5.0,M10.5.0/3x",
        "CET-99999999999999999999",
        "CET-1CEST,M3.5.0,M10.5.0/",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGH-1",
    };
    struct made rows[6];

    for (size_t i = 0; i < sizeof(footers) / sizeof(footers[0]); i++)
        if (ruled(footers[i]))
            fail_msg("%s was read", footers[i]);
    for (size_t i = 0; i < 6; i++)
        rows[i] = two_changes;
    rows[0].leaps = 1;
    rows[1].times[0] = 1000000; /* twice the same */
    rows[2].kinds[1] = 3;
    rows[3].offsets[1] = 26 * 3600;
    rows[4].names = "LMT\0SUM\0WINT";
    rows[5].n_types = 0;
    for (size_t i = 0; i < 6; i++)
        if (make(&rows[i]))
            fail_msg("row %zu was read", i);
    assert_null(rv_zone_read("TZif", 4));
    assert_null(rv_zone_read("", 0));
}

static void reads_fixed_offsets(void **state)
{
    static const struct {
        const char *text;
        int32_t offset_s;
    } rows[] = {
        { "+02:00", 7200 },  { "-08:30", -30600 }, { "02:00", 7200 },
        { "-00:30", -1800 }, { "+00:00", 0 },      { "23:59", 86340 },
    };
    static const char *const none[] = { "",       "2:00",  "+2:00",   "24:00",  "02:60",
                                        "0200",   "+02:0", "+02:000", "++2:00", "+02-00",
                                        "-a2:00", "+",     " 02:00",  "02:00 ", "UTC" };
    int32_t offset;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(rv_zone_fixed(rows[i].text, strlen(rows[i].text), &offset));
        assert_int_equal(offset, rows[i].offset_s);
    }
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        if (rv_zone_fixed(none[i], strlen(none[i]), &offset))
            fail_msg("'%s' was read", none[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(the_first_type_holds_before_all_changes_and_the_last_after),
        RV_TEST(the_first_version_has_short_times_and_no_footer),
        RV_TEST(a_rule_goes_on_where_the_list_ends),
        RV_TEST(spans_of_a_rule_meet_without_holes_for_thousands_of_years),
        RV_TEST(a_list_of_changes_bounds_the_rule_behind_it),
        RV_TEST(a_gap_is_told_with_both_readings_and_the_jump),
        RV_TEST(an_overlap_is_told_with_both_instants),
        RV_TEST(utc_needs_no_file_and_the_ends_of_time_are_read_too),
        RV_TEST(refuses_a_file_cut_anywhere),
        RV_TEST(refuses_what_is_no_zone),
        RV_TEST(reads_fixed_offsets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
