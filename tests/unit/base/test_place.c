#include "support/rv_test.h"

#include "base/place.h"

static void a_place_is_written_as_people_say_it(void **state)
{
    auto_buf place = { 0 };

    rv_place_key(&place, "spec");
    rv_place_key(&place, "nodes");
    rv_place_index(&place, 2);
    rv_place_key(&place, "my key\"");
    rv_place_key(&place, "");
    rv_place_key(&place, "kind");
    assert_string_equal(place.data, "spec.nodes[2][\"my key\\\"\"][\"\"].kind");
}

static void a_place_is_read_step_by_step(void **state)
{
    const char *at = "steps[12].my-key[\"a.b\\\"\"].c";
    struct rv_place_step step;

    assert_true(rv_place_next(&at, &step));
    assert_string_equal(step.key, "steps");
    assert_true(rv_place_next(&at, &step));
    assert_false(step.is_key);
    assert_int_equal(step.index, 12);
    assert_true(rv_place_next(&at, &step));
    assert_string_equal(step.key, "my-key");
    assert_true(rv_place_next(&at, &step));
    assert_string_equal(step.key, "a.b\"");
    assert_true(rv_place_next(&at, &step));
    assert_string_equal(step.key, "c");
    assert_false(rv_place_next(&at, &step));
    assert_string_equal(at, "");
}

static void what_is_no_place_ends_in_null(void **state)
{
    static const char *const rows[] = { ".a",   "a.",     "a..b",     "a[",
                                        "a[1",  "a[x]",   "a[]",      "a[-1]",
                                        "[\"a", "[\"a\"", "[\"a\"]b", "a b",
                                        "a]b",  "[\"\\",  "a[1]b",    "a[99999999999999999999]" };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *at = rows[i];
        struct rv_place_step step;

        while (rv_place_next(&at, &step))
            ;
        if (at)
            fail_msg("%s was read", rows[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(a_place_is_written_as_people_say_it),
        RV_TEST(a_place_is_read_step_by_step),
        RV_TEST(what_is_no_place_ends_in_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
