/* Many at once, on two budget services: nothing is overspent, nothing booked twice, nothing stuck.
 */

#include "budget_talk.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/id.h"
#include "base/time.h"
#include "look.h"

enum { THREADS = 8, HOLDS = 200, ROUNDS = 60, RATE_BATCH = 64, RATE_BATCHES = 60 };

static struct stack stack;
static struct rv_bus *bus;
static struct rv_ctx bus_cx;

static int start(void **state)
{
    struct rv_bus_options options = { .name = "test" };

    if (!stack_start(&stack, STACK_ALL))
        return -1;
    for (int i = 0; i < 2; i++) {
        struct stack_service *service = stack_service_start(&stack, "budget", NULL);

        if (!service || !stack_service_wait_ready(service))
            return -1;
    }
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

/* One of the threads: @failed because cmocka's asserts belong to the main one. */
struct worker {
    pthread_t thread;
    struct rv_ctx cx;
    struct books books[2];
    int number;
    const struct hold_ask *holds; /* all threads' */
    size_t n_holds;
    int64_t granted_microusd, granted_tokens, n_granted;
    int failed;
};

static struct worker workers[THREADS];

static void storm(struct rv_ctx *cx, void *(*work)(void *worker), const struct worker *model)
{
    for (int i = 0; i < THREADS; i++) {
        workers[i] = *model;
        workers[i].number = i;
        rv_ctx_init(&workers[i].cx);
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_string_equal(workers[i].cx.error.text, "");
        assert_int_equal(workers[i].failed, 0);
        rv_ctx_release(&workers[i].cx);
    }
    assert_int_equal(number("SELECT deadlocks AS value FROM pg_stat_database"
                            " WHERE datname = current_database()"),
                     0);
}

static struct worker sum(void)
{
    struct worker all = { 0 };

    for (int i = 0; i < THREADS; i++) {
        all.granted_microusd += workers[i].granted_microusd;
        all.granted_tokens += workers[i].granted_tokens;
        all.n_granted += workers[i].n_granted;
    }
    return all;
}

static void ask_many(struct worker *worker, const struct hold_ask *asks, size_t n,
                     struct hold *answers)
{
    if (rv_bus_ask_many(&worker->cx, bus, &SUBJ_BUDGET_HOLD, asks, n, answers, ASK_MS) != RV_OK)
        worker->failed++;
    for (size_t i = 0; i < n; i++)
        if (answers[i].verdict == HOLD_GRANTED) {
            worker->granted_microusd += answers[i].amount_microusd;
            worker->granted_tokens += answers[i].amount_tokens;
            worker->n_granted++;
        }
}

/* Every thread asks for all holds of the list: each is asked for eight times, in many orders. */
static void *ask_for_all(void *arg)
{
    struct worker *worker = arg;

    for (size_t i = 0; i < worker->n_holds; i++) {
        size_t at = (i * 7 + (size_t)worker->number * 31) % worker->n_holds;
        struct hold answer = { 0 };

        ask_many(worker, &worker->holds[at], 1, &answer);
    }
    return NULL;
}

static void never_grants_more_than_there_is(void **state)
{
    struct rv_ctx *cx = *state;
    struct books books = books_open(cx, bus);
    struct budget budget = put_budget(cx, &books, books.project_id, "small", 50 * 70, 60 * 11);
    struct hold_ask *asks = rv_new_array(cx, struct hold_ask, HOLDS);
    struct worker model = { .books = { books }, .holds = asks, .n_holds = HOLDS };

    for (int i = 0; i < HOLDS; i++)
        asks[i] = run_hold(cx, &books, 70, 11);
    storm(cx, ask_for_all, &model);
    assert_int_equal(sum().n_granted, 50 * THREADS); /* the same 50, told to every thread */
    budget = look(cx, &budget);
    assert_int_equal(budget.held_microusd, 50 * 70);
    assert_int_equal(budget.held_tokens, 50 * 11);
    assert_int_equal(number("SELECT count(*) AS value FROM holds WHERE state = 'held'"), 50);
    assert_int_equal(number("SELECT count(*) - count(DISTINCT (hold_id, currency)) AS value"
                            " FROM ledger WHERE to_account = 'held'"),
                     0);
    assert_books_balance();
}

static void *settle_all_of_them(void *arg)
{
    struct worker *worker = arg;

    for (size_t i = 0; i < worker->n_holds; i++) {
        const struct hold_ask *hold =
            &worker->holds[(i * 13 + (size_t)worker->number * 17) % worker->n_holds];
        struct settle_ask ask = { .tenant_id = hold->tenant_id,
                                  .hold_id = hold->hold_id,
                                  .tokens_in = 10,
                                  .tokens_out = 10 };
        struct settled answer = { 0 };

        if (rv_bus_ask_many(&worker->cx, bus, &SUBJ_BUDGET_SETTLE, &ask, 1, &answer, ASK_MS) !=
                RV_OK ||
            answer.cost_microusd != (hold->parent_hold_id ? 8 : answer.cost_microusd))
            worker->failed++;
    }
    return NULL;
}

/* Eight threads settle the same calls, then the same runs. */
static void settles_everything_once(void **state)
{
    struct rv_ctx *cx = *state;
    struct books books = books_open(cx, bus);
    struct budget budget = put_budget(cx, &books, books.project_id, "team", 100000, 100000);
    struct hold_ask runs[10], calls[40];
    struct hold answers[40] = { 0 };
    struct worker model = { .books = { books }, .holds = calls, .n_holds = 40 };

    for (int i = 0; i < 10; i++)
        runs[i] = run_hold(cx, &books, 100, 200);
    for (int i = 0; i < 40; i++)
        calls[i] = call_hold(cx, &runs[i % 10], 20, 20);
    assert_ok(cx, rv_bus_ask_many(cx, bus, &SUBJ_BUDGET_HOLD, runs, 10, answers, ASK_MS));
    assert_ok(cx, rv_bus_ask_many(cx, bus, &SUBJ_BUDGET_HOLD, calls, 40, answers, ASK_MS));
    for (int i = 0; i < 40; i++)
        assert_int_equal(answers[i].verdict, HOLD_GRANTED);
    storm(cx, settle_all_of_them, &model);
    assert_int_equal(look(cx, &budget).spent_microusd, 40 * 8);
    assert_int_equal(look(cx, &budget).held_microusd, 10 * 100 - 40 * 8);
    model.holds = runs;
    model.n_holds = 10;
    storm(cx, settle_all_of_them, &model);
    budget = look(cx, &budget);
    assert_int_equal(budget.spent_microusd, 40 * 8);
    assert_int_equal(budget.spent_tokens, 40 * 20);
    assert_int_equal(budget.held_microusd, 0);
    assert_int_equal(budget.held_tokens, 0);
    assert_books_balance();
}

/* Holds on two budgets in both orders, calls, settles and ends of runs, all mixed. */
static void *live(void *arg)
{
    struct worker *worker = arg;
    struct rv_ctx *cx = &worker->cx;

    for (int round = 0; round < ROUNDS; round++) {
        int first = (worker->number + round) % 2;
        struct hold_ask runs[] = { run_hold(cx, &worker->books[first], 900, 900),
                                   run_hold(cx, &worker->books[!first], 900, 900) };
        struct hold_ask calls[] = { call_hold(cx, &runs[1], 100, 100),
                                    call_hold(cx, &runs[0], 100, 100) };
        struct settle_ask ends[] = { { .hold_id = calls[0].hold_id, .tokens_in = 50 },
                                     { .hold_id = runs[1].hold_id },
                                     { .hold_id = runs[0].hold_id }, /* not yet: it has a call */
                                     { .hold_id = calls[1].hold_id, .unconfirmed = true } };
        struct hold answers[2] = { 0 };
        struct settled settled[4];

        for (int i = 0; i < 4; i++)
            ends[i].tenant_id = runs[0].tenant_id;
        ask_many(worker, runs, 2, answers);
        ask_many(worker, calls, 2, answers);
        if (rv_bus_ask_many(cx, bus, &SUBJ_BUDGET_SETTLE, ends, 4, settled, ASK_MS) != RV_OK ||
            rv_bus_ask_many(cx, bus, &SUBJ_BUDGET_SETTLE, &ends[2], 1, settled, ASK_MS) != RV_OK)
            worker->failed++;
    }
    return NULL;
}

static void two_budgets_in_both_orders_never_lock_each_other_out(void **state)
{
    struct rv_ctx *cx = *state;
    struct books one = books_open(cx, bus), other = one;
    struct worker model = { 0 };
    struct budget budgets[3];

    other.project_id = rv_id_new(cx);
    budgets[0] = put_budget(cx, &one, one.project_id, "one", 400000, 0);
    budgets[1] = put_budget(cx, &other, other.project_id, "other", 0, 50000);
    budgets[2] = put_budget(cx, &one, NULL, "all", 60000, 70000);
    model.books[0] = one;
    model.books[1] = other;
    storm(cx, live, &model);
    assert_true(sum().n_granted > 0);
    for (int i = 0; i < 3; i++) {
        budgets[i] = look(cx, &budgets[i]);
        assert_int_equal(budgets[i].held_microusd, 0);
        assert_true(!budgets[i].limit_microusd ||
                    budgets[i].spent_microusd <= budgets[i].limit_microusd);
    }
    assert_books_balance();
}

static void *hold_batches(void *arg)
{
    struct worker *worker = arg;
    struct hold_ask *asks = rv_new_array(&worker->cx, struct hold_ask, RATE_BATCH);
    struct hold *answers = rv_new_array(&worker->cx, struct hold, RATE_BATCH);

    for (int batch = 0; batch < RATE_BATCHES; batch++) {
        for (int i = 0; i < RATE_BATCH; i++)
            asks[i] = run_hold(&worker->cx, &worker->books[0], 1, 1);
        ask_many(worker, asks, RATE_BATCH, answers);
    }
    return NULL;
}

static void holds_fast(void **state)
{
    struct rv_ctx *cx = *state;
    struct books books = books_open(cx, bus);
    struct worker model = { .books = { books } };
    int64_t took_ms, n = THREADS * RATE_BATCH * RATE_BATCHES;

    put_budget(cx, &books, books.project_id, "large", 1000000000, 1000000000);
    took_ms = rv_monotonic_ms();
    storm(cx, hold_batches, &model);
    took_ms = rv_monotonic_ms() - took_ms;
    assert_int_equal(sum().n_granted, n);
    printf("%lld holds in %lld ms: %lld holds/s on one budget\n", (long long)n, (long long)took_ms,
           (long long)(n * 1000 / (took_ms ? took_ms : 1)));
    assert_books_balance();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(never_grants_more_than_there_is),
        RV_TEST(settles_everything_once),
        RV_TEST(two_budgets_in_both_orders_never_lock_each_other_out),
        RV_TEST(holds_fast),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
