/* Long because every promise of streams and consumers has its sentence here, on a real server. */
#include "support/rv_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "runtime/stream.h"
#include "support/stack.h"

enum { WAIT_MS = 8000 };

static struct stack stack;
static struct rv_bus *bus;
static struct rv_ctx setup;

static const struct rv_stream work = { "TEST_WORK", "work.>", true, 3600000, 4 << 20 };
static const struct rv_stream events = { "TEST_EVENTS", "ev.>", false, 60000, 4 << 20 };

static const struct rv_consumer_row first = { &work, "first", "work.first.>", 10000, 1000 };
static const struct rv_consumer_row second = { &work, "second", "work.second.>", 10000, 1000 };
static const struct rv_consumer_row quick = { &events, "quick", "ev.quick.>", 300, 1000 };
static const struct rv_consumer_row as_one = { &events, "as_one", "ev.as_one.>", 300, 1000 };
static const struct rv_consumer_row wiped = { &work, "wiped", "work.wiped.>", 10000, 1000 };
static const struct rv_consumer_row exact = { &work, "exact", "work.exact.>", 10000, 1000 };

static const struct rv_consumer_row asked = { &work, "asked", "work.asked.>", 10000, 1000 };
static const struct rv_consumer_row batch = { &events, "batch", "ev.batch.>", 10000, 1000 };

static int start(void **state)
{
    struct rv_bus_options options = { .name = "test_stream" };

    rv_ctx_init(&setup);
    if (!stack_start(&stack, STACK_NATS))
        return -1;
    options.url = stack.nats_url;
    return rv_bus_open(&setup, &options, &bus) == RV_OK ? 0 : -1;
}

static int stop(void **state)
{
    rv_bus_close(bus);
    stack_stop(&stack);
    rv_ctx_release(&setup);
    return 0;
}

static void publish(struct rv_ctx *cx, const char *subject, int from, int to)
{
    for (int i = from; i <= to; i++) {
        char *text = rv_printf(cx, "%d", i);
        struct rv_publish item = { .subject = subject, .bytes = text, .len = strlen(text) };

        assert_ok(cx, rv_stream_publish(cx, bus, &item, 1, WAIT_MS));
    }
}

static struct rv_consumer *open_consumer(const struct rv_consumer_row *row)
{
    struct rv_consumer *consumer;

    assert_ok(&setup, rv_consumer_open(&setup, bus, row, &consumer));
    return consumer;
}

static size_t take(struct rv_ctx *cx, struct rv_consumer *consumer, size_t want, int64_t wait_ms,
                   struct rv_delivery **items)
{
    size_t n;

    assert_ok(cx, rv_consumer_take(cx, consumer, want, wait_ms, items, &n));
    return n;
}

static int number_of(const struct rv_delivery *item)
{
    char text[32];

    snprintf(text, sizeof(text), "%.*s", (int)item->len, (const char *)item->bytes);
    return atoi(text);
}

static void is_provided_any_number_of_times(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_stream other = events;

    for (int i = 0; i < 3; i++) {
        assert_ok(cx, rv_stream_provide(cx, bus, &work));
        assert_ok(cx, rv_stream_provide(cx, bus, &events));
        assert_ok(cx, rv_consumer_provide(cx, bus, &first));
        assert_ok(cx, rv_consumer_provide(cx, bus, &second));
    }
    other.max_age_ms = 30000;
    assert_ok(cx, rv_stream_provide(cx, bus, &other)); /* differs: said in the log, left alone */
}

static void gives_each_message_once_and_in_order(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_consumer *consumer = open_consumer(&first);
    int next = 1;

    cx->trace_id = "0af7651916cd43dd8448eb211c80319c";
    publish(cx, "work.first.a", 1, 30);
    while (next <= 30) {
        struct rv_delivery *items;
        size_t n = take(cx, consumer, 7, WAIT_MS, &items);

        assert_in_range(n, 1, 7);
        for (size_t i = 0; i < n; i++, next++) {
            assert_int_equal(number_of(&items[i]), next);
            assert_string_equal(items[i].subject, "work.first.a");
            assert_int_equal(items[i].deliveries, 1);
            rv_consumer_ack(bus, items[i].ack);
        }
    }
    rv_consumer_close(consumer);
}

static void what_is_acknowledged_as_one_does_not_come_again(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_consumer *consumer = open_consumer(&as_one);
    struct rv_delivery *items;
    const char *acks[20];
    size_t n_acks = 0;

    publish(cx, "ev.as_one.a", 1, 20);
    while (n_acks < 20)
        for (size_t n = take(cx, consumer, 20 - n_acks, WAIT_MS, &items), i = 0; i < n; i++)
            acks[n_acks++] = items[i].ack;
    rv_consumer_ack_many(cx, bus, acks, 20);
    assert_int_equal(take(cx, consumer, 20, as_one.ack_wait_ms + 1000, &items), 0);
    rv_consumer_close(consumer);
}

static void none_is_fine_after_the_wait(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_consumer *consumer = open_consumer(&second);
    struct rv_delivery *items;
    int64_t start_ms = rv_monotonic_ms();

    assert_int_equal(take(cx, consumer, 5, 200, &items), 0);
    assert_in_range(rv_monotonic_ms() - start_ms, 199, 2000);
    assert_int_equal(take(cx, consumer, 0, 200, &items), 0);
    rv_consumer_close(consumer);
}

static void *publish_later(void *arg)
{
    struct rv_ctx cx;

    rv_ctx_init(&cx);
    rv_sleep_ms(300);
    *(int64_t *)arg = rv_monotonic_ns();
    publish(&cx, "work.second.late", 1, 1);
    rv_ctx_release(&cx);
    return NULL;
}

static void a_fresh_message_comes_at_once(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_consumer *consumer = open_consumer(&second);
    struct rv_delivery *items;
    int64_t sent_ns, took_ns;
    pthread_t thread;

    pthread_create(&thread, NULL, publish_later, &sent_ns);
    assert_int_equal(take(cx, consumer, 5, WAIT_MS, &items), 1);
    took_ns = rv_monotonic_ns() - sent_ns;
    pthread_join(thread, NULL);
    rv_consumer_ack(bus, items[0].ack);
    print_message("             %lld us\n", (long long)took_ns / 1000);
    assert_true(took_ns < 100 * 1000000);
    rv_consumer_close(consumer);
}

static void count_pull(void *arg, const struct rv_heard *heard)
{
    (void)heard;
    atomic_fetch_add((atomic_int *)arg, 1);
}

/* Of two the server serves each in turn, and nobody knows what is left of which. */
static void has_one_pull_under_way_at_a_time(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_consumer *consumer = open_consumer(&asked);
    static atomic_int pulls;
    struct rv_delivery *items;

    assert_ok(cx, rv_bus_listen(cx, bus, "$JS.API.CONSUMER.MSG.NEXT.TEST_WORK.asked", NULL,
                                count_pull, &pulls));
    for (size_t want = 1; want < 40; want += 9)
        assert_int_equal(take(cx, consumer, want, 20, &items), 0);
    assert_int_equal(pulls, 1);
    publish(cx, "work.asked.x", 1, 30);
    for (size_t got = 0; got < 30;)
        got += take(cx, consumer, 8, WAIT_MS, &items);
    assert_in_range(pulls, 4, 31); /* of one, as that was wanted, and then of eight */
    rv_consumer_close(consumer);
}

static void takes_no_more_than_it_wants_from_the_others(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_consumer *modest = open_consumer(&exact), *other = open_consumer(&exact);
    struct rv_delivery *items;
    size_t mine = 0, theirs = 0;

    publish(cx, "work.exact.a", 1, 20);
    while (mine < 3)
        mine += take(cx, modest, 3 - mine, WAIT_MS, &items);
    assert_int_equal(mine, 3);
    rv_sleep_ms(100);
    while (theirs < 17)
        theirs += take(cx, other, 17 - theirs, WAIT_MS, &items);
    assert_int_equal(theirs, 17);
    rv_consumer_close(modest);
    rv_consumer_close(other);
}

static void what_is_refused_comes_back(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_consumer *consumer = open_consumer(&quick);
    struct rv_delivery *items;
    int64_t start_ms;

    publish(cx, "ev.quick.a", 1, 1);
    assert_int_equal(take(cx, consumer, 1, WAIT_MS, &items), 1);
    start_ms = rv_monotonic_ms();
    rv_consumer_nak(bus, items[0].ack, 500);
    assert_int_equal(take(cx, consumer, 1, WAIT_MS, &items), 1);
    assert_in_range(rv_monotonic_ms() - start_ms, 450, 3000);
    assert_int_equal(items[0].deliveries, 2);
    /* not acknowledged in time: again */
    assert_int_equal(take(cx, consumer, 1, WAIT_MS, &items), 1);
    assert_int_equal(items[0].deliveries, 3);
    rv_consumer_term(bus, items[0].ack);
    assert_int_equal(take(cx, consumer, 1, 700, &items), 0);
    rv_consumer_close(consumer);
}

static void what_a_closed_consumer_held_goes_to_another(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_consumer *leaving = open_consumer(&second), *staying;
    struct rv_delivery *items;
    size_t n = 0;

    publish(cx, "work.second.b", 1, 1);
    assert_int_equal(take(cx, leaving, 4, WAIT_MS, &items), 1);
    rv_consumer_ack(bus, items[0].ack);
    publish(cx, "work.second.b", 2, 4); /* three more come to its open pull */
    rv_sleep_ms(100);
    rv_consumer_close(leaving);
    staying = open_consumer(&second);
    while (n < 3) {
        size_t more = take(cx, staying, 3 - n, 2000, &items);

        assert_true(more > 0);
        for (size_t i = 0; i < more; i++)
            rv_consumer_ack(bus, items[i].ack);
        n += more;
    }
    rv_consumer_close(staying);
}

static void the_same_id_is_stored_once(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_consumer *consumer = open_consumer(&quick);
    struct rv_publish item = { .subject = "ev.quick.once", .id = "id-1", .bytes = "1", .len = 1 };
    struct rv_delivery *items;

    for (int i = 0; i < 3; i++)
        assert_ok(cx, rv_stream_publish(cx, bus, &item, 1, WAIT_MS));
    assert_int_equal(take(cx, consumer, 5, WAIT_MS, &items), 1);
    rv_consumer_ack(bus, items[0].ack);
    assert_int_equal(take(cx, consumer, 5, 200, &items), 0);
    rv_consumer_close(consumer);
}

static void publishes_many_at_once(void **state)
{
    enum { N = 5000 };
    struct rv_ctx *cx = *state;
    struct rv_publish *items = rv_new_array(cx, struct rv_publish, N);
    int64_t start_ms;

    for (int i = 0; i < N; i++)
        items[i] = (struct rv_publish){ .subject = "ev.many",
                                        .id = rv_printf(cx, "many-%d", i),
                                        .bytes = "0123456789",
                                        .len = 10 };
    assert_ok(cx, rv_stream_publish(cx, bus, items, 100, WAIT_MS)); /* opens the connection */
    start_ms = rv_monotonic_ms();
    assert_ok(cx, rv_stream_publish(cx, bus, items, N, WAIT_MS));
    print_message("             %d in %lld ms\n", N, (long long)(rv_monotonic_ms() - start_ms));
}

/* Messages @from to @to, each with its number as its text and in its id. */
static rv_result publish_batch(struct rv_ctx *cx, int from, int to)
{
    size_t n = (size_t)(to - from + 1);
    struct rv_publish *items = rv_new_array(cx, struct rv_publish, n);

    for (size_t i = 0; i < n; i++) {
        const char *text = rv_printf(cx, "%d", from + (int)i);

        items[i] = (struct rv_publish){ .subject = "ev.batch.ours",
                                        .id = rv_printf(cx, "batch-%s", text),
                                        .bytes = text,
                                        .len = strlen(text) };
    }
    return rv_stream_publish(cx, bus, items, n, WAIT_MS);
}

/* Takes all there is and counts how often each number of ours came; returns how many others did. */
static int count_batch(struct rv_ctx *cx, int *times, int n_times)
{
    struct rv_consumer *consumer = open_consumer(&batch);
    struct rv_delivery *items;
    int others = 0;
    size_t n;

    while ((n = take(cx, consumer, 500, 500, &items)) > 0)
        for (size_t i = 0; i < n; i++) {
            if (strcmp(items[i].subject, "ev.batch.ours") != 0)
                others++;
            else if (number_of(&items[i]) < n_times)
                times[number_of(&items[i])]++;
            rv_consumer_ack(bus, items[i].ack);
        }
    rv_consumer_close(consumer);
    return others;
}

static void a_batch_with_something_stored_before_is_stored_once(void **state)
{
    struct rv_ctx *cx = *state;
    int times[120] = { 0 };

    assert_ok(cx, publish_batch(cx, 3, 3)); /* in the middle of the next batch */
    assert_ok(cx, publish_batch(cx, 1, 5));
    assert_ok(cx, publish_batch(cx, 1, 5)); /* nothing of it is new */
    assert_ok(cx, publish_batch(cx, 50, 60));
    assert_ok(cx, publish_batch(cx, 6, 119)); /* in bulk */
    assert_int_equal(count_batch(cx, times, 120), 0);
    for (int i = 1; i < 120; i++)
        assert_int_equal(times[i], 1);
}

static atomic_bool interrupting;
static atomic_int interruptions;

static void *interrupt(void *arg)
{
    struct rv_publish item = { .subject = "ev.batch.theirs", .bytes = "0", .len = 1 };
    struct rv_ctx cx;

    rv_ctx_init(&cx);
    while (atomic_load(&interrupting)) {
        if (rv_stream_publish(&cx, arg, &item, 1, WAIT_MS) == RV_OK)
            atomic_fetch_add(&interruptions, 1);
        rv_ctx_reset(&cx);
    }
    rv_ctx_release(&cx);
    return NULL;
}

static void a_batch_that_another_publisher_breaks_into_is_stored_once(void **state)
{
    enum { FROM = 1000, BATCH = 300, BATCHES = 10, END = FROM + BATCH * BATCHES };
    struct rv_bus_options options = { .name = "another", .url = stack.nats_url };
    static int times[END];
    struct rv_ctx *cx = *state;
    struct rv_bus *another;
    pthread_t thread;

    assert_ok(cx, rv_bus_open(cx, &options, &another));
    atomic_store(&interrupting, true);
    pthread_create(&thread, NULL, interrupt, another);
    for (int i = 0; i < BATCHES; i++)
        assert_ok(cx, publish_batch(cx, FROM + i * BATCH, FROM + (i + 1) * BATCH - 1));
    atomic_store(&interrupting, false);
    pthread_join(thread, NULL);
    assert_true(atomic_load(&interruptions) > 0);
    assert_int_equal(count_batch(cx, times, END), atomic_load(&interruptions));
    for (int i = FROM; i < END; i++)
        assert_int_equal(times[i], 1);
    rv_bus_close(another);
}

static void says_when_no_stream_takes_it(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_publish item = { .subject = "nowhere.a", .bytes = "1", .len = 1 };

    assert_fails(cx, rv_stream_publish(cx, bus, &item, 1, WAIT_MS), RV_UNAVAILABLE,
                 "nowhere.a was not stored: no stream takes it");
}

static void says_when_a_stream_is_full(void **state)
{
    static const struct rv_stream small = { "TEST_SMALL", "small.>", true, 3600000, 1000 };
    struct rv_ctx *cx = *state;
    char *text = rv_new_array(cx, char, 600);
    struct rv_publish item = { .subject = "small.a", .bytes = text, .len = 600 };

    assert_ok(cx, rv_stream_provide(cx, bus, &small));
    assert_ok(cx, rv_stream_publish(cx, bus, &item, 1, WAIT_MS));
    assert_int_equal(rv_stream_publish(cx, bus, &item, 1, WAIT_MS), RV_UNAVAILABLE);
}

static void works_again_after_the_server_lost_everything(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_consumer *consumer = open_consumer(&wiped);
    struct rv_delivery *items;
    int64_t back_ms;
    size_t n = 0;

    assert_int_equal(take(cx, consumer, 5, 100, &items), 0); /* a pull is open */
    assert_true(stack_nats_restart(&stack, true));
    back_ms = rv_monotonic_ms();
    for (int i = 0; i < 100 && n == 0; i++) {
        struct rv_publish item = { .subject = "work.wiped.a", .bytes = "1", .len = 1 };

        n = take(cx, consumer, 5, 50, &items);
        if (n == 0 && rv_stream_publish(cx, bus, &item, 1, 500) != RV_OK)
            cx->error = (struct rv_error){ 0 };
    }
    print_message("             %lld ms\n", (long long)(rv_monotonic_ms() - back_ms));
    assert_true(n > 0);
    assert_true(rv_monotonic_ms() - back_ms < 5000);
    rv_consumer_close(consumer);
}

static void works_again_after_a_plain_restart(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_consumer *consumer = open_consumer(&second);
    struct rv_delivery *items;

    assert_int_equal(take(cx, consumer, 5, 100, &items), 0);
    assert_true(stack_nats_restart(&stack, false));
    for (int i = 0; i < 500 && !rv_bus_connected(bus); i++)
        rv_sleep_ms(10);
    assert_int_equal(take(cx, consumer, 5, 500, &items), 0);
    publish(cx, "work.second.c", 1, 1);
    assert_int_equal(take(cx, consumer, 5, 5000, &items), 1);
    rv_consumer_close(consumer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(is_provided_any_number_of_times),
        RV_TEST(gives_each_message_once_and_in_order),
        RV_TEST(what_is_acknowledged_as_one_does_not_come_again),
        RV_TEST(none_is_fine_after_the_wait),
        RV_TEST(a_fresh_message_comes_at_once),
        RV_TEST(has_one_pull_under_way_at_a_time),
        RV_TEST(takes_no_more_than_it_wants_from_the_others),
        RV_TEST(what_is_refused_comes_back),
        RV_TEST(what_a_closed_consumer_held_goes_to_another),
        RV_TEST(the_same_id_is_stored_once),
        RV_TEST(publishes_many_at_once),
        RV_TEST(a_batch_with_something_stored_before_is_stored_once),
        RV_TEST(a_batch_that_another_publisher_breaks_into_is_stored_once),
        RV_TEST(says_when_no_stream_takes_it),
        RV_TEST(says_when_a_stream_is_full),
        RV_TEST(works_again_after_the_server_lost_everything),
        RV_TEST(works_again_after_a_plain_restart),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
