#include "support/rv_test.h"

#include <stdlib.h>

#include "base/fsm.h"

#define LAMPS(X)                                                                                   \
    X(LAMP_OFF, 1, "off")                                                                          \
    X(LAMP_ON, 2, "on")                                                                            \
    X(LAMP_BROKEN, 3, "broken")
RV_ENUM_DECLARE(lamp, LAMPS)
RV_ENUM_DEFINE(lamp, LAMPS)

#define HANDS(X)                                                                                   \
    X(HAND_PRESS, 1, "press")                                                                      \
    X(HAND_DROP, 2, "drop")
RV_ENUM_DECLARE(hand, HANDS)
RV_ENUM_DEFINE(hand, HANDS)

/* clang-format off */
static const struct rv_fsm_step steps[] = {
    /* from      event       to           why */
    { LAMP_OFF,  HAND_PRESS, LAMP_ON,     "somebody wants light" },
    { LAMP_ON,   HAND_PRESS, LAMP_OFF,    "somebody goes to bed" },
    { LAMP_ON,   HAND_DROP,  LAMP_BROKEN, "it fell" },
};
/* clang-format on */

static const struct rv_fsm machine = { &lamp_enum, &hand_enum, steps,
                                       sizeof(steps) / sizeof(steps[0]) };

static void an_arrow_of_the_table_is_found_with_its_reason(void **state)
{
    const struct rv_fsm_step *step = rv_fsm_step(&machine, LAMP_ON, HAND_DROP);

    assert_non_null(step);
    assert_int_equal(step->to, LAMP_BROKEN);
    assert_string_equal(step->why, "it fell");
}

static void what_the_table_does_not_list_cannot_happen(void **state)
{
    assert_null(rv_fsm_step(&machine, LAMP_OFF, HAND_DROP));
    assert_null(rv_fsm_step(&machine, LAMP_BROKEN, HAND_PRESS));
    assert_null(rv_fsm_step(&machine, 0, HAND_PRESS));
    assert_null(rv_fsm_step(&machine, LAMP_OFF, 99));
}

static void an_empty_table_has_no_arrows(void **state)
{
    struct rv_fsm empty = { &lamp_enum, &hand_enum, NULL, 0 };

    assert_null(rv_fsm_step(&empty, LAMP_OFF, HAND_PRESS));
}

static void a_machine_draws_itself_row_by_row(void **state)
{
    char *drawn = NULL;
    size_t len;
    FILE *out = open_memstream(&drawn, &len);

    rv_fsm_draw(&machine, out);
    fclose(out);
    assert_string_equal(drawn, "stateDiagram-v2\n"
                               "    off --> on: press\n"
                               "    on --> off: press\n"
                               "    on --> broken: drop\n");
    free(drawn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(an_arrow_of_the_table_is_found_with_its_reason),
        RV_TEST(what_the_table_does_not_list_cannot_happen),
        RV_TEST(an_empty_table_has_no_arrows),
        RV_TEST(a_machine_draws_itself_row_by_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
