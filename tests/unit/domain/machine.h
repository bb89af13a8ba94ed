#pragma once

/* What holds for every machine of the domain, asked of its table. */

#include "support/rv_test.h"

#include "base/fsm.h"

/* An arrow as a test writes it down. */
struct arrow {
    int from, event, to;
};

/* Exactly these arrows and no others: every pair of a state and an event is tried. */
static inline void assert_arrows(const struct rv_fsm *machine, const struct arrow *arrows, size_t n)
{
    size_t found = 0;

    for (size_t s = 0; s < machine->states->count; s++)
        for (size_t e = 0; e < machine->events->count; e++) {
            int from = machine->states->rows[s].value, event = machine->events->rows[e].value,
                to = 0;
            const struct rv_fsm_step *step = rv_fsm_step(machine, from, event);

            for (size_t i = 0; i < n; i++)
                if (arrows[i].from == from && arrows[i].event == event)
                    to = arrows[i].to;
            if ((step ? step->to : 0) != to)
                fail_msg("%s on %s leads to %s", machine->states->rows[s].word,
                         machine->events->rows[e].word,
                         step ? rv_enum_word(machine->states, step->to) : "nowhere");
            found += step != NULL;
        }
    assert_int_equal(found, n);
}

/* No arrow is written twice, each has a reason, and each is between states and events there are. */
static inline void assert_sound(const struct rv_fsm *machine)
{
    for (size_t i = 0; i < machine->count; i++) {
        const struct rv_fsm_step *step = &machine->steps[i];

        assert_ptr_equal(rv_fsm_step(machine, step->from, step->event), step);
        assert_true(step->why && *step->why);
        assert_string_not_equal(rv_enum_word(machine->states, step->from), "");
        assert_string_not_equal(rv_enum_word(machine->states, step->to), "");
        assert_string_not_equal(rv_enum_word(machine->events, step->event), "");
    }
}
