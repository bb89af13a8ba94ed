/* Long because money is looked at from every side. */

#include "budget_talk.h"

#include <signal.h>

#include "base/id.h"
#include "base/text.h"
#include "base/time.h"
#include "domain/work.h"
#include "look.h"

static struct stack stack;
static struct stack_service *service;
static struct rv_bus *bus;
static struct rv_ctx bus_cx;

static int start(void **state)
{
    static const char *const env[] = { "REEVE_LOG_LEVEL=info", NULL };
    struct rv_bus_options options = { .name = "test" };

    if (!stack_start(&stack, STACK_ALL) ||
        !(service = stack_service_start(&stack, "budget", env)) ||
        !stack_service_wait_ready(service))
        return -1;
    rv_ctx_init(&bus_cx);
    options.url = stack.nats_url;
    return rv_bus_open(&bus_cx, &options, &bus) == RV_OK ? 0 : -1;
}

static int stop(void **state)
{
    rv_bus_close(bus);
    rv_ctx_release(&bus_cx);
    stack_stop(&stack);
    return 0;
}

static void grants_up_to_the_last_micro_dollar(void **state)
{
    struct rv_ctx *cx = *state;
    struct books books = books_open(cx, bus);
    struct budget budget = put_budget(cx, &books, books.project_id, "small", 1000, 0);
    struct hold_ask first = run_hold(cx, &books, 700, 0), next = run_hold(cx, &books, 301, 0);
    struct hold hold = ask_hold(cx, &books, &first);

    assert_int_equal(hold.verdict, HOLD_GRANTED);
    assert_int_equal(hold.amount_microusd, 700);
    assert_int_equal(hold.left_microusd, 300);
    assert_int_equal(hold.left_tokens, -1);
    assert_string_equal(hold.budget, "small");

    hold = ask_hold(cx, &books, &next);
    assert_int_equal(hold.verdict, HOLD_OVER_LIMIT);
    assert_int_equal(hold.left_microusd, 300);
    assert_string_equal(hold.reason, "budget small has $0.000300 left, and $0.000301 is asked for");
    next = run_hold(cx, &books, 300, 0);
    assert_int_equal(ask_hold(cx, &books, &next).verdict, HOLD_GRANTED);
    assert_int_equal(look(cx, &budget).held_microusd, 1000);
    assert_books_balance();
}

static void the_same_hold_twice_is_granted_once(void **state)
{
    struct rv_ctx *cx = *state;
    struct books books = books_open(cx, bus);
    struct budget budget = put_budget(cx, &books, NULL, "all", 1000, 0);
    struct hold_ask ask = run_hold(cx, &books, 600, 0);
    struct hold_ask twice[] = { ask, ask };
    struct hold answers[2];

    assert_ok(cx, rv_bus_ask_many(cx, bus, &SUBJ_BUDGET_HOLD, twice, 2, answers, ASK_MS));
    assert_int_equal(answers[0].verdict, HOLD_GRANTED);
    assert_int_equal(answers[1].verdict, HOLD_GRANTED);
    assert_int_equal(answers[1].amount_microusd, 600);
    assert_int_equal(ask_hold(cx, &books, &ask).verdict, HOLD_GRANTED);
    ask.run_id = rv_id_new(cx);
    assert_int_equal(ask_hold(cx, &books, &ask).verdict, HOLD_INVALID); /* another's */
    assert_int_equal(look(cx, &budget).held_microusd, 600);
    assert_books_balance();
}

static void a_call_is_drawn_from_its_run_and_settled(void **state)
{
    struct rv_ctx *cx = *state;
    struct books books = books_open(cx, bus);
    struct budget budget = put_budget(cx, &books, books.project_id, "team", 5000, 100000);
    struct hold_ask run = run_hold(cx, &books, 1000, 5000);
    struct hold_ask call, large;
    struct settled settled;
    struct hold hold;

    assert_int_equal(ask_hold(cx, &books, &run).verdict, HOLD_GRANTED);
    call = call_hold(cx, &run, 1000, 1000);
    hold = ask_hold(cx, &books, &call);
    assert_int_equal(hold.verdict, HOLD_GRANTED);
    assert_int_equal(hold.amount_microusd, 750);
    assert_int_equal(hold.left_microusd, 250);
    assert_int_equal(hold.left_tokens, 3000);
    large = call_hold(cx, &run, 1000, 1000);
    assert_int_equal(ask_hold(cx, &books, &large).verdict, HOLD_OVER_LIMIT);

    settled = settle(cx, &books, &call, 1000, 100);
    assert_int_equal(settled.state, HOLD_COMMITTED);
    assert_int_equal(settled.cost_microusd, 210);
    assert_int_equal(settled.tokens, 1100);
    settled = settle(cx, &books, &call, 1, 1); /* twice is once, whatever it says */
    assert_int_equal(settled.cost_microusd, 210);
    budget = look(cx, &budget);
    assert_int_equal(budget.held_microusd, 790);
    assert_int_equal(budget.spent_microusd, 210);
    assert_int_equal(budget.spent_tokens, 1100);

    settled = settle(cx, &books, &run, 0, 0);
    assert_int_equal(settled.state, HOLD_COMMITTED);
    assert_int_equal(settled.cost_microusd, 210);
    settle(cx, &books, &run, 0, 0);
    budget = look(cx, &budget);
    assert_int_equal(budget.held_microusd, 0);
    assert_int_equal(budget.held_tokens, 0);
    assert_int_equal(budget.spent_microusd, 210);
    large = call_hold(cx, &run, 1, 1);
    assert_int_equal(ask_hold(cx, &books, &large).verdict, HOLD_GONE);
    assert_books_balance();
}

static void what_a_call_used_is_never_above_what_it_held(void **state)
{
    struct rv_ctx *cx = *state;
    struct books books = books_open(cx, bus);
    struct budget budget = put_budget(cx, &books, books.project_id, "team", 5000, 0);
    struct hold_ask run = run_hold(cx, &books, 1000, 0), call = call_hold(cx, &run, 100, 100);
    struct settled settled;

    assert_int_equal(ask_hold(cx, &books, &run).verdict, HOLD_GRANTED);
    assert_int_equal(ask_hold(cx, &books, &call).amount_microusd, 75);
    settled = settle(cx, &books, &call, 1000000, 1000000);
    assert_int_equal(settled.cost_microusd, 75);
    assert_int_equal(look(cx, &budget).spent_microusd, 75);
    assert_int_equal(
        number(rv_printf(cx, "SELECT unconfirmed::int AS value FROM usage WHERE hold_id = '%s'",
                         call.hold_id)),
        1);
    assert_books_balance();
}

static void every_budget_has_a_say(void **state)
{
    struct rv_ctx *cx = *state;
    struct books books = books_open(cx, bus);
    struct budget mine = put_budget(cx, &books, books.project_id, "mine", 1000, 0);
    struct budget all = put_budget(cx, &books, NULL, "all", 500, 0);
    struct hold_ask ask = run_hold(cx, &books, 501, 0);
    struct hold hold = ask_hold(cx, &books, &ask);

    assert_int_equal(hold.verdict, HOLD_OVER_LIMIT);
    assert_string_equal(hold.budget, "all");
    assert_int_equal(look(cx, &mine).held_microusd, 0);
    ask = run_hold(cx, &books, 100, 0);
    hold = ask_hold(cx, &books, &ask);
    assert_string_equal(hold.budget, "all");
    assert_int_equal(hold.left_microusd, 400);
    all.state = BUDGET_CLOSED;
    assert_ok(cx, rv_bus_ask(cx, bus, &SUBJ_BUDGET_PUT, &all, &all, ASK_MS));
    ask = run_hold(cx, &books, 1, 0);
    hold = ask_hold(cx, &books, &ask);
    assert_int_equal(hold.verdict, HOLD_CLOSED);
    assert_string_equal(hold.reason, "budget all is closed");
    ask = run_hold(cx, &books, 0, 0);
    assert_int_equal(ask_hold(cx, &books, &ask).verdict, HOLD_GRANTED); /* of nothing */
    assert_books_balance();
}

static void a_run_without_a_limit_of_tokens_cannot_pass_a_budget_of_tokens_by(void **state)
{
    struct rv_ctx *cx = *state;
    struct books books = books_open(cx, bus);
    struct budget budget = put_budget(cx, &books, books.project_id, "tokens", 0, 500);
    struct hold_ask run = run_hold(cx, &books, 100000, 0), call = call_hold(cx, &run, 400, 101);
    struct hold hold = ask_hold(cx, &books, &run);

    assert_int_equal(hold.verdict, HOLD_GRANTED);
    assert_int_equal(hold.amount_tokens, 500);
    assert_int_equal(ask_hold(cx, &books, &call).verdict, HOLD_OVER_LIMIT);
    call = call_hold(cx, &run, 400, 100);
    assert_int_equal(ask_hold(cx, &books, &call).verdict, HOLD_GRANTED);
    assert_int_equal(settle(cx, &books, &call, 300, 50).tokens, 350);
    settle(cx, &books, &run, 0, 0);
    assert_int_equal(look(cx, &budget).spent_tokens, 350);
    assert_int_equal(look(cx, &budget).held_tokens, 0);
    assert_books_balance();
}

static void changes_a_budget_by_its_rev_and_never_below_what_is_spent(void **state)
{
    struct rv_ctx *cx = *state;
    struct books books = books_open(cx, bus);
    struct budget budget = put_budget(cx, &books, books.project_id, "team", 1000, 0), answer;
    struct hold_ask ask = run_hold(cx, &books, 700, 0);
    struct budget change = budget;

    assert_int_equal(budget.rev, 1);
    assert_int_equal(ask_hold(cx, &books, &ask).verdict, HOLD_GRANTED);
    change.limit_microusd = 699;
    assert_fails(cx, rv_bus_ask(cx, bus, &SUBJ_BUDGET_PUT, &change, &answer, ASK_MS), RV_CONFLICT,
                 "limit_microusd 699 is below what is held and spent: 700 and 0");
    change.limit_microusd = 2000;
    assert_ok(cx, rv_bus_ask(cx, bus, &SUBJ_BUDGET_PUT, &change, &answer, ASK_MS));
    assert_int_equal(answer.rev, 2);
    assert_int_equal(answer.held_microusd, 700);
    assert_int_equal(rv_bus_ask(cx, bus, &SUBJ_BUDGET_PUT, &change, &answer, ASK_MS), RV_STALE);
    change.rev = 0;
    change.budget_id = NULL; /* by its name */
    assert_ok(cx, rv_bus_ask(cx, bus, &SUBJ_BUDGET_PUT, &change, &answer, ASK_MS));
    assert_string_equal(answer.budget_id, budget.budget_id);
    change.budget_id = rv_id_new(cx);
    assert_int_equal(rv_bus_ask(cx, bus, &SUBJ_BUDGET_PUT, &change, &answer, ASK_MS), RV_NOT_FOUND);
    assert_books_balance();
}

static void add_run(struct rv_ctx *cx, const struct hold_ask *hold, bool over)
{
    run_sql(rv_printf(
        cx,
        "INSERT INTO runs (tenant_id, run_id, project_id, plan_id, name, state, phase, priority,"
        " decision_id, hold_id, tasks_total, tasks_open, ended_at) VALUES ('%s', '%s', '%s', '%s',"
        " 'r', '%s', 'x', 'normal', '%s', '%s', 1, 1, %s)",
        hold->tenant_id, hold->run_id, hold->project_id, rv_id_new(cx), over ? "failed" : "running",
        rv_id_new(cx), hold->hold_id, over ? "now()" : "NULL"));
}

static const char *state_sql(struct rv_ctx *cx, const struct hold_ask *hold, const char *what)
{
    return rv_printf(cx, "SELECT (%s)::int AS value FROM holds WHERE hold_id = '%s'", what,
                     hold->hold_id);
}

static void wait_for(struct rv_ctx *cx, const struct hold_ask *hold, const char *what)
{
    int64_t deadline_ms = rv_monotonic_ms() + 10000;

    while (!number(state_sql(cx, hold, what)) && rv_monotonic_ms() < deadline_ms)
        rv_sleep_ms(100);
    assert_int_equal(number(state_sql(cx, hold, what)), 1);
}

static void the_end_of_a_run_waits_for_calls_that_are_still_made(void **state)
{
    struct rv_ctx *cx = *state;
    struct books books = books_open(cx, bus);
    struct budget budget = put_budget(cx, &books, books.project_id, "team", 5000, 0);
    struct hold_ask run = run_hold(cx, &books, 1000, 0), call = call_hold(cx, &run, 100, 100);
    struct hold_ask freed = call_hold(cx, &run, 100, 100);
    struct settle_ask release = { .tenant_id = run.tenant_id,
                                  .hold_id = freed.hold_id,
                                  .release = true };

    assert_int_equal(ask_hold(cx, &books, &run).verdict, HOLD_GRANTED);
    assert_int_equal(ask_hold(cx, &books, &call).verdict, HOLD_GRANTED);
    assert_int_equal(ask_hold(cx, &books, &freed).verdict, HOLD_GRANTED);
    assert_int_equal(settle_as(cx, &books, &release).state, HOLD_RELEASED);
    add_run(cx, &run, true);
    assert_int_equal(settle(cx, &books, &run, 0, 0).state, HOLD_HELD);
    rv_sleep_ms(2500); /* the sweep leaves it alone as well */
    assert_int_equal(look(cx, &budget).spent_microusd, 0);
    assert_int_equal(settle(cx, &books, &call, 20, 10).cost_microusd, 9);
    wait_for(cx, &run, "state = 'committed' AND used_microusd = 9");
    assert_int_equal(look(cx, &budget).spent_microusd, 9);
    assert_int_equal(look(cx, &budget).held_microusd, 0);
    assert_books_balance();
}

static void the_end_of_a_completed_run_settles_its_open_calls_in_full(void **state)
{
    struct rv_ctx *cx = *state;
    struct books books = books_open(cx, bus);
    struct budget budget = put_budget(cx, &books, books.project_id, "team", 5000, 0);
    struct hold_ask run = run_hold(cx, &books, 1000, 0), call = call_hold(cx, &run, 100, 100);

    assert_int_equal(ask_hold(cx, &books, &run).verdict, HOLD_GRANTED);
    assert_int_equal(ask_hold(cx, &books, &call).verdict, HOLD_GRANTED);
    add_run(cx, &run, false);
    run_sql(rv_printf(cx,
                      "UPDATE runs SET state = 'completed', ended_at = now() WHERE run_id = '%s'",
                      run.run_id));
    assert_int_equal(settle(cx, &books, &run, 0, 0).cost_microusd, 75);
    assert_int_equal(settle(cx, &books, &call, 1, 1).cost_microusd, 75);
    assert_int_equal(look(cx, &budget).spent_microusd, 75);
    assert_int_equal(look(cx, &budget).held_microusd, 0);
    assert_books_balance();
}

static void a_run_that_was_asked_for_twice_holds_once(void **state)
{
    struct rv_ctx *cx = *state;
    struct books books = books_open(cx, bus);
    struct budget budget = put_budget(cx, &books, books.project_id, "team", 10000, 0);
    struct hold_ask run = run_hold(cx, &books, 1000, 0), again = run_hold(cx, &books, 1000, 0);

    again.run_id = run.run_id;
    assert_int_equal(ask_hold(cx, &books, &run).verdict, HOLD_GRANTED);
    assert_int_equal(ask_hold(cx, &books, &again).verdict, HOLD_GRANTED);
    rv_sleep_ms(2500); /* which of them is the run's is not known yet */
    assert_int_equal(look(cx, &budget).held_microusd, 2000);
    add_run(cx, &run, false);
    wait_for(cx, &again, "state = 'released'");
    assert_int_equal(look(cx, &budget).held_microusd, 1000);
    assert_books_balance();
}

static void one_wrong_settlement_does_not_spoil_the_others(void **state)
{
    struct rv_ctx *cx = *state;
    struct books books = books_open(cx, bus);
    struct hold_ask run = run_hold(cx, &books, 1000, 0);
    struct settle_ask asks[] = { { .tenant_id = run.tenant_id, .hold_id = "no uuid" },
                                 { .tenant_id = run.tenant_id, .hold_id = run.hold_id } };
    struct settled answers[2] = { 0 };

    assert_int_equal(ask_hold(cx, &books, &run).verdict, HOLD_GRANTED);
    assert_ok(cx, rv_bus_ask_many(cx, bus, &SUBJ_BUDGET_SETTLE, asks, 2, answers, ASK_MS));
    assert_int_equal(answers[0].state, 0);
    assert_int_equal(answers[1].state, HOLD_COMMITTED);
}

static void sweeps_what_nobody_closes(void **state)
{
    struct rv_ctx *cx = *state;
    struct books books = books_open(cx, bus);
    struct budget budget = put_budget(cx, &books, books.project_id, "team", 10000, 0);
    struct hold_ask over = run_hold(cx, &books, 1000, 0), never = run_hold(cx, &books, 1000, 0);
    struct hold_ask lives = run_hold(cx, &books, 1000, 0), call, lost;

    never.expires_ms = lives.expires_ms = 1;
    assert_int_equal(ask_hold(cx, &books, &over).verdict, HOLD_GRANTED);
    add_run(cx, &lives, false);
    assert_int_equal(ask_hold(cx, &books, &lives).verdict, HOLD_GRANTED);
    assert_int_equal(ask_hold(cx, &books, &never).verdict, HOLD_GRANTED);
    call = call_hold(cx, &over, 100, 100);
    lost = call_hold(cx, &lives, 100, 100);
    call.expires_ms = lost.expires_ms = 1;
    assert_int_equal(ask_hold(cx, &books, &call).verdict, HOLD_GRANTED);
    assert_int_equal(ask_hold(cx, &books, &lost).verdict, HOLD_GRANTED);
    add_run(cx, &over, true);

    wait_for(cx, &over, "state = 'committed' AND used_microusd = 75");
    wait_for(cx, &call, "state = 'committed' AND unconfirmed");
    wait_for(cx, &never, "state = 'expired'");
    wait_for(cx, &lost, "state = 'committed' AND unconfirmed");
    wait_for(cx, &lives, "state = 'held' AND expires_at > now() + interval '10 minutes'");
    assert_int_equal(look(cx, &budget).held_microusd, 925);
    assert_int_equal(look(cx, &budget).spent_microusd, 150);
    assert_books_balance();
}

/* Asks, with nobody but a service that dies at @point; then asks again of one that lives. */
static void ask_the_doomed(struct rv_ctx *cx, const char *point, const struct hold_ask *ask,
                           const struct settle_ask *end)
{
    const char *env[] = { rv_printf(cx, "REEVE_FAILPOINTS=%s=exit", point), NULL };
    struct stack_service *doomed;
    struct settled settled;
    struct hold hold;

    assert_true(stack_service_signal(service, SIGTERM));
    assert_non_null(doomed = stack_service_start(&stack, "budget", env));
    assert_true(stack_service_wait_ready(doomed));
    if (end)
        assert_int_not_equal(rv_bus_ask_many(cx, bus, &SUBJ_BUDGET_SETTLE, end, 1, &settled, 1500),
                             RV_OK);
    else
        assert_int_not_equal(rv_bus_ask_many(cx, bus, &SUBJ_BUDGET_HOLD, ask, 1, &hold, 1500),
                             RV_OK);
    cx->error = (struct rv_error){ 0 };
    stack_service_signal(doomed, SIGKILL);
    assert_true(stack_service_restart(&stack, service));
    assert_true(stack_service_wait_ready(service));
}

static void survives_being_killed_around_its_commits(void **state)
{
    static const char *const sides[] = { "begin", "commit.before", "commit.after" };
    struct rv_ctx *cx = *state;
    struct books books = books_open(cx, bus);
    struct budget budget = put_budget(cx, &books, books.project_id, "team", 1000, 0);

    for (int i = 0; i < 3; i++) {
        struct hold_ask run = run_hold(cx, &books, 300, 0);
        struct settle_ask end = { .tenant_id = run.tenant_id, .hold_id = run.hold_id };

        ask_the_doomed(cx, rv_printf(cx, "reeve.budget.hold.%s", sides[i]), &run, NULL);
        assert_int_equal(ask_hold(cx, &books, &run).verdict, HOLD_GRANTED);
        assert_int_equal(look(cx, &budget).held_microusd, 300);
        ask_the_doomed(cx, rv_printf(cx, "reeve.budget.settle.%s", sides[i]), NULL, &end);
        assert_int_equal(settle_as(cx, &books, &end).state, HOLD_COMMITTED);
        assert_int_equal(look(cx, &budget).held_microusd, 0);
        assert_books_balance();
    }
}

/* Bytes that are no message, and messages that make no sense. */
static void refuses_garbage_and_changes_nothing(void **state)
{
    struct rv_ctx *cx = *state;
    static const struct rv_subject *const subjects[] = { &SUBJ_BUDGET_HOLD, &SUBJ_BUDGET_SETTLE,
                                                         &SUBJ_BUDGET_PUT };
    struct books books = books_open(cx, bus);
    struct hold_ask bad[5];
    struct hold answers[5] = { 0 };
    struct settle_ask settle_bad = { .tenant_id = "x", .hold_id = "y" };
    struct settled settled;
    struct budget nameless = { .tenant_id = books.tenant_id, .limit_microusd = -1 }, answer;
    int64_t before = number("SELECT count(*) AS value FROM holds");

    for (size_t i = 0; i < 3; i++) {
        struct rv_subject other = SUBJ_TASK_CLAIM; /* what is said to somebody else */
        struct task_claim claim = { .tenant_id = books.tenant_id, .task_no = 7 };
        struct task_claimed claimed;

        assert_ok(cx, rv_bus_publish(cx, bus, subjects[i]->name, "\xff\xff\xff garbage", 11));
        other.name = subjects[i]->name;
        assert_int_equal(rv_bus_ask_many(cx, bus, &other, &claim, 1, &claimed, ASK_MS), RV_INVALID);
    }
    for (size_t i = 0; i < 5; i++)
        bad[i] = run_hold(cx, &books, 1, 0);
    bad[0].hold_id = "no uuid";
    bad[1].amount_microusd = -1;
    bad[2].amount_tokens = INT64_MAX;
    bad[3].parent_hold_id = "'; DROP TABLE holds; --";
    bad[4].tenant_id = NULL;
    assert_ok(cx, rv_bus_ask_many(cx, bus, &SUBJ_BUDGET_HOLD, bad, 5, answers, ASK_MS));
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(answers[i].verdict, HOLD_INVALID);
    assert_ok(cx, rv_bus_ask_many(cx, bus, &SUBJ_BUDGET_SETTLE, &settle_bad, 1, &settled, ASK_MS));
    assert_int_equal(settled.state, 0);
    assert_int_equal(rv_bus_ask(cx, bus, &SUBJ_BUDGET_PUT, &nameless, &answer, ASK_MS), RV_INVALID);
    assert_int_equal(number("SELECT count(*) AS value FROM holds"), before);
    settle_bad = (struct settle_ask){ .tenant_id = rv_id_new(cx), .hold_id = rv_id_new(cx) };
    assert_int_equal(settle_as(cx, &books, &settle_bad).state, 0); /* nobody knows it */
    assert_books_balance();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(grants_up_to_the_last_micro_dollar),
        RV_TEST(the_same_hold_twice_is_granted_once),
        RV_TEST(a_call_is_drawn_from_its_run_and_settled),
        RV_TEST(what_a_call_used_is_never_above_what_it_held),
        RV_TEST(every_budget_has_a_say),
        RV_TEST(a_run_without_a_limit_of_tokens_cannot_pass_a_budget_of_tokens_by),
        RV_TEST(changes_a_budget_by_its_rev_and_never_below_what_is_spent),
        RV_TEST(the_end_of_a_run_waits_for_calls_that_are_still_made),
        RV_TEST(the_end_of_a_completed_run_settles_its_open_calls_in_full),
        RV_TEST(a_run_that_was_asked_for_twice_holds_once),
        RV_TEST(one_wrong_settlement_does_not_spoil_the_others),
        RV_TEST(sweeps_what_nobody_closes),
        RV_TEST(refuses_garbage_and_changes_nothing),
        RV_TEST(survives_being_killed_around_its_commits),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
