#include "support/rv_test.h"

#include "base/time.h"

static void reads_what_rfc_3339_allows(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "1969-12-31T23:59:59.999Z", -1 },
        { "2026-11-20T07:01:48.123Z", 1795158108123 },
        { "2026-11-20t07:01:48.123456789z", 1795158108123 },
        { "2026-11-20 08:01:48.1+01:00", 1795158108100 },
        { "2026-11-19T23:31:48-07:30", 1795158108000 },
        { "2000-02-29T00:00:00Z", 951782400000 },
        { "2016-12-31T23:59:60Z", 1483228800000 },
        { "0001-01-01T00:00:00Z", -62135596800000 },
        { "9999-12-31T23:59:59.999Z", 253402300799999 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ms = 12345;

        if (!rv_time_parse(rows[i].text, &ms) || ms != rows[i].ms)
            fail_msg("%s was read as %lld", rows[i].text, (long long)ms);
    }
}

static void refuses_what_is_no_time(void **state)
{
    static const char *const rows[] = {
        "",
        "2026",
        "2026-11-20",
        "2026-11-20T07:01:48",
        "2026-11-20T07:01Z",
        "2026-13-20T07:01:48Z",
        "2026-00-20T07:01:48Z",
        "2026-02-29T07:01:48Z",
        "1900-02-29T00:00:00Z",
        "2026-04-31T07:01:48Z",
        "2026-11-20T24:00:00Z",
        "2026-11-20T07:60:00Z",
        "2026-11-20T07:00:61Z",
        "2026-11-20T07:01:48.Z",
        "2026-11-20T07:01:48.1234567890Z",
        "2026-11-20T07:01:48+0100",
        "2026-11-20T07:01:48+24:00",
        "2026-11-20T07:01:48Zx",
        " 2026-11-20T07:01:48Z",
        "26-11-20T07:01:48Z",
        "2026/11/20T07:01:48Z",
        "+2026-11-20T07:01:48Z",
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ms;

        if (rv_time_parse(rows[i], &ms))
            fail_msg("%s was read", rows[i]);
    }
}

static void what_is_written_is_read_back(void **state)
{
    struct rv_ctx *cx = *state;

    assert_string_equal(rv_time_text(cx, 1795158108123), "2026-11-20T07:01:48.123Z");
    assert_string_equal(rv_time_text(cx, -1), "1969-12-31T23:59:59.999Z");
    for (int64_t ms = -62135596800000; ms < 253402300799999; ms += 86400000LL * 97 + 12345) {
        int64_t back;

        assert_true(rv_time_parse(rv_time_text(cx, ms), &back));
        assert_true(back == ms);
    }
}

static void the_monotonic_clock_measures_a_sleep(void **state)
{
    int64_t start = rv_monotonic_ms();

    rv_sleep_ms(0);
    rv_sleep_ms(20);
    assert_true(rv_monotonic_ms() - start >= 19);
    assert_true(rv_now_ms() > 1700000000000);
    assert_true(rv_monotonic_ns() / 1000000 >= start);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(reads_what_rfc_3339_allows),
        RV_TEST(refuses_what_is_no_time),
        RV_TEST(what_is_written_is_read_back),
        RV_TEST(the_monotonic_clock_measures_a_sleep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
