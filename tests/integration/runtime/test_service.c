/* Long because a service has many sides. */

#include "support/rv_test.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "runtime/json.h"
#include "runtime/service.h"
#include "support/stack.h"
#include "support/stack_process.h"
#include "unit/runtime/sample.h"

/*
 * This program is also the service it tests: with --serve it becomes reeve-test. A sample's name
 * says what shall happen to it, its count comes back one higher, its share is the size of the unit
 * it was in.
 */

/* clang-format off */
#define SUBJECT(name_, speech_) { "reeve.test." name_, speech_, { 0 }, { 0 } }
/* clang-format on */

static struct rv_subject bake = SUBJECT("bake", RV_BATCH);
static struct rv_subject pairs = SUBJECT("pairs", RV_BATCH); /* two items a unit at most */
static struct rv_subject hasty = SUBJECT("hasty", RV_BATCH); /* not for whoever has gone */
static struct rv_subject ask_one = SUBJECT("ask_one", RV_REQUEST);
static struct rv_subject news = SUBJECT("news", RV_NEWS);
static struct rv_subject event = { "reeve.ev.test.>", RV_EVENT, { 0 }, { 0 } };

static const struct rv_stream events = { "TEST_EVENTS", "reeve.ev.test.>", false, 3600000,
                                         1 << 20 };
static const struct rv_consumer_row hearing = { &events, "test-ear", "reeve.ev.test.>", 5000, 100 };

enum { CALM_REST_MS = 500 };

static rv_tick_fn tick_rare, tick_calm;
rv_batch_fn on_bake, on_news, on_event;
rv_handler_fn on_ask_one;

static struct rv_runtime *running;
static atomic_int heard_news, heard_events, baked_late, ticks, calm_ticks, flaky, lost;

static void tell_lost(struct rv_ctx *cx, void *arg)
{
    atomic_fetch_add(&lost, 1);
}

static enum rv_status bake_one(struct rv_ctx *cx, const struct sample *ask, struct sample *answer,
                               size_t n)
{
    if (strcmp(ask->name, "slow") == 0)
        rv_sleep_ms(ask->count);
    if (strcmp(ask->name, "poison") == 0)
        return rv_fail(cx, RV_INTERNAL, "poisoned");
    if (strcmp(ask->name, "flaky") == 0 && atomic_fetch_add(&flaky, 1) == 0) {
        rv_after(cx, tell_lost, NULL);
        return rv_fail(cx, RV_UNAVAILABLE, "deadlock detected (40P01)");
    }
    if (strcmp(ask->name, "down") == 0)
        return rv_fail(cx, RV_UNAVAILABLE, "always down");
    if (strcmp(ask->name, "refused") == 0) {
        rv_wrong(cx, "items[0].name", "is not baked here");
        return rv_refuse(cx);
    }
    if (strcmp(ask->name, "late") == 0)
        atomic_fetch_add(&baked_late, 1);
    *answer = (struct sample){ .name = ask->name, .count = ask->count + 1, .share = (double)n };
    return RV_OK;
}

RV_BATCH_HANDLER(on_bake, void *service, const struct sample *asks, struct sample *answers,
                 size_t n)
{
    for (size_t i = 0; i < n; i++)
        RV_TRY(cx, bake_one(cx, &asks[i], &answers[i], n));
    return RV_OK;
}

RV_HANDLER(on_ask_one, void *service, const struct sample *ask, struct sample *answer)
{
    const struct {
        const char *name;
        atomic_int *counter;
    } counters[] = {
        { "news", &heard_news }, { "events", &heard_events },   { "ticks", &ticks },
        { "lost", &lost },       { "baked late", &baked_late }, { "calm ticks", &calm_ticks },
    };

    if (strcmp(ask->name, "wake") == 0)
        rv_tick_wake(running, "rare");
    if (strcmp(ask->name, "wake calm") == 0)
        rv_tick_wake(running, "calm");
    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        if (strcmp(ask->name, counters[i].name) == 0) {
            *answer =
                (struct sample){ .name = ask->name, .count = atomic_load(counters[i].counter) };
            return RV_OK;
        }
    return bake_one(cx, ask, answer, 1);
}

RV_BATCH_HANDLER(on_news, void *service, const struct sample *items, void *nothing, size_t n)
{
    atomic_fetch_add(&heard_news, (int)n);
    return RV_OK;
}

RV_BATCH_HANDLER(on_event, void *service, const struct sample *items, void *nothing, size_t n)
{
    static atomic_int failed;

    for (size_t i = 0; i < n; i++)
        if (strcmp(items[i].name, "fails once") == 0 && atomic_fetch_add(&failed, 1) < 2)
            return rv_fail(cx, RV_INTERNAL, "not yet");
    atomic_fetch_add(&heard_events, (int)n);
    return RV_OK;
}

/* The first run wants two more at once. */
static enum rv_status tick_rare(struct rv_ctx *cx, void *service, struct rv_tick_next *next)
{
    next->again = atomic_fetch_add(&ticks, 1) < 2;
    return RV_OK;
}

static enum rv_status tick_calm(struct rv_ctx *cx, void *service, struct rv_tick_next *next)
{
    atomic_fetch_add(&calm_ticks, 1);
    next->rest_ms = CALM_REST_MS;
    return RV_OK;
}

static enum rv_status open_test(struct rv_ctx *cx, void *service, struct rv_runtime *runtime)
{
    running = runtime;
    return RV_OK;
}

static int serve(int argc, char **argv)
{
    static const struct rv_handler handlers[] = {
        { .subject = &bake, .handle_many = on_bake },
        { .subject = &pairs, .handle_many = on_bake, .batch = 2 },
        { .subject = &hasty, .handle_many = on_bake, .stale = true },
        { .subject = &ask_one, .handle = on_ask_one, .parallel = 4 },
        { .subject = &news, .handle_many = on_news },
        { 0 },
    };
    static const struct rv_tick rows[] = { { "rare", tick_rare, 3600000 },
                                           { "calm", tick_calm, 3600000 },
                                           { 0 } };
    static const struct rv_ear ears[] = { { &hearing, &event, on_event, 0 }, { 0 } };
    static const struct rv_stream *const streams[] = { &events, NULL };
    static const char *const failpoints[] = { "test.own", NULL };
    static const struct rv_service service = {
        .name = "test",
        .doc = "is tested",
        .handlers = handlers,
        .ticks = rows,
        .ears = ears,
        .streams = streams,
        .failpoints = failpoints,
        .open = open_test,
    };

    return rv_service_main(argc, argv, &service);
}

/* From here on: the test. */

enum { ASK_MS = 8000 };

static struct stack stack;
static struct rv_bus *bus;
static struct rv_ctx setup;
static pid_t service;
static char self[512], log_path[128];

static bool start_service(void)
{
    const char *argv[] = { self, "--serve", NULL };
    const char *env[] = { "REEVE_QUEUE_DEPTH=40", "REEVE_WORKERS=2", NULL };
    struct sample ask = { .name = "hello" }, got;

    snprintf(log_path, sizeof(log_path), "%s/test.log", stack.home);
    service = stack_spawn(&(struct stack_program){ .argv = argv, .env = env, .log = log_path });
    for (int i = 0; i < 1000; i++) {
        if (rv_bus_ask(&setup, bus, &ask_one, &ask, &got, 1000) == RV_OK)
            return true;
        rv_ctx_reset(&setup);
        rv_sleep_ms(10);
    }
    return false;
}

static int start(void **state)
{
    struct rv_bus_options options = { .name = "test_service" };

    rv_ctx_init(&setup);
    if (!stack_start(&stack, STACK_NATS))
        return -1;
    options.url = stack.nats_url;
    return rv_bus_open(&setup, &options, &bus) == RV_OK && start_service() ? 0 : -1;
}

static int stop(void **state)
{
    stack_end(&service, SIGTERM, 10000);
    rv_bus_close(bus);
    if (stack.failed || getenv("SHOW_LOG")) {
        char command[200];

        snprintf(command, sizeof(command), "tail -50 %s >&2", log_path);
        if (system(command) != 0)
            fputs("no log\n", stderr);
    }
    stack_stop(&stack);
    rv_ctx_release(&setup);
    return 0;
}

static int64_t count_of(const char *what)
{
    struct sample ask = { .name = what }, got = { 0 };

    assert_ok(&setup, rv_bus_ask(&setup, bus, &ask_one, &ask, &got, ASK_MS));
    return got.count;
}

static bool count_becomes(const char *what, int64_t wanted)
{
    for (int i = 0; i < 1000; i++) {
        if (count_of(what) == wanted)
            return true;
        rv_sleep_ms(10);
    }
    return false;
}

/* Keeps the one unit that bake may have at once busy for @ms. */
static struct rv_pending *keep_busy(struct rv_ctx *cx, const struct rv_subject *subject, int64_t ms)
{
    struct sample slow = { .name = "slow", .count = ms };
    struct rv_pending *pending;

    assert_ok(cx, rv_bus_begin(cx, bus, subject, &slow, 1, ASK_MS, &pending));
    rv_sleep_ms(100);
    return pending;
}

static void answers_one_request(void **state)
{
    struct rv_ctx *cx = *state;
    struct sample ask = { .name = "bread", .count = 41 }, got = { 0 };

    assert_ok(cx, rv_bus_ask(cx, bus, &ask_one, &ask, &got, ASK_MS));
    assert_int_equal(got.count, 42);
}

static void what_waits_becomes_one_unit(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_pending *first = keep_busy(cx, &bake, 400), *pending[20];
    struct sample got = { 0 };

    for (int i = 0; i < 20; i++) {
        struct sample asks[3] = { { .name = "a", .count = i }, { .name = "b" }, { .name = "c" } };

        assert_ok(cx, rv_bus_begin(cx, bus, &bake, asks, 3, ASK_MS, &pending[i]));
    }
    assert_ok(cx, rv_bus_await(cx, first, &got));
    assert_int_equal(got.share, 1);
    for (int i = 0; i < 20; i++) {
        struct sample answers[3];

        assert_ok(cx, rv_bus_await(cx, pending[i], answers));
        assert_int_equal(answers[0].count, i + 1); /* each its own slice */
        assert_int_equal(answers[0].share, 60);
    }
}

static void a_unit_keeps_its_bound_and_a_large_message_is_one(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_pending *first = keep_busy(cx, &pairs, 300), *pending[3], *large;
    struct sample got,
        asks[5] = { { .name = "a" },
                    { .name = "b" },
                    { .name = "c" },
                    { .name = "d" },
                    { .name = "e" } },
        answers[5];

    for (int i = 0; i < 3; i++)
        assert_ok(cx, rv_bus_begin(cx, bus, &pairs, asks, 1, ASK_MS, &pending[i]));
    assert_ok(cx, rv_bus_begin(cx, bus, &pairs, asks, 5, ASK_MS, &large));
    assert_ok(cx, rv_bus_await(cx, first, &got));
    for (int i = 0; i < 3; i++) {
        assert_ok(cx, rv_bus_await(cx, pending[i], &got));
        assert_true(got.share <= 2);
    }
    assert_ok(cx, rv_bus_await(cx, large, answers));
    assert_int_equal(answers[4].share, 5);
}

static void a_poison_message_fails_alone(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_pending *first = keep_busy(cx, &bake, 300), *pending[5];
    struct sample got;

    for (int i = 0; i < 5; i++) {
        struct sample ask = { .name = i == 2 ? "poison" : "fine", .count = i };

        assert_ok(cx, rv_bus_begin(cx, bus, &bake, &ask, 1, ASK_MS, &pending[i]));
    }
    assert_ok(cx, rv_bus_await(cx, first, &got));
    for (int i = 0; i < 5; i++) {
        enum rv_status status = rv_bus_await(cx, pending[i], &got);

        assert_int_equal(status, i == 2 ? RV_INTERNAL : RV_OK);
        if (i != 2)
            assert_int_equal(got.count, i + 1);
    }
}

static void bytes_that_are_no_message_fail_alone(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_pending *first = keep_busy(cx, &bake, 300), *good;
    struct sample got, ask = { .name = "fine", .count = 1 };

    assert_ok(cx, rv_bus_publish(cx, bus, bake.name, "\xff\xff\xff", 3));
    assert_ok(cx, rv_bus_begin(cx, bus, &bake, &ask, 1, ASK_MS, &good));
    assert_ok(cx, rv_bus_await(cx, first, &got));
    assert_ok(cx, rv_bus_await(cx, good, &got));
    assert_int_equal(got.count, 2);
}

static void a_deadlock_is_tried_again_once(void **state)
{
    struct rv_ctx *cx = *state;
    struct sample got, ask = { .name = "flaky", .count = 1 };

    assert_ok(cx, rv_bus_ask_many(cx, bus, &bake, &ask, 1, &got, ASK_MS));
    assert_int_equal(got.count, 2);
    assert_int_equal(count_of("lost"), 0); /* what the failed attempt wanted to tell is not told */
    ask.name = "down";
    assert_int_equal(rv_bus_ask_many(cx, bus, &bake, &ask, 1, &got, ASK_MS), RV_UNAVAILABLE);
}

static void a_refusal_says_where(void **state)
{
    struct rv_ctx *cx = *state;
    struct sample got, ask = { .name = "refused" };

    assert_fails(cx, rv_bus_ask_many(cx, bus, &bake, &ask, 1, &got, ASK_MS), RV_INVALID,
                 "items[0].name is not baked here");
    assert_int_equal(cx->error.n_details, 1);
    assert_string_equal(cx->error.details[0].path, "items[0].name");
}

static void a_full_queue_is_busy_at_once(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_pending *first = keep_busy(cx, &pairs, 1500), *pending[60];
    struct sample got, ask = { .name = "x" };
    int64_t start_ms = rv_monotonic_ms();
    int busy = 0, fine = 0;

    for (int i = 0; i < 60; i++)
        assert_ok(cx, rv_bus_begin(cx, bus, &pairs, &ask, 1, ASK_MS, &pending[i]));
    for (int i = 59; i >= 0; i--) {
        enum rv_status status = rv_bus_await(cx, pending[i], &got);

        busy += status == RV_BUSY;
        fine += status == RV_OK;
        if (i == 59) {
            assert_int_equal(status, RV_BUSY);
            assert_true(rv_monotonic_ms() - start_ms < 1000);
            assert_int_equal(cx->error.retry_after_ms, 1000);
        }
    }
    assert_int_equal(busy, 20); /* the depth is 40 */
    assert_int_equal(fine, 40);
    assert_ok(cx, rv_bus_await(cx, first, &got));
}

static void an_ask_nobody_waits_for_any_more_is_not_worked(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_pending *first = keep_busy(cx, &hasty, 500), *late;
    struct sample got, ask = { .name = "late" };

    assert_ok(cx, rv_bus_begin(cx, bus, &hasty, &ask, 1, 200, &late));
    assert_int_equal(rv_bus_await(cx, late, &got), RV_TIMEOUT);
    assert_ok(cx, rv_bus_await(cx, first, &got));
    assert_ok(cx, rv_bus_ask_many(cx, bus, &hasty, &ask, 1, &got, ASK_MS));
    assert_int_equal(count_of("baked late"), 1); /* the second, for which somebody waited */
}

static void news_are_heard(void **state)
{
    struct rv_ctx *cx = *state;
    struct sample items[3] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };

    assert_ok(cx, rv_bus_tell(cx, bus, &news, items, 3));
    assert_true(count_becomes("news", 3));
}

static void a_tick_runs_again_and_when_woken(void **state)
{
    struct sample ask = { .name = "wake" }, got;

    assert_true(count_becomes("ticks", 3)); /* its first run asked for more, twice */
    assert_ok(&setup, rv_bus_ask(&setup, bus, &ask_one, &ask, &got, ASK_MS));
    assert_true(count_becomes("ticks", 4));
}

static void wake_calm(struct rv_ctx *cx, int times)
{
    struct sample ask = { .name = "wake calm" }, got;

    for (int i = 0; i < times; i++)
        assert_ok(cx, rv_bus_ask(cx, bus, &ask_one, &ask, &got, ASK_MS));
}

static void a_tick_that_rests_does_once_what_it_was_woken_for_meanwhile(void **state)
{
    struct rv_ctx *cx = *state;
    int64_t before = count_of("calm ticks");

    rv_sleep_ms(CALM_REST_MS + 100);
    wake_calm(cx, 1);
    assert_true(count_becomes("calm ticks", before + 1)); /* rested: at once */
    wake_calm(cx, 3);
    assert_int_equal(count_of("calm ticks"), before + 1);
    assert_true(count_becomes("calm ticks", before + 2));
    rv_sleep_ms(CALM_REST_MS + 100);
    assert_int_equal(count_of("calm ticks"), before + 2);
}

static void publish_event(struct rv_ctx *cx, const char *name)
{
    struct sample sample = { .name = name };
    struct rv_publish item = { .subject = "reeve.ev.test.baked" };
    const uint8_t *bytes;

    assert_ok(cx, rv_pb_write(cx, &event.in, &sample, &bytes, &item.len));
    item.bytes = bytes;
    assert_ok(cx, rv_stream_publish(cx, bus, &item, 1, ASK_MS));
}

static void events_are_heard_until_they_are_done(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_publish garbage = { .subject = "reeve.ev.test.bad", .bytes = "\xff\xff", .len = 2 };

    publish_event(cx, "fine");
    assert_ok(cx, rv_stream_publish(cx, bus, &garbage, 1, ASK_MS)); /* is dropped */
    publish_event(cx, "fails once");
    publish_event(cx, "fine");
    assert_true(count_becomes("events", 3));
}

static void says_who_it_is(void **state)
{
    struct rv_ctx *cx = *state;
    char command[700], text[4096] = "";
    FILE *out;

    snprintf(command, sizeof(command), "%s --serve --list-failpoints", self);
    out = popen(command, "r");
    assert_true(fread(text, 1, sizeof(text) - 1, out) > 0);
    assert_int_equal(pclose(out), 0);
    assert_non_null(strstr(text, "reeve.test.bake.commit.before\n"));
    assert_non_null(strstr(text, "tick.rare.commit.after\n"));
    assert_non_null(strstr(text, "test-ear.ack.before\n"));
    assert_non_null(strstr(text, "test.own\n"));
    assert_null(cx->trace_id);
}

static void says_all_config_errors_and_exits_2(void **state)
{
    char command[700], text[4096] = "";
    FILE *out;

    snprintf(command, sizeof(command), "REEVE_WORKERS=x REEVE_LOG_LEVEL=loud %s --serve 2>&1",
             self);
    out = popen(command, "r");
    assert_true(fread(text, 1, sizeof(text) - 1, out) > 0);
    assert_int_equal(WEXITSTATUS(pclose(out)), 2);
    assert_non_null(strstr(text, "REEVE_WORKERS has"));
    assert_non_null(strstr(text, "REEVE_LOG_LEVEL has"));
}

struct srv {
    char body[4096];
    atomic_bool here;
};

static void hear_srv(void *arg, const struct rv_heard *heard)
{
    struct srv *srv = arg;

    snprintf(srv->body, sizeof(srv->body), "%.*s", (int)heard->len, (const char *)heard->bytes);
    atomic_store(&srv->here, true);
}

/* Says the question as any NATS client would: with a reply subject of its own. */
static void ask_as_a_stranger(const char *subject, const char *reply)
{
    struct sockaddr_in server = { .sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)stack.nats_port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int conn = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(conn, (struct sockaddr *)&server, sizeof(server)), 0);
    dprintf(conn, "CONNECT {\"verbose\":false}\r\nPUB %s %s 0\r\n\r\nPING\r\n", subject, reply);
    rv_sleep_ms(200);
    close(conn);
}

static void is_seen_by_nats_tools(void **state)
{
    static struct srv srv;
    struct rv_ctx *cx = *state;
    json_t *json, *endpoints;

    assert_ok(cx, rv_bus_listen(cx, bus, "reeve.test.srv", NULL, hear_srv, &srv));
    rv_sleep_ms(50);
    ask_as_a_stranger("$SRV.STATS.reeve-test", "reeve.test.srv");
    for (int i = 0; i < 300 && !atomic_load(&srv.here); i++)
        rv_sleep_ms(10);
    assert_ok(cx, rv_json_parse(cx, srv.body, strlen(srv.body), "stats", &json));
    assert_string_equal(json_string_value(json_object_get(json, "type")),
                        "io.nats.micro.v1.stats_response");
    assert_string_equal(json_string_value(json_object_get(json, "name")), "reeve-test");
    endpoints = json_object_get(json, "endpoints");
    assert_int_equal(json_array_size(endpoints), 5);
    assert_true(json_integer_value(rv_json_at(json, "endpoints[2].num_requests")) > 0);
}

/* What it has accepted it finishes; then it ends with 0. */
static void finishes_its_work_when_told_to_end(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_pending *slow = keep_busy(cx, &bake, 500);
    struct sample got;
    int how = -1;

    kill(service, SIGTERM);
    assert_ok(cx, rv_bus_await(cx, slow, &got));
    assert_int_equal(got.count, 501);
    assert_int_equal(waitpid(service, &how, 0), service);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
    service = 0;
    assert_int_equal(rv_bus_ask(cx, bus, &ask_one, &(struct sample){ .name = "x" }, &got, ASK_MS),
                     RV_UNAVAILABLE);
}

static void a_second_signal_ends_it_at_once(void **state)
{
    struct rv_ctx *cx = *state;
    int64_t start_ms;
    int how = -1;

    assert_true(start_service());
    keep_busy(cx, &bake, 5000);
    start_ms = rv_monotonic_ms();
    kill(service, SIGTERM);
    rv_sleep_ms(300);
    kill(service, SIGTERM);
    assert_int_equal(waitpid(service, &how, 0), service);
    assert_true(rv_monotonic_ms() - start_ms < 3000);
    assert_int_equal(WEXITSTATUS(how), 128 + SIGTERM);
    service = 0;
}

int main(int argc, char **argv)
{
    struct rv_subject *subjects[] = { &bake, &pairs, &hasty, &ask_one, &news, &event };
    const struct CMUnitTest tests[] = {
        RV_TEST(answers_one_request),
        RV_TEST(what_waits_becomes_one_unit),
        RV_TEST(a_unit_keeps_its_bound_and_a_large_message_is_one),
        RV_TEST(a_poison_message_fails_alone),
        RV_TEST(bytes_that_are_no_message_fail_alone),
        RV_TEST(a_deadlock_is_tried_again_once),
        RV_TEST(a_refusal_says_where),
        RV_TEST(a_full_queue_is_busy_at_once),
        RV_TEST(an_ask_nobody_waits_for_any_more_is_not_worked),
        RV_TEST(news_are_heard),
        RV_TEST(a_tick_runs_again_and_when_woken),
        RV_TEST(a_tick_that_rests_does_once_what_it_was_woken_for_meanwhile),
        RV_TEST(events_are_heard_until_they_are_done),
        RV_TEST(says_who_it_is),
        RV_TEST(says_all_config_errors_and_exits_2),
        RV_TEST(is_seen_by_nats_tools),
        RV_TEST(finishes_its_work_when_told_to_end),
        RV_TEST(a_second_signal_ends_it_at_once),
    };

    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        subjects[i]->in = SAMPLE;
        if (subjects[i]->speech == RV_REQUEST || subjects[i]->speech == RV_BATCH)
            subjects[i]->out = SAMPLE;
    }
    if (argc > 1 && strcmp(argv[1], "--serve") == 0)
        return serve(argc - 1, argv + 1);
    if (readlink("/proc/self/exe", self, sizeof(self) - 1) <= 0)
        return 1;
    return cmocka_run_group_tests(tests, start, stop);
}
