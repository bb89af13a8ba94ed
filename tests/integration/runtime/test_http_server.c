/* The http server, spoken to byte by byte. */

#include "integration/runtime/http_echo.h"

static void says_what_every_answer_says(void **state)
{
    int fd = dial(rv_http_port(server));
    char got[4096];
    bool closed;

    say_text(fd, "GET /x HTTP/1.1\r\n" H "X-Request-Id: mine-1\r\n\r\n");
    hear(fd, got, sizeof(got), "GET /x", 2000, &closed);
    assert_non_null(strstr(got, "X-Content-Type-Options: nosniff\r\n"));
    assert_non_null(strstr(got, "Cache-Control: no-store\r\n"));
    assert_non_null(strstr(got, "X-Request-Id: mine-1\r\n"));
    assert_null(strstr(got, "Server:"));
    close(fd);
}

static void takes_heads_up_to_their_limits_in_any_pieces(void **state)
{
    int fd = dial(rv_http_port(server));
    char got[4096];
    bool closed;

    say_text(fd, "GET /long?q=");
    for (int i = 0; i < 80; i++)
        say_text(fd, "01234567890123456789012345678901234567890123456789012345678901234567890123456"
                     "78901234567890123456789");
    say_text(fd, " HTTP/1.1\r\n" H);
    for (int i = 0; i < 90; i++) {
        say_text(fd, "X-Long-Header: "
                     "01234567890123456789012345678901234567890123456789012345678901234567890123456"
                     "78901234567890123456789");
        say_text(fd, "01234567890123456789012345678901234567890123456789012345678901234567890123456"
                     "78901234567890123456789");
        say_text(
            fd,
            "01234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n");
        if (i % 30 == 0)
            rv_sleep_ms(5);
    }
    say_text(fd, "\r\n");
    hear(fd, got, sizeof(got), "GET /long", 2000, &closed);
    assert_int_equal(status_of(got), 200);
    close(fd);
}

static void goes_on_with_100_when_asked(void **state)
{
    int fd = dial(rv_http_port(server));
    char got[4096];
    bool closed;

    say_text(fd, "POST /p HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    hear(fd, got, sizeof(got), "\r\n\r\n", 2000, &closed);
    assert_int_equal(status_of(got), 100);
    say_text(fd, "abc");
    hear(fd, got, sizeof(got), "3 bytes", 2000, &closed);
    assert_int_equal(status_of(got), 200);
    close(fd);
}

static void answers_head_without_a_body(void **state)
{
    int fd = dial(rv_http_port(server));
    char got[4096];
    bool closed;

    say_text(fd, "HEAD /x HTTP/1.1\r\n" H "\r\nGET /y HTTP/1.1\r\n" H "\r\n");
    hear(fd, got, sizeof(got), "GET /y", 2000, &closed);
    assert_null(strstr(got, "HEAD /x"));
    assert_non_null(strstr(got, "Content-Length: 30\r\n"));
    assert_non_null(strstr(got, "GET /y"));
    close(fd);
}

static void answers_pipelined_requests_in_order(void **state)
{
    int fd = dial(rv_http_port(server));
    char got[8192], *at = got;
    bool closed;

    say_text(fd,
             "GET /1 HTTP/1.1\r\n" H "\r\nGET /later HTTP/1.1\r\n" H "\r\n"
             "POST /3 HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nabGET /4 HTTP/1.1\r\n" H "\r\n");
    hear(fd, got, sizeof(got), "GET /4", 2000, &closed);
    static const char *const order[] = { "GET /1 ", "later", "POST /3 2", "GET /4 " };
    for (size_t i = 0; i < 4; i++) {
        at = strstr(at, order[i]);
        assert_non_null(at);
    }
    close(fd);
}

/* A byte every 50 ms keeps any idle timer happy; the deadlines here are absolute. */
static int64_t drips_until_cut(int fd, const char *text)
{
    int64_t start_ms = rv_monotonic_ms();
    char got[512];
    bool closed = false;

    while (!closed && rv_monotonic_ms() - start_ms < 5000) {
        say(fd, *text ? text++ : "x", 1);
        hear(fd, got, sizeof(got), NULL, 50, &closed);
    }
    close(fd);
    return rv_monotonic_ms() - start_ms;
}

static void cuts_a_head_that_drips(void **state)
{
    int64_t ms = drips_until_cut(dial(rv_http_port(server)), "GET / HTTP/1.1\r\nX: ");

    assert_in_range(ms, 350, 3000);
}

static void cuts_a_second_head_that_drips(void **state)
{
    int fd = dial(rv_http_port(server));
    char got[2048];
    bool closed;

    say_text(fd, "GET /1 HTTP/1.1\r\n" H "\r\n");
    hear(fd, got, sizeof(got), "GET /1", 2000, &closed);
    rv_sleep_ms(500); /* longer than a head may take: it has not begun */
    assert_in_range(drips_until_cut(fd, "GET / HTTP/1.1\r\nX: "), 300, 3000);
}

static void cuts_a_body_that_drips(void **state)
{
    int fd = dial(rv_http_port(server));

    say_text(fd, "POST /p HTTP/1.1\r\n" H "Content-Length: 1000\r\n\r\n");
    assert_in_range(drips_until_cut(fd, ""), 400, 3000);
}

static void cuts_an_idle_connection(void **state)
{
    int fd = dial(rv_http_port(server));
    int64_t start_ms;
    char got[2048];
    bool closed;

    say_text(fd, "GET /1 HTTP/1.1\r\n" H "\r\n");
    hear(fd, got, sizeof(got), "GET /1", 2000, &closed);
    start_ms = rv_monotonic_ms();
    hear(fd, got, sizeof(got), NULL, 4000, &closed);
    assert_true(closed);
    assert_in_range(rv_monotonic_ms() - start_ms, 800, 3500);
    close(fd);
}

static void waits_for_whoever_works(void **state)
{
    int fd = dial(rv_http_port(server));
    char got[2048];
    bool closed;

    say_text(fd, "GET /keep HTTP/1.1\r\n" H "\r\n");
    hear(fd, got, sizeof(got), "never", 1500, &closed);
    assert_false(closed);
    answer_text(the_kept(), "at last", 7);
    hear(fd, got, sizeof(got), "at last", 2000, &closed);
    assert_int_equal(status_of(got), 200);
    close(fd);
}

/* The client has gone; the answer goes nowhere and nothing breaks. */
static void answers_a_client_that_left(void **state)
{
    int fd = dial(rv_http_port(server));
    struct linger reset = { 1, 0 };

    say_text(fd, "GET /keep HTTP/1.1\r\n" H "\r\n");
    the_kept();
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
    answer_text(the_kept(), "nobody", 6);
}

static void *stop(void *arg)
{
    rv_http_close(server, 300);
    return NULL;
}

static void stops_while_requests_wait_and_answers_them_503(void **state)
{
    int fd = dial(rv_http_port(server)), dripping = dial(rv_http_port(server));
    pthread_t stopper;
    char got[2048];
    bool closed;

    say_text(fd, "GET /keep HTTP/1.1\r\n" H "\r\n");
    say_text(dripping, "GET /ke");
    the_kept();
    pthread_create(&stopper, NULL, stop, NULL);
    hear(fd, got, sizeof(got), NULL, 3000, &closed);
    pthread_join(stopper, NULL);
    assert_int_equal(status_of(got), 503);
    assert_true(closed);
    answer_text(the_kept(), "too late", 8); /* nobody hears it; nothing leaks */
    close(fd);
    close(dripping);
    server = NULL;
}

static bool say_yes(void *arg, struct rv_http_request *request)
{
    answer_text(request, "yes", 3);
    return true;
}

static void lets_connections_wait_that_are_over_the_limit(void **state)
{
    const struct rv_http_options options = {
        .listen = "127.0.0.1:0", .threads = 1, .connections = 2, .take = say_yes
    };
    struct rv_ctx *cx = *state;
    struct rv_http_server *narrow;
    char got[2048];
    bool closed;
    int fds[3];

    assert_ok(cx, rv_http_open(cx, &options, &narrow));
    for (int i = 0; i < 3; i++) {
        fds[i] = dial(rv_http_port(narrow));
        say_text(fds[i], "GET / HTTP/1.1\r\n" H "\r\n");
        hear(fds[i], got, sizeof(got), "yes", i < 2 ? 2000 : 200, &closed);
        assert_int_equal(status_of(got), i < 2 ? 200 : 0);
    }
    assert_false(closed);
    close(fds[0]);
    hear(fds[2], got, sizeof(got), "yes", 2000, &closed);
    assert_int_equal(status_of(got), 200);
    close(fds[1]);
    close(fds[2]);
    rv_http_close(narrow, 500);
}

static void says_why_it_cannot_listen(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_http_options options = { .listen = "127.0.0.1" };
    struct rv_http_server *other;

    assert_fails(cx, rv_http_open(cx, &options, &other), RV_INVALID,
                 "127.0.0.1 is not host:port to listen on");
    options.listen = rv_printf(cx, "127.0.0.1:%d", rv_http_port(server));
    assert_int_equal(rv_http_open(cx, &options, &other), RV_UNAVAILABLE);
    assert_non_null(strstr(cx->error.text, "in use"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(says_what_every_answer_says),
        HTTP_TEST(takes_heads_up_to_their_limits_in_any_pieces),
        HTTP_TEST(goes_on_with_100_when_asked),
        HTTP_TEST(answers_head_without_a_body),
        HTTP_TEST(answers_pipelined_requests_in_order),
        HTTP_TEST(cuts_a_head_that_drips),
        HTTP_TEST(cuts_a_second_head_that_drips),
        HTTP_TEST(cuts_a_body_that_drips),
        HTTP_TEST(cuts_an_idle_connection),
        HTTP_TEST(waits_for_whoever_works),
        HTTP_TEST(answers_a_client_that_left),
        HTTP_TEST(stops_while_requests_wait_and_answers_them_503),
        HTTP_TEST(lets_connections_wait_that_are_over_the_limit),
        HTTP_TEST(says_why_it_cannot_listen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
