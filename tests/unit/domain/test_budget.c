#include "domain/budget.h"

#include "support/rv_test.h"

#define UUID "01890000-0000-7000-8000-00000000000a"

static const struct budget half_spent = { .state = BUDGET_ACTIVE,
                                          .limit_microusd = 1000,
                                          .held_microusd = 200,
                                          .spent_microusd = 300,
                                          .limit_tokens = 100,
                                          .spent_tokens = 60 };

static void grants_what_is_left_and_no_more(void **state)
{
    assert_int_equal(budget_left_microusd(&half_spent), 500);
    assert_int_equal(budget_left_tokens(&half_spent), 40);
    assert_int_equal(budget_decide(&half_spent, 500, 40), HOLD_GRANTED);
    assert_int_equal(budget_decide(&half_spent, 501, 0), HOLD_OVER_LIMIT);
    assert_int_equal(budget_decide(&half_spent, 0, 41), HOLD_OVER_LIMIT);
    assert_int_equal(budget_decide(&half_spent, -1, 0), HOLD_INVALID);
    assert_int_equal(budget_decide(&half_spent, 0, INT64_MAX), HOLD_INVALID);
}

static void a_closed_budget_refuses(void **state)
{
    struct budget closed = half_spent;

    closed.state = BUDGET_CLOSED;
    assert_int_equal(budget_decide(&closed, 1, 0), HOLD_CLOSED);
}

static void without_a_limit_all_that_is_a_number_is_granted(void **state)
{
    struct budget open = { .state = BUDGET_ACTIVE };

    assert_int_equal(budget_left_microusd(&open), -1);
    assert_int_equal(budget_decide(&open, BUDGET_AMOUNT_MAX, BUDGET_AMOUNT_MAX), HOLD_GRANTED);
    assert_int_equal(budget_decide(&open, BUDGET_AMOUNT_MAX + 1, 0), HOLD_INVALID);
    open.held_microusd = INT64_MAX / 2; /* an account never runs out of bits */
    assert_int_equal(budget_decide(&open, 1, 0), HOLD_OVER_LIMIT);
}

static void nothing_is_left_of_a_budget_that_is_over(void **state)
{
    struct budget over = { .state = BUDGET_ACTIVE,
                           .limit_microusd = 10,
                           .held_microusd = INT64_MAX / 2,
                           .spent_microusd = INT64_MAX / 2 };

    assert_int_equal(budget_left_microusd(&over), 0);
}

static void a_call_draws_from_an_open_hold_only(void **state)
{
    struct hold_row run = { .state = HOLD_HELD,
                            .amount_microusd = 100,
                            .used_microusd = 30,
                            .drawn_microusd = 20,
                            .amount_tokens = 10 };

    assert_int_equal(hold_decide(&run, 50, 10), HOLD_GRANTED);
    assert_int_equal(hold_decide(&run, 51, 0), HOLD_OVER_LIMIT);
    assert_int_equal(hold_decide(&run, 50, 11), HOLD_OVER_LIMIT);
    run.amount_tokens = 0; /* does not count them */
    assert_int_equal(hold_decide(&run, 50, 11), HOLD_GRANTED);
    run.state = HOLD_COMMITTED;
    assert_int_equal(hold_decide(&run, 0, 0), HOLD_GONE);
}

static const struct price sim = { "sim", "*", 150000, 75000, 600000 };

static void a_price_is_rounded_up_once(void **state)
{
    assert_int_equal(price_cost(&sim, 0, 0, 0), 0);
    assert_int_equal(price_cost(&sim, 1, 0, 0), 1);
    assert_int_equal(price_cost(&sim, 10, 0, 10), 8); /* 1.5 + 6 */
    assert_int_equal(price_cost(&sim, 10, 10, 0), 1); /* 0.75 */
    assert_int_equal(price_cost(&sim, -5, -5, -5), 0);
    assert_int_equal(price_cost(&sim, 10, INT64_MIN, 0), 2);
    assert_int_equal(price_cost(&(struct price){ "a", "b", INT64_MAX, INT64_MAX, INT64_MAX },
                                INT64_MAX, INT64_MAX, INT64_MAX),
                     INT64_MAX);
}

static void the_nearest_price_is_taken(void **state)
{
    static const struct price prices[] = { { "*", "*", 9, 9, 9 },
                                           { "sim", "*", 2, 2, 2 },
                                           { "sim", "sim-1", 1, 1, 1 },
                                           { "other", "x", 5, 5, 5 } };

    assert_ptr_equal(price_find(prices, 4, "sim", "sim-1"), &prices[2]);
    assert_ptr_equal(price_find(prices, 4, "sim", "new"), &prices[1]);
    assert_ptr_equal(price_find(prices, 4, "nobody", "x"), &prices[0]);
    assert_ptr_equal(price_find(prices, 4, NULL, NULL), &prices[0]);
    assert_null(price_find(prices + 1, 3, "nobody", "x"));
}

static void a_call_never_uses_more_than_it_holds(void **state)
{
    struct hold_row call = { .amount_microusd = 10, .amount_tokens = 20 };
    struct call_use use =
        call_used(&call, &sim, &(struct settle_ask){ .tokens_in = 10, .tokens_out = 10 });

    assert_int_equal(use.microusd, 8);
    assert_int_equal(use.tokens, 20);
    assert_false(use.unconfirmed);
    use = call_used(&call, &sim, &(struct settle_ask){ .tokens_in = 10, .tokens_out = 11 });
    assert_int_equal(use.tokens, 20);
    assert_true(use.capped && use.unconfirmed);
    use = call_used(&call, &sim, &(struct settle_ask){ .unconfirmed = true });
    assert_int_equal(use.microusd, 10);
    assert_true(use.unconfirmed && !use.capped);
    use = call_used(&call, &sim, &(struct settle_ask){ .release = true, .tokens_in = 5 });
    assert_int_equal(use.microusd + use.tokens, 0);
}

static void says_what_is_wrong_with_a_question(void **state)
{
    static const struct hold_ask good = {
        .tenant_id = UUID, .hold_id = UUID, .project_id = UUID, .run_id = UUID
    };
    struct hold_ask bad[8];

    assert_null(hold_ask_wrong(&good));
    for (size_t i = 0; i < 8; i++)
        bad[i] = good;
    bad[0].tenant_id = NULL;
    bad[1].hold_id = "x";
    bad[2].parent_hold_id = "";
    bad[3].amount_microusd = -1;
    bad[4].tokens_out = BUDGET_AMOUNT_MAX + 1;
    bad[5].call_no = -1;
    bad[6].expires_ms = HOLD_EXPIRES_MAX_MS + 1;
    bad[7].expires_ms = -1;
    for (size_t i = 0; i < 8; i++)
        assert_non_null(hold_ask_wrong(&bad[i]));
    assert_null(settle_ask_wrong(&(struct settle_ask){ .tenant_id = UUID, .hold_id = UUID }));
    assert_non_null(settle_ask_wrong(&(struct settle_ask){ .tenant_id = UUID }));
    assert_non_null(settle_ask_wrong(
        &(struct settle_ask){ .tenant_id = UUID, .hold_id = UUID, .tokens_in = -1 }));
}

static void a_budget_covers_its_project_or_all(void **state)
{
    struct hold_ask ask = { .tenant_id = "t", .project_id = "p" };

    assert_true(budget_covers(&(struct budget){ .tenant_id = "t" }, &ask));
    assert_true(budget_covers(&(struct budget){ .tenant_id = "t", .project_id = "p" }, &ask));
    assert_false(budget_covers(&(struct budget){ .tenant_id = "t", .project_id = "q" }, &ask));
    assert_false(budget_covers(&(struct budget){ .tenant_id = "u" }, &ask));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(grants_what_is_left_and_no_more),
        RV_TEST(a_closed_budget_refuses),
        RV_TEST(without_a_limit_all_that_is_a_number_is_granted),
        RV_TEST(nothing_is_left_of_a_budget_that_is_over),
        RV_TEST(a_call_draws_from_an_open_hold_only),
        RV_TEST(a_price_is_rounded_up_once),
        RV_TEST(the_nearest_price_is_taken),
        RV_TEST(a_call_never_uses_more_than_it_holds),
        RV_TEST(says_what_is_wrong_with_a_question),
        RV_TEST(a_budget_covers_its_project_or_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
