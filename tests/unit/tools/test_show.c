#include "support/rv_test.h"

#include "show.h"

static const struct {
    const char *json, *path;
    enum show_kind kind;
    const char *shown;
} cells[] = {
    { "{\"a\":\"x\"}", "a", SHOW_TEXT, "x" },
    { "{\"a\":null}", "a", SHOW_TEXT, "" },
    { "{}", "a", SHOW_USD, "" },
    { "{\"a\":1500}", "a", SHOW_USD, "$0.001500" },
    { "{\"a\":1500}", "a", SHOW_MS, "1.5 s" },
    { "{\"a\":1500}", "a", SHOW_COUNT, "1500" },
    { "{\"a\":1795161325368}", "a", SHOW_TIME, "2026-11-20 07:55:25" },
    { "{\"a\":0}", "a", SHOW_TIME, "" },
    { "{\"a\":true}", "a", SHOW_YES, "yes" },
    { "{\"a\":{\"b\":[1,2]}}", "a.b", SHOW_TEXT, "[1,2]" },
    { "{\"a\":0.5}", "a", SHOW_TEXT, "0.5" },
};

static void a_cell_shows_a_value_for_people(void **state)
{
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
        const struct show_column column = { "X", cells[i].path, cells[i].kind };
        json_t *object;

        assert_ok(cx, rv_json_parse(cx, cells[i].json, strlen(cells[i].json), "it", &object));
        assert_string_equal(show_cell(cx, object, &column), cells[i].shown);
    }
}

static void states_have_colours(void **state)
{
    assert_int_equal(show_colour_of("completed"), SHOW_GREEN);
    assert_int_equal(show_colour_of("failed"), SHOW_RED);
    assert_int_equal(show_colour_of("anything"), SHOW_PLAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(a_cell_shows_a_value_for_people),
        cmocka_unit_test(states_have_colours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
