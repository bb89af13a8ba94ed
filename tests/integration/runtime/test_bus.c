/* Long because every promise of the bus has its sentence here, against a real nats-server. */
#include "support/rv_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "runtime/bus.h"
#include "support/stack.h"
#include "unit/runtime/sample.h"

enum { ASK_MS = 5000 };

static struct stack stack;
static struct rv_bus *bus, *far; /* far answers */
static struct rv_ctx setup;

static int open_buses(void **state)
{
    struct rv_bus_options options = { .name = "test_bus" };

    rv_ctx_init(&setup);
    if (!stack_start(&stack, STACK_NATS))
        return -1;
    options.url = stack.nats_url;
    if (rv_bus_open(&setup, &options, &bus) != RV_OK)
        return -1;
    return rv_bus_open(&setup, &options, &far) == RV_OK ? 0 : -1;
}

static int close_buses(void **state)
{
    rv_bus_close(bus);
    rv_bus_close(far);
    stack_stop(&stack);
    rv_ctx_release(&setup);
    return 0;
}

/* The far side: answers from the bus' own thread, which is fine in a test. */

static void echo(void *arg, const struct rv_heard *heard)
{
    rv_bus_answer(far, heard->reply, heard->bytes, heard->len);
}

static void ignore(void *arg, const struct rv_heard *heard)
{
}

struct noted {
    char subject[64], trace_id[40], request_id[64], bytes[64];
    atomic_size_t n;
};

static void note(void *arg, const struct rv_heard *heard)
{
    struct noted *noted = arg;

    snprintf(noted->subject, sizeof(noted->subject), "%s", heard->subject);
    snprintf(noted->trace_id, sizeof(noted->trace_id), "%s",
             heard->trace_id ? heard->trace_id : "");
    snprintf(noted->request_id, sizeof(noted->request_id), "%s",
             heard->request_id ? heard->request_id : "");
    snprintf(noted->bytes, sizeof(noted->bytes), "%.*s", (int)heard->len,
             (const char *)heard->bytes);
    atomic_fetch_add(&noted->n, 1);
    rv_bus_answer(far, heard->reply, heard->bytes, heard->len);
}

static void listen_to(const char *subject, void (*heard)(void *arg, const struct rv_heard *heard),
                      void *arg)
{
    struct rv_error error = { .status = RV_BUSY };

    assert_ok(&setup, rv_bus_listen(&setup, far, subject, "far", heard, arg));
    for (int i = 0; i < 100; i++) /* until the server knows of it */
        rv_bus_answer_failure(far, "reeve.nobody", &error);
    rv_sleep_ms(20);
}

static struct rv_subject subject(const char *name, enum rv_speech speech)
{
    return (struct rv_subject){ name, speech, SAMPLE, SAMPLE };
}

static void asks_one_record_and_gets_one(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_subject echoes = subject("reeve.test.echo_one", RV_REQUEST);
    struct sample got = { 0 };

    listen_to(echoes.name, echo, NULL);
    assert_ok(cx, rv_bus_ask(cx, bus, &echoes, &full_sample, &got, ASK_MS));
    assert_same_sample(&full_sample, &got);
}

static void asks_many_and_keeps_their_order(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_subject echoes = subject("reeve.test.echo_many", RV_BATCH);
    struct sample asks[50], got[50] = { 0 };

    listen_to(echoes.name, echo, NULL);
    for (int i = 0; i < 50; i++)
        asks[i] = (struct sample){ .name = "x", .count = i + 1 };
    assert_ok(cx, rv_bus_ask_many(cx, bus, &echoes, asks, 50, got, ASK_MS));
    for (int i = 0; i < 50; i++)
        assert_int_equal(got[i].count, i + 1);
    assert_ok(cx, rv_bus_ask_many(cx, NULL, &echoes, asks, 0, got, ASK_MS)); /* asks nobody */
}

static void asks_two_services_at_once(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_subject one = subject("reeve.test.half_one", RV_BATCH);
    struct rv_subject two = subject("reeve.test.half_two", RV_BATCH);
    struct sample ask = { .name = "x", .count = 7 }, first = { 0 }, second = { 0 };
    struct rv_pending *asked_one, *asked_two;

    listen_to(one.name, echo, NULL);
    listen_to(two.name, echo, NULL);
    assert_ok(cx, rv_bus_begin(cx, bus, &one, &ask, 1, ASK_MS, &asked_one));
    assert_ok(cx, rv_bus_begin(cx, bus, &two, &ask, 1, ASK_MS, &asked_two));
    assert_ok(cx, rv_bus_await(cx, asked_two, &second));
    assert_ok(cx, rv_bus_await(cx, asked_one, &first));
    assert_int_equal(first.count + second.count, 14);
}

static void hears_at_once_that_nobody_answers(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_subject lonely = subject("reeve.test.lonely", RV_BATCH);
    struct sample ask = { .name = "x" }, got;
    int64_t start_ms = rv_monotonic_ms();

    assert_fails(cx, rv_bus_ask_many(cx, bus, &lonely, &ask, 1, &got, ASK_MS), RV_UNAVAILABLE,
                 "nobody answers reeve.test.lonely");
    assert_true(rv_monotonic_ms() - start_ms < 1000);
}

static void waits_no_longer_than_it_said(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_subject mute = subject("reeve.test.mute", RV_BATCH);
    struct sample ask = { .name = "x" }, got;
    int64_t start_ms = rv_monotonic_ms();

    listen_to(mute.name, ignore, NULL);
    assert_fails(cx, rv_bus_ask_many(cx, bus, &mute, &ask, 1, &got, 100), RV_TIMEOUT,
                 "reeve.test.mute did not answer in 100 ms");
    cx->deadline_ms = rv_monotonic_ms() + 50; /* the work's own deadline is nearer */
    assert_int_equal(rv_bus_ask_many(cx, bus, &mute, &ask, 1, &got, ASK_MS), RV_TIMEOUT);
    assert_true(rv_monotonic_ms() - start_ms < 2000);
}

static void refuse(void *arg, const struct rv_heard *heard)
{
    struct rv_error error = {
        .status = RV_OVER_BUDGET,
        .text = "no \"money\" left\n",
        .hint = "raise it",
        .reason = "{\"left\": [0, 1]}",
        .retry_after_ms = 1500,
        .details = { { "items[3].name", "is too long" }, { "", "is ü" } },
        .n_details = 2,
    };

    rv_bus_answer_failure(far, heard->reply, &error);
}

static void a_failure_arrives_with_all_it_says(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_subject fails = subject("reeve.test.fails", RV_BATCH);
    struct sample ask = { .name = "x" }, got;

    listen_to(fails.name, refuse, NULL);
    assert_fails(cx, rv_bus_ask_many(cx, bus, &fails, &ask, 1, &got, ASK_MS), RV_OVER_BUDGET,
                 "no \"money\" left\n");
    assert_string_equal(cx->error.hint, "raise it");
    assert_string_equal(cx->error.reason, "{\"left\":[0,1]}");
    assert_int_equal(cx->error.retry_after_ms, 1500);
    assert_int_equal(cx->error.n_details, 2);
    assert_string_equal(cx->error.details[0].path, "items[3].name");
    assert_string_equal(cx->error.details[0].message, "is too long");
    assert_string_equal(cx->error.details[1].path, "");
    assert_string_equal(cx->error.details[1].message, "is ü");
}

static void fail_inside(void *arg, const struct rv_heard *heard)
{
    struct rv_error error = { .status = RV_INTERNAL, .text = "relation \"runs\" does not exist" };

    rv_bus_answer_failure(far, heard->reply, &error);
}

static void collide_inside(void *arg, const struct rv_heard *heard)
{
    struct rv_error error = { .status = RV_CONFLICT,
                              .inside = true,
                              .text = "add: is there already (23505 things_pkey)" };

    rv_bus_answer_failure(far, heard->reply, &error);
}

static void keeps_the_inside_to_itself(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_subject fails = subject("reeve.test.fails_inside", RV_BATCH);
    struct rv_subject collides = subject("reeve.test.collides_inside", RV_BATCH);
    struct sample ask = { .name = "x" }, got;

    listen_to(fails.name, fail_inside, NULL);
    assert_fails(cx, rv_bus_ask_many(cx, bus, &fails, &ask, 1, &got, ASK_MS), RV_INTERNAL,
                 "internal");
    listen_to(collides.name, collide_inside, NULL);
    assert_fails(cx, rv_bus_ask_many(cx, bus, &collides, &ask, 1, &got, ASK_MS), RV_CONFLICT,
                 "conflict");
}

static void the_trace_and_the_request_go_along(void **state)
{
    static struct noted noted;
    struct rv_ctx *cx = *state;
    struct rv_subject traced = subject("reeve.test.traced", RV_BATCH);
    struct sample ask = { .name = "x" }, got;

    listen_to(traced.name, note, &noted);
    cx->trace_id = "0af7651916cd43dd8448eb211c80319c";
    cx->request_id = "req-1";
    assert_ok(cx, rv_bus_ask_many(cx, bus, &traced, &ask, 1, &got, ASK_MS));
    assert_string_equal(noted.trace_id, cx->trace_id);
    assert_string_equal(noted.request_id, "req-1");
}

static void too_much_is_refused_before_it_is_sent(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_subject echoes = subject("reeve.test.echo_large", RV_REQUEST);
    uint8_t *bytes = calloc(1, RV_BUS_PAYLOAD_MAX);
    struct sample ask = { .name = "x", .picture = { bytes, RV_BUS_PAYLOAD_MAX } }, got;

    assert_int_equal(rv_bus_ask(cx, bus, &echoes, &ask, &got, ASK_MS), RV_TOO_LARGE);
    assert_int_equal(rv_bus_publish(cx, bus, "reeve.x", bytes, RV_BUS_PAYLOAD_MAX + 1),
                     RV_TOO_LARGE);
    assert_true(rv_bus_connected(bus));
    free(bytes);
}

static void bytes_are_heard_by_whoever_listens(void **state)
{
    static struct noted one, two;
    struct rv_ctx *cx = *state;

    assert_ok(cx, rv_bus_listen(cx, far, "reeve.live.>", NULL, note, &one));
    assert_ok(cx, rv_bus_listen(cx, far, "reeve.live.*.b", NULL, note, &two));
    listen_to("reeve.test.unused", ignore, NULL);
    assert_ok(cx, rv_bus_publish(cx, bus, "reeve.live.a.b", "hello", 5));
    for (int i = 0; i < 1000 && atomic_load(&one.n) + atomic_load(&two.n) < 2; i++)
        rv_sleep_ms(1);
    assert_string_equal(one.bytes, "hello");
    assert_string_equal(one.subject, "reeve.live.a.b");
    assert_string_equal(two.bytes, "hello");
}

/* 8 threads, each with 125 questions under way. */
static void *ask_a_lot(void *arg)
{
    struct rv_subject echoes = subject("reeve.test.echo_lot", RV_BATCH);
    struct rv_pending *pending[125];
    intptr_t wrong = 0;
    struct rv_ctx cx;

    for (int round = 0; round < 8; round++) {
        rv_ctx_init(&cx);
        for (int i = 0; i < 125; i++) {
            struct sample ask = { .name = "x", .count = i + 1 };

            if (rv_bus_begin(&cx, bus, &echoes, &ask, 1, ASK_MS, &pending[i]) != RV_OK)
                abort();
        }
        for (int i = 0; i < 125; i++) {
            struct sample got = { 0 };

            wrong += rv_bus_await(&cx, pending[i], &got) != RV_OK || got.count != i + 1;
        }
        rv_ctx_release(&cx);
    }
    return (void *)wrong;
}

static void a_thousand_questions_are_under_way_at_once(void **state)
{
    pthread_t threads[8];

    listen_to("reeve.test.echo_lot", echo, NULL);
    for (int i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, ask_a_lot, NULL);
    for (int i = 0; i < 8; i++) {
        void *wrong;

        pthread_join(threads[i], &wrong);
        assert_int_equal((intptr_t)wrong, 0);
    }
}

static void *restart_server(void *arg)
{
    rv_sleep_ms(100);
    stack_nats_stop(&stack);
    return NULL;
}

static void comes_back_when_the_server_does(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_subject mute = subject("reeve.test.mute", RV_BATCH);
    struct rv_subject echoes = subject("reeve.test.echo_many", RV_BATCH);
    struct sample ask = { .name = "x", .count = 5 }, got = { 0 };
    int64_t start_ms = rv_monotonic_ms();
    uint32_t connects = rv_bus_connects(bus);
    pthread_t thread;

    pthread_create(&thread, NULL, restart_server, NULL);
    assert_int_equal(rv_bus_ask_many(cx, bus, &mute, &ask, 1, &got, 20000), RV_UNAVAILABLE);
    assert_true(rv_monotonic_ms() - start_ms < 10000); /* did not wait for nothing */
    pthread_join(thread, NULL);
    assert_false(rv_bus_connected(bus));
    assert_fails(cx, rv_bus_ask_many(cx, bus, &mute, &ask, 1, &got, 20000), RV_UNAVAILABLE,
                 "the bus is down, reeve.test.mute cannot be asked");

    assert_true(stack_nats_start(&stack));
    for (int i = 0; i < 500 && !(rv_bus_connected(bus) && rv_bus_connected(far)); i++)
        rv_sleep_ms(10);
    rv_sleep_ms(50);
    assert_ok(cx, rv_bus_ask_many(cx, bus, &echoes, &ask, 1, &got, ASK_MS));
    assert_int_equal(got.count, 5);
    assert_int_equal(rv_bus_connects(bus), connects + 1);
}

static void starts_before_the_server(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_bus_options options = { .name = "early", .url = stack.nats_url };
    struct rv_subject echoes = subject("reeve.test.echo_many", RV_BATCH);
    struct sample ask = { .name = "x", .count = 5 }, got = { 0 };
    struct rv_bus *early;

    stack_nats_stop(&stack);
    assert_ok(cx, rv_bus_open(cx, &options, &early));
    assert_false(rv_bus_connected(early));
    assert_true(stack_nats_start(&stack));
    for (int i = 0; i < 500 && !(rv_bus_connected(early) && rv_bus_connected(far)); i++)
        rv_sleep_ms(10);
    rv_sleep_ms(50);
    assert_ok(cx, rv_bus_ask_many(cx, early, &echoes, &ask, 1, &got, ASK_MS));
    rv_bus_close(early);
}

static void hears_nothing_once_it_is_deaf(void **state)
{
    static struct noted noted;
    struct rv_ctx *cx = *state;
    struct rv_bus_options options = { .name = "deaf", .url = stack.nats_url };
    struct rv_subject mute = subject("reeve.test.deaf", RV_BATCH);
    struct rv_subject echoes = subject("reeve.test.echo_many", RV_BATCH);
    struct sample ask = { .name = "x", .count = 5 }, got = { 0 };
    int64_t start_ms = rv_monotonic_ms();
    struct rv_bus *deaf;

    assert_ok(cx, rv_bus_open(cx, &options, &deaf));
    assert_ok(cx, rv_bus_listen(cx, deaf, mute.name, "deaf", note, &noted));
    rv_bus_deafen(deaf);
    assert_true(rv_monotonic_ms() - start_ms < 1500);
    assert_fails(cx, rv_bus_ask_many(cx, bus, &mute, &ask, 1, &got, ASK_MS), RV_UNAVAILABLE,
                 "nobody answers reeve.test.deaf");
    assert_ok(cx, rv_bus_ask_many(cx, deaf, &echoes, &ask, 1, &got, ASK_MS)); /* asks on */
    assert_int_equal(noted.n, 0);
    rv_bus_close(deaf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(asks_one_record_and_gets_one),
        RV_TEST(asks_many_and_keeps_their_order),
        RV_TEST(asks_two_services_at_once),
        RV_TEST(hears_at_once_that_nobody_answers),
        RV_TEST(waits_no_longer_than_it_said),
        RV_TEST(a_failure_arrives_with_all_it_says),
        RV_TEST(keeps_the_inside_to_itself),
        RV_TEST(the_trace_and_the_request_go_along),
        RV_TEST(too_much_is_refused_before_it_is_sent),
        RV_TEST(bytes_are_heard_by_whoever_listens),
        RV_TEST(hears_nothing_once_it_is_deaf),
        RV_TEST(a_thousand_questions_are_under_way_at_once),
        RV_TEST(comes_back_when_the_server_does),
        RV_TEST(starts_before_the_server),
    };

    return cmocka_run_group_tests(tests, open_buses, close_buses);
}
