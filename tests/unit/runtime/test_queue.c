#include "support/rv_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/time.h"
#include "runtime/queue.h"

enum { MANY = 20000 };

/* What a queue's worker noticed. */
struct seen {
    atomic_size_t items, batches, largest, dropped, at_once, most_at_once;
    atomic_bool held;   /* workers wait while it is set */
    struct seen *other; /* whose progress is noted when this one works */
    atomic_size_t other_items;
};

static void work(struct rv_ctx *cx, void *arg, void **items, size_t n)
{
    struct seen *seen = arg;
    size_t now = atomic_fetch_add(&seen->at_once, 1) + 1;

    if (seen->other)
        atomic_store(&seen->other_items, atomic_load(&seen->other->items));
    if (now > atomic_load(&seen->most_at_once))
        atomic_store(&seen->most_at_once, now);
    while (atomic_load(&seen->held))
        rv_sleep_ms(1);
    if (n > atomic_load(&seen->largest))
        atomic_store(&seen->largest, n);
    for (size_t i = 0; i < n; i++)
        free(items[i]);
    atomic_fetch_add(&seen->batches, 1);
    atomic_fetch_sub(&seen->at_once, 1);
    atomic_fetch_add(&seen->items, n);
}

static struct seen *dropping;

static void drop(void *item)
{
    atomic_fetch_add(&dropping->dropped, 1);
    free(item);
}

static struct rv_queue *add(struct rv_pool *pool, struct seen *seen, size_t depth, size_t batch,
                            size_t parallel)
{
    return rv_pool_add(pool, &(struct rv_queue_options){ .name = "q",
                                                         .depth = depth,
                                                         .batch = batch,
                                                         .parallel = parallel,
                                                         .work = work,
                                                         .drop = drop,
                                                         .arg = seen });
}

static void end(struct rv_pool *pool, int64_t grace_ms)
{
    rv_pool_stop(pool, grace_ms);
    rv_pool_free(pool);
}

static bool push(struct rv_queue *queue)
{
    void *item = malloc(1);

    if (rv_queue_push(queue, item))
        return true;
    free(item);
    return false;
}

static void wait_for(const atomic_size_t *counter, size_t wanted)
{
    for (int i = 0; i < 5000 && atomic_load(counter) < wanted; i++)
        rv_sleep_ms(1);
    assert_int_equal(atomic_load(counter), wanted);
}

static void takes_everything_that_waits_as_one_batch(void **state)
{
    struct seen seen = { 0 };
    struct rv_pool *pool = rv_pool_new();
    struct rv_queue *queue = add(pool, &seen, 1000, 256, 1);

    atomic_store(&seen.held, true);
    assert_ok((struct rv_ctx *)*state, rv_pool_start(*state, pool, 2, NULL));
    assert_true(push(queue));
    wait_for(&seen.at_once, 1);
    for (int i = 0; i < 100; i++)
        assert_true(push(queue));
    assert_int_equal(rv_queue_waiting(queue), 100);
    atomic_store(&seen.held, false);
    wait_for(&seen.items, 101);
    assert_int_equal(seen.batches, 2);
    assert_int_equal(seen.largest, 100);
    assert_int_equal(seen.most_at_once, 1);
    end(pool, 1000);
}

static void refuses_one_more_than_its_depth(void **state)
{
    struct seen seen = { 0 };
    struct rv_pool *pool = rv_pool_new();
    struct rv_queue *queue = add(pool, &seen, 3, 1, 1);

    dropping = &seen;
    for (int i = 0; i < 3; i++)
        assert_true(push(queue));
    assert_false(push(queue));
    end(pool, 10);
    assert_int_equal(seen.dropped, 3); /* nobody ever worked */
}

static void lets_as_many_workers_in_as_the_queue_says(void **state)
{
    struct seen seen = { 0 };
    struct rv_pool *pool = rv_pool_new();
    struct rv_queue *queue = add(pool, &seen, 100, 1, 3);

    atomic_store(&seen.held, true);
    assert_ok((struct rv_ctx *)*state, rv_pool_start(*state, pool, 8, NULL));
    for (int i = 0; i < 20; i++)
        assert_true(push(queue));
    wait_for(&seen.at_once, 3);
    rv_sleep_ms(20);
    assert_int_equal(seen.at_once, 3);
    atomic_store(&seen.held, false);
    wait_for(&seen.items, 20);
    assert_int_equal(seen.most_at_once, 3);
    end(pool, 1000);
}

static struct rv_queue *add_alone(struct rv_pool *pool, struct seen *seen, int64_t alone_ms)
{
    return rv_pool_add(pool, &(struct rv_queue_options){ .name = "alone",
                                                         .depth = 100,
                                                         .batch = 100,
                                                         .parallel = 2,
                                                         .alone_ms = alone_ms,
                                                         .work = work,
                                                         .drop = drop,
                                                         .arg = seen });
}

static void a_second_worker_comes_only_to_what_has_waited(void **state)
{
    struct seen seen = { 0 };
    struct rv_pool *pool = rv_pool_new();
    struct rv_queue *queue = add_alone(pool, &seen, 300);

    atomic_store(&seen.held, true);
    assert_ok((struct rv_ctx *)*state, rv_pool_start(*state, pool, 2, NULL));
    assert_true(push(queue));
    wait_for(&seen.at_once, 1);
    assert_true(push(queue));
    rv_sleep_ms(50);
    assert_int_equal(seen.at_once, 1); /* what comes meanwhile stays together */
    rv_sleep_ms(300);
    assert_true(push(queue)); /* somebody has to look */
    wait_for(&seen.at_once, 2);
    atomic_store(&seen.held, false);
    wait_for(&seen.items, 3);
    assert_int_equal(seen.batches, 2);
    end(pool, 1000);
}

static struct rv_queue *add_in_turn(struct rv_pool *pool, struct seen *seen)
{
    return rv_pool_add(pool, &(struct rv_queue_options){ .name = "in turn",
                                                         .depth = 100,
                                                         .batch = 4,
                                                         .parallel = 2,
                                                         .turn = 1,
                                                         .work = work,
                                                         .drop = drop,
                                                         .arg = seen });
}

static void works_in_turn_on_queues_that_share_one(void **state)
{
    struct seen both = { 0 }, third = { 0 };
    struct rv_pool *pool = rv_pool_new();
    struct rv_queue *one = add_in_turn(pool, &both), *two = add_in_turn(pool, &both);
    struct rv_queue *other = add(pool, &third, 100, 1, 1);

    atomic_store(&both.held, true);
    assert_ok((struct rv_ctx *)*state, rv_pool_start(*state, pool, 4, NULL));
    for (int i = 0; i < 20; i++)
        assert_true(push(one) && push(two) && push(other));
    wait_for(&third.items, 20); /* who has no turn does not wait for one */
    assert_int_equal(both.at_once, 1);
    atomic_store(&both.held, false);
    wait_for(&both.items, 40);
    assert_int_equal(both.most_at_once, 1);
    end(pool, 1000);
}

static void a_full_queue_starves_no_other(void **state)
{
    struct seen busy = { 0 }, quiet = { .other = &busy };
    struct rv_pool *pool = rv_pool_new();
    struct rv_queue *full = add(pool, &busy, MANY, 1, 1);
    struct rv_queue *other = add(pool, &quiet, 10, 1, 1);

    dropping = &busy;
    atomic_store(&busy.held, true);
    for (int i = 0; i < MANY; i++)
        assert_true(push(full));
    assert_true(push(other));
    assert_ok((struct rv_ctx *)*state, rv_pool_start(*state, pool, 1, NULL));
    wait_for(&busy.at_once, 1);
    atomic_store(&busy.held, false);
    wait_for(&quiet.items, 1);
    assert_true(quiet.other_items <= 2); /* its turn came after one batch of the full one */
    end(pool, 5000);
    assert_int_equal(busy.items + busy.dropped, MANY);
}

static void finishes_what_waits_before_it_stops(void **state)
{
    struct seen seen = { 0 };
    struct rv_pool *pool = rv_pool_new();
    struct rv_queue *queue = add(pool, &seen, MANY, 7, 2);

    for (int i = 0; i < 5000; i++)
        assert_true(push(queue));
    assert_ok((struct rv_ctx *)*state, rv_pool_start(*state, pool, 3, NULL));
    rv_pool_stop(pool, 10000);
    assert_int_equal(seen.items, 5000);
    assert_false(push(queue)); /* too late */
    rv_pool_free(pool);
}

static struct rv_queue *shared;

static void *push_many(void *arg)
{
    for (int i = 0; i < MANY; i++)
        while (!push(shared))
            rv_sleep_ms(1);
    return arg;
}

static void loses_nothing_under_many_pushers(void **state)
{
    struct seen seen = { 0 };
    struct rv_pool *pool = rv_pool_new();
    pthread_t pushers[4];

    shared = add(pool, &seen, 500, 64, 2);
    assert_ok((struct rv_ctx *)*state, rv_pool_start(*state, pool, 3, NULL));
    for (int i = 0; i < 4; i++)
        pthread_create(&pushers[i], NULL, push_many, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(pushers[i], NULL);
    wait_for(&seen.items, 4 * MANY);
    end(pool, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(takes_everything_that_waits_as_one_batch),
        RV_TEST(refuses_one_more_than_its_depth),
        RV_TEST(lets_as_many_workers_in_as_the_queue_says),
        RV_TEST(works_in_turn_on_queues_that_share_one),
        RV_TEST(a_second_worker_comes_only_to_what_has_waited),
        RV_TEST(a_full_queue_starves_no_other),
        RV_TEST(finishes_what_waits_before_it_stops),
        RV_TEST(loses_nothing_under_many_pushers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
