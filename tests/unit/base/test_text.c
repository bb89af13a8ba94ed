#include "support/rv_test.h"

#include "base/buf.h"
#include "base/text.h"

static void compares_text(void **state)
{
    assert_true(rv_text_same(NULL, NULL));
    assert_false(rv_text_same(NULL, ""));
    assert_true(rv_text_same("a", "a"));
    assert_true(rv_text_starts("reeve.ev", "reeve."));
    assert_false(rv_text_starts("re", "reeve."));
    assert_true(rv_text_ends("a.sql", ".sql"));
    assert_false(rv_text_ends("sql", ".sql"));
}

static void globs_match_whole_texts(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool match;
    } rows[] = {
        { "", "", true },
        { "", "a", false },
        { "*", "", true },
        { "*", "abc", true },
        { "a*", "abc", true },
        { "*c", "abc", true },
        { "a*c", "abbc", true },
        { "a*c", "abcd", false },
        { "a?c", "abc", true },
        { "a?c", "ac", false },
        { "a?c", "aüc", true },
        { "??", "ü", false },
        { "gpt-*", "gpt-4o", true },
        { "*a*b*", "xxaxxbxx", true },
        { "[a]", "a", false },
        { "*.*", "a.b", true },
        { "a**b", "ab", true },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rv_text_glob(rows[i].pattern, rows[i].text) != rows[i].match)
            fail_msg("%s on %s", rows[i].pattern, rows[i].text);
}

static void a_hostile_glob_ends_soon(void **state)
{
    char pattern[201], text[5001];

    for (int i = 0; i < 200; i += 2)
        memcpy(pattern + i, "*a", 2);
    pattern[199] = 'b';
    pattern[200] = '\0';
    memset(text, 'a', 5000);
    text[5000] = '\0';
    assert_false(rv_text_glob(pattern, text));
}

static void reads_whole_numbers(void **state)
{
    static const struct {
        const char *text;
        bool is;
        int64_t number;
    } rows[] = {
        { "0", true, 0 },
        { "-12", true, -12 },
        { "9223372036854775807", true, INT64_MAX },
        { "-9223372036854775808", true, INT64_MIN },
        { "9223372036854775808", false, 0 },
        { "-9223372036854775809", false, 0 },
        { "", false, 0 },
        { "-", false, 0 },
        { "+1", false, 0 },
        { " 1", false, 0 },
        { "1 ", false, 0 },
        { "0x1", false, 0 },
        { "1.0", false, 0 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t number = 0;

        assert_int_equal(rv_text_int(rows[i].text, &number), rows[i].is);
        assert_true(number == rows[i].number);
    }
}

static void reads_numbers(void **state)
{
    static const char *const bad[] = { "",   "inf", "nan",   "-inf", "0x10", "1e999", " 1",
                                       "1 ", "1,5", "1.5.2", "e",    "+1",   "--1" };
    double number;

    assert_true(rv_text_double("1.5e3", &number) && number >= 1500 && number <= 1500);
    assert_true(rv_text_double("-0.25", &number) && number >= -0.25 && number <= -0.25);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (rv_text_double(bad[i], &number))
            fail_msg("%s was read", bad[i]);
}

static void reads_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        { "250ms", 250 },  { "30s", 30000 },    { "5m", 300000 },
        { "2h", 7200000 }, { "7d", 604800000 }, { "0s", 0 },
        { "", -1 },        { "5", -1 },         { "s", -1 },
        { "-5s", -1 },     { "5 s", -1 },       { "1.5s", -1 },
        { "5S", -1 },      { "5sx", -1 },       { "106751991168d", -1 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ms = -1;

        assert_int_equal(rv_text_duration(rows[i].text, &ms), rows[i].ms >= 0);
        assert_true(rows[i].ms < 0 || ms == rows[i].ms);
    }
}

static void shows_times_and_money(void **state)
{
    struct rv_ctx *cx = *state;

    assert_string_equal(rv_text_show_ms(cx, 999), "999 ms");
    assert_string_equal(rv_text_show_ms(cx, 1499), "1.4 s");
    assert_string_equal(rv_text_show_ms(cx, 200000), "3 min 20 s");
    assert_string_equal(rv_text_show_ms(cx, 7500000), "2 h 5 min");
    assert_string_equal(rv_text_show_ms(cx, 180000000), "2 d 2 h");
    assert_string_equal(rv_text_show_usd(cx, 1230), "$0.001230");
    assert_string_equal(rv_text_show_usd(cx, -12500000), "-$12.500000");
}

static void measures_how_far_names_are(void **state)
{
    assert_int_equal(rv_text_distance("name", "name"), 0);
    assert_int_equal(rv_text_distance("nmae", "name"), 1);
    assert_int_equal(rv_text_distance("nam", "name"), 1);
    assert_int_equal(rv_text_distance("", "name"), 4);
    assert_int_equal(rv_text_distance("kitten", "sitting"), 3);
}

static void base64_goes_both_ways(void **state)
{
    static const char *const rows[] = { "",         "Zg==",     "Zm8=",    "Zm9v",
                                        "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
    static const char *const bad[] = { "Z",    "Zg",   "Zg=",  "Zh==", "Zm9=", "Zm9v=",
                                       "Z===", "====", "Zm 9", "Zm9-", "=m9v", "Zg==Zg==" };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_buf back = { 0 };
        size_t len;
        uint8_t *bytes = rv_text_base64(cx, rows[i], &len);

        assert_non_null(bytes);
        assert_int_equal(len, i);
        assert_memory_equal(bytes, "foobar", len);
        rv_buf_base64(&back, "foobar", i);
        assert_string_equal(back.data, rows[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        size_t len;

        if (rv_text_base64(cx, bad[i], &len))
            fail_msg("%s was read", bad[i]);
    }
}

static void tells_utf8_from_bytes(void **state)
{
    static const char *const good[] = { "",  "plain ascii text", "é",       "€",
                                        "😀", "\xf4\x8f\xbf\xbf", "1234567é" };
    static const char *const bad[] = { "\x80",
                                       "\xc3",
                                       "\xc0\xaf",
                                       "\xc1\xbf",
                                       "\xe0\x80\xaf",
                                       "\xed\xa0\x80",
                                       "\xf0\x80\x80\x80",
                                       "\xf4\x90\x80\x80",
                                       "\xf8\x88\x80\x80\x80",
                                       "\xff",
                                       "12345678\xe2\x82",
                                       "\xe2\x28\xa1" };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(rv_utf8_ok(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(rv_utf8_ok(bad[i], strlen(bad[i])));
}

static void cuts_and_measures_characters(void **state)
{
    assert_int_equal(rv_utf8_cut("a€b", 5, 5), 5);
    assert_int_equal(rv_utf8_cut("a€b", 5, 4), 4);
    assert_int_equal(rv_utf8_cut("a€b", 5, 3), 1);
    assert_int_equal(rv_utf8_cut("€", 3, 2), 0);
    assert_int_equal(rv_utf8_width("abc"), 3);
    assert_int_equal(rv_utf8_width("grün"), 4);
    assert_int_equal(rv_utf8_width("你好"), 4);
    assert_int_equal(rv_utf8_width("e\xcc\x81"), 1);
    assert_int_equal(rv_utf8_width("\xff\xff"), 2);
}

static void knows_names(void **state)
{
    static const char *const bad[] = { "", "A", "-a", "_a", "a b", "ü", "a.b" };
    char longest[65];

    memset(longest, 'a', 64);
    longest[64] = '\0';
    assert_false(rv_text_is_name(longest));
    assert_true(rv_text_is_name(longest + 1));
    assert_true(rv_text_is_name("0-my_agent"));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(rv_text_is_name(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(compares_text),
        RV_TEST(globs_match_whole_texts),
        RV_TEST(a_hostile_glob_ends_soon),
        RV_TEST(reads_whole_numbers),
        RV_TEST(reads_numbers),
        RV_TEST(reads_durations),
        RV_TEST(shows_times_and_money),
        RV_TEST(measures_how_far_names_are),
        RV_TEST(base64_goes_both_ways),
        RV_TEST(tells_utf8_from_bytes),
        RV_TEST(cuts_and_measures_characters),
        RV_TEST(knows_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
