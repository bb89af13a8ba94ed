/* Events as pages and as streams: in order, without gap or repetition. */

#include "support/rv_test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

#include "contract/subjects.h"
#include "domain/event.h"
#include "gateway_house.h"

/* -- events -- */

static size_t count(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        n++;
    return n;
}

static void a_stream_replays_goes_on_live_and_ends_with_the_run(void **state)
{
    struct rv_ctx *cx = *state;
    const char *run_id = new_run(cx), *path = rv_printf(cx, "/v1/runs/%s/events", run_id), *heard;
    int fd = open_stream(cx, port, admin, path, NULL);
    bool ended;

    heard = hear_stream(cx, fd, "event: run.created", 10000, &ended);
    assert_non_null(strstr(heard, "Content-Type: text/event-stream"));
    assert_non_null(strstr(heard, "id: 1\nevent: run.created\ndata: {"));
    ask(cx, "POST", rv_printf(cx, "/v1/runs/%s/cancel", run_id), "{}");
    heard = hear_stream(cx, fd, NULL, 10000, &ended);
    assert_true(ended);
    assert_non_null(strstr(heard, "id: 2\nevent: run.cancel_requested"));
    assert_non_null(strstr(heard, "id: 3\nevent: run.cancelled"));
    assert_int_equal(count(heard, "id: "), 2);
    close(fd);
    fd = open_stream(cx, port, admin, path, "Last-Event-ID: 1\r\n");
    heard = hear_stream(cx, fd, "run.cancelled", 10000, &ended);
    assert_null(strstr(heard, "id: 1\n"));
    assert_non_null(strstr(heard, "id: 2\nevent: run.cancel_requested"));
    close(fd);
    assert_int_equal(ask_gateway(cx, port, admin, "GET", path,
                                 "Accept: text/event-stream\r\nLast-Event-ID: 3\r\n", NULL)
                         .status,
                     204);
}

static void all_events_go_on_after_the_one_seen_last(void **state)
{
    struct rv_ctx *cx = *state;
    int fd = open_stream(cx, port, admin, "/v1/events?type=run.*", NULL);
    const char *one, *two, *heard, *id;
    bool ended;

    hear_stream(cx, fd, "retry:", 10000, &ended);
    one = new_run(cx);
    heard = hear_stream(cx, fd, one, 10000, &ended);
    id = rv_printf(cx, "id: %s.1\n", one);
    assert_non_null(strstr(heard, id));
    close(fd);
    two = new_run(cx);
    fd = open_stream(cx, port, admin, "/v1/events", rv_printf(cx, "Last-Event-ID: %s.1\r\n", one));
    heard = hear_stream(cx, fd, rv_printf(cx, "id: %s.1\n", two), 10000, &ended);
    assert_null(strstr(heard, id));
    assert_non_null(strstr(heard, rv_printf(cx, "id: %s.1\n", two)));
    close(fd);
}

/* What the bus says twice is said once; a gap is filled from Postgres; a delta has no number. */
static void a_stream_has_no_gap_and_no_repetition(void **state)
{
    struct rv_ctx *cx = *state;
    const char *run_id = new_run(cx), *heard;
    int fd = open_stream(cx, port, admin, rv_printf(cx, "/v1/runs/%s/events", run_id), NULL);
    struct live_delta delta = {
        .tenant_id = TENANT_DEFAULT, .run_id = run_id, .kind = "text", .delta = "Hel\nlo"
    };
    struct event event = { .tenant_id = TENANT_DEFAULT,
                           .project_id = project_id,
                           .run_id = run_id,
                           .seq = 999999999,
                           .run_seq = 1,
                           .type = "run.created" };
    const uint8_t *bytes;
    bool ended;
    size_t len;

    hear_stream(cx, fd, "run.created", 10000, &ended);
    assert_ok(cx, rv_bus_tell(cx, bus, &SUBJ_EVENT_RELAYED, &event, 1));
    assert_ok(cx, rv_bus_publish(cx, bus, SUBJ_EVENT_RELAYED.name, "garbage", 7));
    assert_ok(cx, rv_pb_write(cx, &SUBJ_LIVE.in, &delta, &bytes, &len));
    assert_ok(cx, rv_bus_publish(cx, bus, rv_printf(cx, "reeve.live.%s.%s", project_id, run_id),
                                 bytes, len));
    heard = hear_stream(cx, fd, "llm.delta", 10000, &ended);
    assert_null(strstr(heard, "run.created"));
    assert_non_null(strstr(heard, "event: llm.delta\ndata: {"));
    run_sql(rv_printf(cx,
                      "INSERT INTO events (tenant_id, project_id, run_id, run_seq, type)"
                      " SELECT '" TENANT_DEFAULT "', '%s', '%s', n, 'task.started'"
                      " FROM generate_series(2, 1500) n",
                      project_id, run_id));
    event.run_seq = 1500;
    event.type = "task.started";
    assert_ok(cx, rv_bus_tell(cx, bus, &SUBJ_EVENT_RELAYED, &event, 1));
    heard = hear_stream(cx, fd, "id: 1500\n", 15000, &ended);
    assert_non_null(strstr(heard, "id: 2\n"));
    assert_int_equal(count(heard, "id: "), 1499);
    close(fd);
}

static void add_event(struct rv_ctx *cx, const char *run_id, int run_seq, const char *xid,
                      const char *type)
{
    run_sql(rv_printf(cx,
                      "INSERT INTO events (xid, tenant_id, project_id, run_id, run_seq, type)"
                      " SELECT %s, '" TENANT_DEFAULT "', '%s', '%s', %d, '%s' FROM events"
                      " WHERE run_id = '%s' AND run_seq = 1",
                      xid, project_id, run_id, run_seq, type, run_id));
}

/* What was passed over is passed: who looks again begins after it, also when little is for him. */
static void a_filtered_stream_does_not_go_back_for_ever(void **state)
{
    struct rv_ctx *cx = *state;
    const char *old = new_run(cx), *new, *heard;
    int some, all;
    bool ended;

    usleep(300000);
    some = open_stream(cx, port, admin, "/v1/events?type=test.*", NULL);
    all = open_stream(cx, port, admin, "/v1/events", NULL);
    hear_stream(cx, some, "retry:", 10000, &ended);
    usleep(300000);
    new = new_run(cx);
    hear_stream(cx, all, new, 10000, &ended);
    usleep(300000);
    add_event(cx, old, 900, "xid", "test.old");
    add_event(cx, new, 900, "pg_current_xact_id()", "test.new");
    assert_true(stack_nats_restart(&stack, false)); /* everybody looks into Postgres */
    heard = hear_stream(cx, some, "test.old", 5000, &ended);
    assert_null(strstr(heard, "test.old"));
    assert_non_null(strstr(heard, "test.new"));
    close(some);
    close(all);
    for (int i = 0; i < 100 && ask(cx, "GET", "/readyz", NULL).status != 200; i++)
        usleep(100000);
    usleep(2500000); /* the others come back as well */
}

/* A number that is not there yet would be waited for without an end. */
static void nothing_is_said_after_what_is_not_there(void **state)
{
    struct rv_ctx *cx = *state;
    const char *path = rv_printf(cx, "/v1/runs/%s/events", new_run(cx));
    struct said said = ask_gateway(cx, port, admin, "GET", path,
                                   "Accept: text/event-stream\r\nLast-Event-ID: 99\r\n", NULL);

    assert_int_equal(said.status, 400);
    assert_string_equal(text_at(&said, "error.details[0].path"), "last_event_id");
}

static void a_page_of_events_is_bounded_in_bytes(void **state)
{
    struct rv_ctx *cx = *state;
    const char *run_id = new_run(cx), *heard;
    struct said said;
    bool ended;
    int fd;

    run_sql(rv_printf(cx,
                      "INSERT INTO events (tenant_id, project_id, run_id, run_seq, type, data)"
                      " SELECT '" TENANT_DEFAULT "', '%s', '%s', n, 'task.started',"
                      " to_json(repeat('a', 1000000)) FROM generate_series(2, 12) n",
                      project_id, run_id));
    said = ask(cx, "GET", rv_printf(cx, "/v1/runs/%s/events?limit=1000", run_id), NULL);
    assert_true(json_is_true(rv_json_at(said.json, "has_more")));
    assert_int_equal(json_array_size(rv_json_at(said.json, "data")), 6);
    fd = open_stream(cx, port, admin, rv_printf(cx, "/v1/runs/%s/events", run_id), NULL);
    heard = hear_stream(cx, fd, "id: 12\n", 20000, &ended);
    assert_int_equal(count(heard, "\nid: "), 12);
    close(fd);
    run_sql(rv_printf(cx, "DELETE FROM events WHERE run_id = '%s' AND run_seq > 1", run_id));
}

static void a_stream_ends_soon_after_its_key(void **state)
{
    struct rv_ctx *cx = *state;
    struct said made = ask(cx, "POST", "/v1/api-keys", "{\"name\":\"x\",\"role\":\"viewer\"}");
    int quiet = open_stream(cx, port, text_at(&made, "key"), "/v1/events?type=nothing.*", NULL);
    int busy = open_stream(cx, port, text_at(&made, "key"), "/v1/events", NULL);
    bool ended;

    hear_stream(cx, quiet, "retry:", 10000, &ended);
    hear_stream(cx, busy, "retry:", 10000, &ended);
    usleep(500000); /* both have read their first page */
    ask(cx, "DELETE", rv_printf(cx, "/v1/api-keys/%s", text_at(&made, "key_id")), NULL);
    ended = false;
    for (int i = 0; i < 100 && !ended; i++) {
        new_run(cx);
        hear_stream(cx, busy, NULL, 200, &ended);
    }
    assert_true(ended);
    hear_stream(cx, quiet, NULL, 10000, &ended);
    assert_true(ended);
    close(quiet);
    close(busy);
}

/* Whether its log has what a sanitizer says of a crash. */
static bool has_crashed(const struct stack_service *service)
{
    char line[1024];
    bool has = false;
    FILE *log = fopen(service->log, "r");

    assert_non_null(log);
    while (!has && fgets(line, sizeof(line), log))
        has = strstr(line, "Sanitizer") || strstr(line, "runtime error:");
    fclose(log);
    return has;
}

static atomic_bool is_told; /* to end */

/* Runs that nobody does: each wait is over by the clock. */
static void *wait_for_runs(void *arg)
{
    struct rv_ctx cx;
    int *wrong = arg;

    rv_ctx_init(&cx);
    while (!atomic_load(&is_told)) {
        struct said said = ask_gateway(&cx, port, admin, "POST", "/v1/runs?wait=1ms", NULL,
                                       "{\"project\":\"demo\",\"workflow\":\"two\"}");

        *wrong += said.status != 202 && !atomic_load(&is_told);
        rv_ctx_reset(&cx);
    }
    rv_ctx_release(&cx);
    return NULL;
}

static void ends_clean_while_streams_and_waits_are_open(void **state)
{
    struct rv_ctx *cx = *state;
    int fd = open_stream(cx, port, admin, "/v1/events", NULL);
    bool ended;

    enum { WAITERS = 64 };
    pthread_t waiters[WAITERS];
    int wrong[WAITERS] = { 0 };

    hear_stream(cx, fd, "retry:", 10000, &ended);
    for (size_t i = 0; i < WAITERS; i++)
        pthread_create(&waiters[i], NULL, wait_for_runs, &wrong[i]);
    usleep(3000000);
    atomic_store(&is_told, true);
    assert_true(stack_service_signal(&stack.services[HOUSE_GATEWAY], SIGTERM));
    hear_stream(cx, fd, NULL, 10000, &ended);
    assert_true(ended);
    close(fd);
    for (size_t i = 0; i < WAITERS; i++) {
        pthread_join(waiters[i], NULL);
        assert_int_equal(wrong[i], 0);
    }
    assert_false(has_crashed(&stack.services[HOUSE_GATEWAY]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(a_stream_replays_goes_on_live_and_ends_with_the_run),
        RV_TEST(all_events_go_on_after_the_one_seen_last),
        RV_TEST(a_stream_has_no_gap_and_no_repetition),
        RV_TEST(a_filtered_stream_does_not_go_back_for_ever),
        RV_TEST(nothing_is_said_after_what_is_not_there),
        RV_TEST(a_page_of_events_is_bounded_in_bytes),
        RV_TEST(a_stream_ends_soon_after_its_key),
        RV_TEST(ends_clean_while_streams_and_waits_are_open),
    };

    return cmocka_run_group_tests(tests, house_start, house_stop);
}
