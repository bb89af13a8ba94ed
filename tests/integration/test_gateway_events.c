/* Events as pages and as streams: in order, without gap or repetition. */

#include "support/rv_test.h"

#include <signal.h>

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
    assert_ok(cx, rv_pb_write(cx, &SUBJ_EVENT.in, &event, &bytes, &len));
    assert_ok(cx, rv_bus_publish(cx, bus,
                                 rv_printf(cx, "reeve.ev.%s.%s.run.created", project_id, run_id),
                                 bytes, len));
    assert_ok(cx, rv_bus_publish(cx, bus, "reeve.ev.x.y.z", "garbage", 7));
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
    assert_ok(cx, rv_pb_write(cx, &SUBJ_EVENT.in, &event, &bytes, &len));
    assert_ok(cx, rv_bus_publish(cx, bus,
                                 rv_printf(cx, "reeve.ev.%s.%s.task.started", project_id, run_id),
                                 bytes, len));
    heard = hear_stream(cx, fd, "id: 1500\n", 15000, &ended);
    assert_non_null(strstr(heard, "id: 2\n"));
    assert_int_equal(count(heard, "id: "), 1499);
    close(fd);
}

static void ends_clean_while_streams_and_waits_are_open(void **state)
{
    struct rv_ctx *cx = *state;
    int fd = open_stream(cx, port, admin, "/v1/events", NULL);
    bool ended;

    hear_stream(cx, fd, "retry:", 10000, &ended);
    assert_true(stack_service_signal(&stack.services[HOUSE_GATEWAY], SIGTERM));
    hear_stream(cx, fd, NULL, 10000, &ended);
    assert_true(ended);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(a_stream_replays_goes_on_live_and_ends_with_the_run),
        RV_TEST(all_events_go_on_after_the_one_seen_last),
        RV_TEST(a_stream_has_no_gap_and_no_repetition),
        RV_TEST(ends_clean_while_streams_and_waits_are_open),
    };

    return cmocka_run_group_tests(tests, house_start, house_stop);
}
