#include "support/rv_test.h"

#include "base/enum.h"

#define WEATHERS(X)                                                                                \
    X(WEATHER_SUN, 1, "sun")                                                                       \
    X(WEATHER_SNOW, 7, "snow")                                                                     \
    X(WEATHER_DARK, 3, "pitch_dark")
RV_ENUM_DECLARE(weather, WEATHERS)
RV_ENUM_DEFINE(weather, WEATHERS)

static void one_row_gives_the_number_and_the_word(void **state)
{
    assert_int_equal(WEATHER_SNOW, 7);
    assert_string_equal(weather_enum.name, "weather");
    assert_int_equal(weather_enum.count, 3);
    for (size_t i = 0; i < weather_enum.count; i++) {
        const struct rv_enum_row *row = &weather_enum.rows[i];

        assert_string_equal(rv_enum_word(&weather_enum, row->value), row->word);
        assert_int_equal(rv_enum_parse(&weather_enum, row->word), row->value);
    }
}

static void what_is_not_in_the_list_is_not_set(void **state)
{
    static const char *const words[] = { "", "SUN", "sun ", "su", "sunny", "pitch dark", "1", "7" };
    static const int values[] = { 0, 2, 8, -1, -7, INT32_MAX, INT32_MIN };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        assert_int_equal(rv_enum_parse(&weather_enum, words[i]), 0);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        assert_string_equal(rv_enum_word(&weather_enum, values[i]), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(one_row_gives_the_number_and_the_word),
        RV_TEST(what_is_not_in_the_list_is_not_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
