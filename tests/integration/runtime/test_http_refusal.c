/* What the http server refuses, byte by byte. */

#include "integration/runtime/http_echo.h"

enum { NUL_INSIDE = 1 };

static const struct {
    const char *bytes;
    int nul; /* NUL_INSIDE: the text goes on after its first NUL */
    int status;
    bool closed;
    const char *says;
} raw[] = {
    /* clang-format off */
    { "GET /a/b?x=1&y=a%20b+c HTTP/1.1\r\n" H "\r\n", 0, 200, false, "GET /a/b[x=1][y=a b c] 0 bytes from 127.0.0.1" },
    { "GET / HTTP/1.1\r\n" H "\r\n", 0, 200, false, "GET / " },
    { "GET http://a/x?q=2 HTTP/1.1\r\n" H "\r\n", 0, 200, false, "GET /x[q=2]" },
    { "GET http://b/x HTTP/1.1\r\n" H "\r\n", 0, 400, true, "not a path here" },
    { "OPTIONS * HTTP/1.1\r\n" H "\r\n", 0, 200, false, "OPTIONS *" },
    { "POST /p HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", 0, 200, false, "POST /p 3 bytes" },
    { "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 0, 200, false, "3 bytes" },
    { "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX-T: 1\r\n\r\n", 0, 200, false, "3 bytes" },
    { "GET /%C3%A9%41 HTTP/1.1\r\n" H "\r\n", 0, 200, false, "/\xc3\xa9" "A" },
    { "GET /x HTTP/1.0\r\n\r\n", 0, 200, true, "GET /x" },
    { "GET /x HTTP/1.1\r\n" H "X-A:\t b \r\n\r\n", 0, 200, false, "GET /x" },
    { "GET /x HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0, 200, false, "GET /x" },
    { "\r\nGET /x HTTP/1.1\r\n" H "\r\n", 0, 200, false, "GET /x" },

    { "POST /p HTTP/1.1\r\n" H "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n" H "\r\n", 0, 400, true, "\"code\":\"invalid\"" },
    { "POST /p HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 0, 400, true, "more than once" },
    { "POST /p HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 0, 400, true, "more than once" },
    { "POST /p HTTP/1.1\r\n" H "Content-Length: 3, 3\r\n\r\nabc", 0, 400, true, "" },
    { "POST /p HTTP/1.1\r\n" H "Content-Length: -3\r\n\r\nabc", 0, 400, true, "" },
    { "POST /p HTTP/1.1\r\n" H "Content-Length: +3\r\n\r\nabc", 0, 400, true, "" },
    { "POST /p HTTP/1.1\r\n" H "Content-Length: 0x3\r\n\r\nabc", 0, 400, true, "" },
    { "POST /p HTTP/1.1\r\n" H "Content-Length:\r\n\r\nabc", 0, 400, true, "" },
    { "POST /p HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n\r\nabc", 0, 413, true, "" },
    { "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\nabc", 0, 400, true, "not chunked" },
    { "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 0, 400, true, "not chunked" },
    { "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\nabc", 0, 400, true, "not chunked" },
    { "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: chunked \r\n\r\n0\r\n\r\n", 0, 400, true, "not chunked" },
    { "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, 400, true, "more than once" },
    { "POST /p HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, 400, true, "HTTP/1.0" },
    { "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 0, 400, true, "" },
    { "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n", 0, 400, true, "" },
    { "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n0\r\n\r\n", 0, 400, true, "" },
    { "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n", 0, 400, true, "trailer" },
    { "GET /x HTTP/1.1\r\n\r\n", 0, 400, true, "" },
    { "GET /x HTTP/1.1\r\n" H "Host: b\r\n\r\n", 0, 400, true, "exactly one Host" },
    { "GET /x HTTP/1.1\r\nHost:\r\n\r\n", 0, 400, true, "Host is malformed" },
    { "GET /x HTTP/1.1\r\nHost: a b\r\n\r\n", 0, 400, true, "Host is malformed" },
    { "GET /x HTTP/1.1\r\nHost: a@b\r\n\r\n", 0, 400, true, "Host is malformed" },
    { "GET /x HTTP/1.1\r\nHost: a:99999\r\n\r\n", 0, 400, true, "Host is malformed" },
    { "GET /x HTTP/1.1\r\nHost: a/b\r\n\r\n", 0, 400, true, "Host is malformed" },
    { "GET /x HTTP/1.1\r\n" H "X-A : b\r\n\r\n", 0, 400, true, "header name" },
    { "GET /x HTTP/1.1\r\n" H "X\tA: b\r\n\r\n", 0, 400, true, "" },
    { "GET /x HTTP/1.1\r\n" H "X(A): b\r\n\r\n", 0, 400, true, "header name" },
    { "GET /x HTTP/1.1\r\n" H ": b\r\n\r\n", 0, 400, true, "" },
    { "GET /x HTTP/1.1\r\n" H "no colon\r\n\r\n", 0, 400, true, "" },
    { "GET /x HTTP/1.1\r\n" H "X-A: b\r\n c\r\n\r\n", 0, 400, true, "" },
    { "GET /x HTTP/1.1\r\n" H "X-A: b\r\n\tc\r\nX-B: d\r\n\r\n", 0, 400, true, "" },
    { "GET /x HTTP/1.1\r\n C: d\r\n" H "\r\n", 0, 400, true, "" },
    { "GET /x HTTP/1.1\r\n" H "X-A: b\x01\r\n\r\n", 0, 400, true, "header value" },
    { "GET /x HTTP/1.1\r\n" H "X-A: b\x7f\r\n\r\n", 0, 400, true, "header value" },
    { "GET /x HTTP/1.1\r\n" H "X-A: b\rc\r\n\r\n", 0, 400, true, "header value" },
    { "GET /x HTTP/1.1\r\n" H "X-A: \xff\r\n\r\n", 0, 400, true, "header value" },
    { "GET /x HTTP/1.1\r\n" H "X-A: b\0c\r\n\r\n", NUL_INSIDE, 400, true, "framed" },
    { "GET /x HTTP/1.1\r\nX-A: b\0c\r\n" H "\r\n", NUL_INSIDE, 400, true, "framed" },
    { "GET /x HTTP/1.1\n" H "\r\n", 0, 400, true, "framed" },
    { "GET /x HTTP/1.1\r\nHost: a\n\r\n", 0, 400, true, "framed" },
    { "GET /x HTTP/1.1\r\nHost: a\r\n\n", 0, 400, true, "framed" },
    { "GET  /x HTTP/1.1\r\n" H "\r\n", 0, 400, true, "framed" },
    { "GET /x  HTTP/1.1\r\n" H "\r\n", 0, 400, true, "" },
    { "GET /x HTTP/1.1 \r\n" H "\r\n", 0, 400, true, "" },
    { "GET /x y HTTP/1.1\r\n" H "\r\n", 0, 400, true, "" },
    { "GET /x\x01 HTTP/1.1\r\n" H "\r\n", 0, 400, true, "must be encoded" },
    { "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", 0, 400, true, "must be encoded" },
    { "GET /x#y HTTP/1.1\r\n" H "\r\n", 0, 400, true, "must be encoded" },
    { "GET x HTTP/1.1\r\n" H "\r\n", 0, 400, true, "not a path here" },
    { "GET /a/../b HTTP/1.1\r\n" H "\r\n", 0, 400, true, "dot segment" },
    { "GET /a/%2e%2E/b HTTP/1.1\r\n" H "\r\n", 0, 400, true, "dot segment" },
    { "GET /a/. HTTP/1.1\r\n" H "\r\n", 0, 400, true, "dot segment" },
    { "GET //a HTTP/1.1\r\n" H "\r\n", 0, 400, true, "empty" },
    { "GET /a//b HTTP/1.1\r\n" H "\r\n", 0, 400, true, "empty" },
    { "GET /a%2Fb HTTP/1.1\r\n" H "\r\n", 0, 400, true, "encoded slash" },
    { "GET /a%00b HTTP/1.1\r\n" H "\r\n", 0, 400, true, "percent escape" },
    { "GET /a%zz HTTP/1.1\r\n" H "\r\n", 0, 400, true, "percent escape" },
    { "GET /a%2 HTTP/1.1\r\n" H "\r\n", 0, 400, true, "percent escape" },
    { "GET /a%ff HTTP/1.1\r\n" H "\r\n", 0, 400, true, "UTF-8" },
    { "GET /a%0a HTTP/1.1\r\n" H "\r\n", 0, 400, true, "UTF-8" },
    { "GET /a?x=%00 HTTP/1.1\r\n" H "\r\n", 0, 400, true, "percent escape" },
    { "GET /a?x=%ff HTTP/1.1\r\n" H "\r\n", 0, 400, true, "UTF-8" },
    { "GET /a?=1 HTTP/1.1\r\n" H "\r\n", 0, 400, true, "query" },
    { "G@T /x HTTP/1.1\r\n" H "\r\n", 0, 400, true, "method" },
    { "GET /x HTTP/1.2\r\n" H "\r\n", 0, 505, true, "version" },
    { "GET /x HTTP/2.0\r\n" H "\r\n", 0, 505, true, "" },
    { "GET /x\r\n\r\n", 0, 400, true, "" },
    { "GET /x http/1.1\r\n" H "\r\n", 0, 400, true, "" },
    { "GET /x HTTP/1.1\r\n" H "Expect: tea\r\n\r\n", 0, 417, true, "Expect" },
    { "GET /full HTTP/1.1\r\n" H "\r\n", 0, 503, false, "\"code\":\"busy\"" },
    /* clang-format on */
};

static size_t raw_len(size_t i)
{
    size_t len = strlen(raw[i].bytes);

    return raw[i].nul ? len + 1 + strlen(raw[i].bytes + len + 1) : len;
}

static void answers_or_refuses_every_row(void **state)
{
    for (size_t i = 0; i < sizeof(raw) / sizeof(raw[0]); i++) {
        int fd = dial(rv_http_port(server));
        char got[8192];
        bool closed;

        say(fd, raw[i].bytes, raw_len(i));
        hear(fd, got, sizeof(got),
             raw[i].closed  ? NULL
             : *raw[i].says ? raw[i].says
                            : "\r\n\r\n",
             raw[i].closed ? 3000 : 2000, &closed);
        if (status_of(got) != raw[i].status || closed != raw[i].closed ||
            !strstr(got, raw[i].says) || strstr(got, "smuggled"))
            fail_msg("row %zu, %s -> closed %d: %s", i, raw[i].bytes, closed, got);
        close(fd);
    }
}

static void refuses_what_is_too_much(void **state)
{
    static const struct {
        const char *start, *piece;
        int times, status;
    } rows[] = {
        { "GET /", "0123456789012345678901234567890123456789", 210, 414 },
        { "GET / HTTP/1.1\r\n" H, "A: b\r\n", 100, 431 },
        { "GET / HTTP/1.1\r\n" H "X: ", "0123456789012345678901234567890123456789", 900, 431 },
        { "GET / HTTP/1.1\r\n" H "X: ", "0123456789012345678901234567890123456789", 3000, 431 },
        { "GET /?", "a&", 101, 400 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int fd = dial(rv_http_port(server));
        char got[4096];
        bool closed;

        say_text(fd, rows[i].start);
        for (int n = 0; n < rows[i].times; n++)
            say_text(fd, rows[i].piece);
        say_text(fd, strstr(rows[i].start, "HTTP/") ? "\r\n\r\n" : " HTTP/1.1\r\n" H "\r\n");
        hear(fd, got, sizeof(got), NULL, 2000, &closed);
        if (status_of(got) != rows[i].status || !closed)
            fail_msg("row %zu: %s", i, got);
        close(fd);
    }
}

static void refuses_a_body_that_says_it_is_too_large(void **state)
{
    int fd = dial(rv_http_port(server));
    char got[4096];
    bool closed;

    say_text(fd, "POST /p HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 100001\r\n\r\n");
    hear(fd, got, sizeof(got), NULL, 2000, &closed);
    assert_int_equal(status_of(got), 413);
    assert_non_null(strstr(got, "\"code\":\"too_large\""));
    assert_true(closed);
    close(fd);
}

static void refuses_a_chunked_body_as_soon_as_it_is_too_large(void **state)
{
    int fd = dial(rv_http_port(server));
    char got[4096], chunk[4096 + 8] = "1000\r\n";
    bool closed;

    memset(chunk + 6, 'x', 4096);
    memcpy(chunk + 6 + 4096, "\r\n", 2);
    say_text(fd, "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 26; i++)
        say(fd, chunk, sizeof(chunk));
    hear(fd, got, sizeof(got), "request_id", 2000, &closed);
    assert_int_equal(status_of(got), 413);
    for (int i = 0; i < 100; i++)
        say(fd, chunk, sizeof(chunk));
    hear(fd, got, sizeof(got), NULL, 3000, &closed);
    assert_true(closed);
    close(fd);
}

static bool say_yes(void *arg, struct rv_http_request *request)
{
    answer_text(request, "yes", 3);
    return true;
}

static int status_with_head_of(struct rv_http_server *small, int bytes)
{
    int fd = dial(rv_http_port(small)), status;
    char got[4096];
    bool closed;

    say_text(fd, "GET / HTTP/1.1\r\n" H "X: ");
    for (int i = 0; i < bytes - 32; i++)
        say_text(fd, "x");
    say_text(fd, "\r\n\r\n");
    hear(fd, got, sizeof(got), "\r\n\r\n", 2000, &closed);
    status = status_of(got);
    close(fd);
    return status;
}

static void takes_smaller_heads_where_it_is_told_to(void **state)
{
    const struct rv_http_options options = { .listen = "127.0.0.1:0",
                                             .head_bytes = 4096,
                                             .take = say_yes };
    struct rv_ctx *cx = *state;
    struct rv_http_server *small;

    assert_ok(cx, rv_http_open(cx, &options, &small));
    assert_int_equal(status_with_head_of(small, 4096), 200);
    assert_int_equal(status_with_head_of(small, 4097), 431);
    assert_int_equal(status_with_head_of(small, 40000), 431);
    rv_http_close(small, 500);
}

/* Says @head and hears what comes of it; 503 must say when to come again. */
static int status_after(struct rv_http_server *small, const char *head, const char *body,
                        size_t len)
{
    int fd = dial(rv_http_port(small)), status;
    char got[4096];
    bool closed;

    say_text(fd, head);
    say(fd, body, len);
    hear(fd, got, sizeof(got), "\r\n\r\n", 3000, &closed);
    status = status_of(got);
    assert_int_equal(status == 503, strstr(got, "Retry-After: 1\r\n") != NULL);
    close(fd);
    return status;
}

static void keeps_no_more_bodies_at_once_than_it_may(void **state)
{
    static const char long_head[] = "POST /p HTTP/1.1\r\n" H "Content-Length: 100000\r\n\r\n";
    static const char chunked[] = "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
                                  "17318\r\n"; /* 95000 */
    static char body[100000];
    const struct rv_http_options options = {
        .listen = "127.0.0.1:0", .body_bytes = 100000, .body_total = 150000, .take = say_yes
    };
    struct rv_ctx *cx = *state;
    struct rv_http_server *small;
    int slow, status = 0;

    memset(body, 'x', sizeof(body));
    assert_ok(cx, rv_http_open(cx, &options, &small));
    slow = dial(rv_http_port(small));
    say_text(slow, "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n186A0\r\n");
    say(slow, body, sizeof(body));
    for (int i = 0; i < 10 && status != 503; i++) {
        rv_sleep_ms(100); /* until all of it has been read */
        status = status_after(small, long_head, "", 0);
    }
    assert_int_equal(status, 503);
    assert_int_equal(status_after(small, chunked, body, 95000), 503);
    assert_int_equal(status_after(small, "GET / HTTP/1.1\r\n" H "\r\n", "", 0), 200);
    close(slow);
    for (int i = 0; i < 300 && status != 200; i++) {
        rv_sleep_ms(10);
        status = status_after(small, long_head, body, sizeof(body));
    }
    assert_int_equal(status, 200);
    rv_http_close(small, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(answers_or_refuses_every_row),
        HTTP_TEST(refuses_what_is_too_much),
        HTTP_TEST(takes_smaller_heads_where_it_is_told_to),
        HTTP_TEST(refuses_a_body_that_says_it_is_too_large),
        HTTP_TEST(refuses_a_chunked_body_as_soon_as_it_is_too_large),
        HTTP_TEST(keeps_no_more_bodies_at_once_than_it_may),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
