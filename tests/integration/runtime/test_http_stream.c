/* Streams of the http server: many, woken from elsewhere, left, and ended. */

#include <stdatomic.h>

#include "integration/runtime/http_raw.h"

enum { STREAMS = 200, ROUNDS = 100 };

/* One lock for all: fill, closed and whoever wakes take it, as an owner of streams would. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct line {
    struct rv_http_stream *stream;
    int waiting, closed;
    bool end;
} lines[STREAMS];
static int n_lines;
static struct rv_http_server *server;

static long fill(void *arg, char *into, size_t room)
{
    struct line *line = arg;
    long n;

    pthread_mutex_lock(&lock);
    n = line->waiting < (int)room ? line->waiting : (int)room;
    memset(into, 'e', (size_t)n);
    line->waiting -= (int)n;
    if (n == 0 && line->end)
        n = RV_STREAM_END;
    pthread_mutex_unlock(&lock);
    return n;
}

static void closed(void *arg)
{
    struct line *line = arg;

    pthread_mutex_lock(&lock);
    line->closed++;
    line->stream = NULL;
    pthread_mutex_unlock(&lock);
}

static bool take(void *arg, struct rv_http_request *request)
{
    static const struct rv_http_stream_ops ops = { fill, closed };
    struct line *line;

    pthread_mutex_lock(&lock);
    line = &lines[n_lines++];
    *line = (struct line){ .waiting = 1 };
    line->stream = rv_http_stream(request, "text/event-stream", NULL, &ops, line);
    pthread_mutex_unlock(&lock);
    return true;
}

static void push(struct line *line, int events, bool end)
{
    pthread_mutex_lock(&lock);
    line->waiting += events;
    line->end |= end;
    if (line->stream)
        rv_http_wake(line->stream);
    pthread_mutex_unlock(&lock);
}

static int open_server(void **state)
{
    static struct rv_ctx cx;
    const struct rv_http_options options = {
        .listen = "127.0.0.1:0",
        .threads = 2,
        .connections = 600,
        .header_ms = 400,
        .body_ms = 400,
        .idle_ms = 400,
        .take = take,
    };

    rv_ctx_init(&cx);
    *state = &cx;
    n_lines = 0;
    memset(lines, 0, sizeof(lines));
    if (rv_http_open(&cx, &options, &server) != RV_OK)
        fail_msg("%s", cx.error.text);
    return 0;
}

static int close_server(void **state)
{
    rv_http_close(server, 1000);
    rv_ctx_release(*state);
    return 0;
}

static int listen_in(const char *version)
{
    int fd = dial(rv_http_port(server));
    char ask[64];

    snprintf(ask, sizeof(ask), "GET /events %s\r\nHost: a\r\n\r\n", version);
    say_text(fd, ask);
    return fd;
}

static int waits_for_lines(int n)
{
    for (int i = 0; i < 300; i++) {
        pthread_mutex_lock(&lock);
        int found = n_lines;
        pthread_mutex_unlock(&lock);
        if (found >= n)
            return found;
        rv_sleep_ms(10);
    }
    return 0;
}

static int times_closed(int n)
{
    int total = 0;

    pthread_mutex_lock(&lock);
    for (int i = 0; i < n; i++)
        total += lines[i].closed;
    pthread_mutex_unlock(&lock);
    return total;
}

static bool comes_true(int n, int wanted, int ms)
{
    for (int i = 0; i < ms / 10 && times_closed(n) != wanted; i++)
        rv_sleep_ms(10);
    return times_closed(n) == wanted;
}

static void *produce(void *arg)
{
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < STREAMS; i++)
            push(&lines[i], 1, round == ROUNDS - 1);
    return NULL;
}

/* Counts the events, to a client of HTTP/1.0: no chunks between them. */
static int hear_to_the_end(int fd)
{
    char got[4096];
    bool ended;
    int events = 0;

    hear(fd, got, sizeof(got), NULL, 10000, &ended);
    for (char *c = strstr(got, "\r\n\r\n"); c && *c; c++)
        events += *c == 'e';
    return ended ? events : -1;
}

static void carries_every_event_of_many_streams(void **state)
{
    int fds[STREAMS];
    pthread_t producer;

    for (int i = 0; i < STREAMS; i++)
        fds[i] = listen_in("HTTP/1.0");
    assert_int_equal(waits_for_lines(STREAMS), STREAMS);
    pthread_create(&producer, NULL, produce, NULL);
    for (int i = 0; i < STREAMS; i++) {
        int heard = hear_to_the_end(fds[i]);

        if (heard != ROUNDS + 1)
            fail_msg("stream %d heard %d", i, heard);
        close(fds[i]);
    }
    pthread_join(producer, NULL);
    assert_true(comes_true(STREAMS, STREAMS, 3000));
    rv_sleep_ms(100);
    for (int i = 0; i < STREAMS; i++)
        assert_int_equal(lines[i].closed, 1);
}

static void speaks_in_chunks_and_outlives_all_deadlines(void **state)
{
    int fd = listen_in("HTTP/1.1");
    char got[4096];
    bool ended;

    hear(fd, got, sizeof(got), "1\r\ne\r\n", 2000, &ended);
    assert_int_equal(status_of(got), 200);
    assert_non_null(strstr(got, "Content-Type: text/event-stream\r\n"));
    assert_non_null(strstr(got, "Transfer-Encoding: chunked\r\n"));
    rv_sleep_ms(1500);
    push(&lines[0], 3, true);
    hear(fd, got, sizeof(got), "0\r\n\r\n", 2000, &ended);
    assert_string_equal(got, "3\r\neee\r\n0\r\n\r\n");
    assert_true(comes_true(1, 1, 1000));
    close(fd);
}

static void notices_that_a_client_has_left(void **state)
{
    struct linger reset = { 1, 0 };
    int fd = listen_in("HTTP/1.1"), other = listen_in("HTTP/1.1");

    assert_int_equal(waits_for_lines(2), 2);
    rv_sleep_ms(50);
    close(fd);
    setsockopt(other, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(other);
    assert_true(comes_true(2, 2, 2000));
    assert_int_equal(lines[0].closed, 1);
    assert_int_equal(lines[1].closed, 1);
}

static void answers_head_of_a_stream_and_closes_it(void **state)
{
    int fd = dial(rv_http_port(server));
    char got[4096];
    bool ended;

    say_text(fd, "HEAD /events HTTP/1.1\r\nHost: a\r\n\r\n");
    hear(fd, got, sizeof(got), "\r\n\r\n", 2000, &ended);
    assert_int_equal(status_of(got), 200);
    assert_true(comes_true(1, 1, 1000));
    close(fd);
}

static atomic_bool pushing;

static void *keep_pushing(void *arg)
{
    while (atomic_load(&pushing))
        for (int i = 0; i < 50; i++)
            push(&lines[i], 1, false);
    return NULL;
}

static void stops_while_streams_are_open_and_woken(void **state)
{
    int fds[50];
    pthread_t pusher;
    int64_t start_ms;

    for (int i = 0; i < 50; i++)
        fds[i] = listen_in("HTTP/1.1");
    assert_int_equal(waits_for_lines(50), 50);
    atomic_store(&pushing, true);
    pthread_create(&pusher, NULL, keep_pushing, NULL);
    rv_sleep_ms(50);
    start_ms = rv_monotonic_ms();
    rv_http_close(server, 2000);
    server = NULL;
    atomic_store(&pushing, false);
    pthread_join(pusher, NULL);
    assert_true(rv_monotonic_ms() - start_ms < 4500);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(lines[i].closed, 1);
        close(fds[i]);
    }
}

#define STREAM_TEST(function) cmocka_unit_test_setup_teardown(function, open_server, close_server)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STREAM_TEST(carries_every_event_of_many_streams),
        STREAM_TEST(speaks_in_chunks_and_outlives_all_deadlines),
        STREAM_TEST(notices_that_a_client_has_left),
        STREAM_TEST(answers_head_of_a_stream_and_closes_it),
        STREAM_TEST(stops_while_streams_are_open_and_woken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
