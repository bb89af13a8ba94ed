/* The http client, against our own server and against sockets that behave badly. */

#include "base/buf.h"
#include "integration/runtime/http_raw.h"
#include "runtime/http_client.h"

static struct rv_http_server *server;
static struct rv_http_client *client;
static char base[64], other_base[64];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int seen;

static void redirect(struct rv_http_request *request, int status, const char *to)
{
    const struct rv_http_header_row rows[] = { { "Location", to }, { 0 } };

    rv_http_answer(request, status, "text/plain", rows, "moved", 5);
}

static const char *or_none(const char *text)
{
    return text ? text : "none";
}

/* Says what came: method, path, body, and the headers that tests look at. */
static void echo(struct rv_http_request *request)
{
    struct rv_bytes body = rv_http_body(request);
    auto_buf text = { 0 };

    rv_buf_printf(&text, "%s %s body=%.*s", rv_http_method(request), rv_http_path(request),
                  (int)body.len, body.data ? (const char *)body.data : "");
    rv_buf_printf(
        &text, " auth=%s key=%s cookie=%s agent=%s accept=%s type=%s expect=%s",
        or_none(rv_http_header(request, "Authorization")),
        or_none(rv_http_header(request, "X-Own-Key")), or_none(rv_http_header(request, "Cookie")),
        or_none(rv_http_header(request, "User-Agent")), or_none(rv_http_header(request, "Accept")),
        or_none(rv_http_header(request, "Content-Type")),
        or_none(rv_http_header(request, "Expect")));
    rv_http_answer(request, 200, "text/plain", NULL, text.data, text.len);
}

static void answer_big(struct rv_http_request *request)
{
    static char big[200000];

    memset(big, 'x', sizeof(big));
    rv_http_answer(request, 200, "text/plain", NULL, big, sizeof(big));
}

static bool take(void *arg, struct rv_http_request *request)
{
    const struct rv_http_header_row later[] = { { "Retry-After", "7" }, { 0 } };
    const struct rv_http_header_row soon[] = { { "Retry-After", "7" },
                                               { "retry-after-ms", "750" },
                                               { 0 } };
    const char *path = rv_http_path(request);
    static char to[128];

    pthread_mutex_lock(&lock);
    seen++;
    pthread_mutex_unlock(&lock);
    if (sscanf(path, "/redirect/%3[0-9]", to) == 1)
        redirect(request, atoi(to), "/landed");
    else if (strcmp(path, "/loop") == 0)
        redirect(request, 302, "/loop");
    else if (strcmp(path, "/three") == 0)
        redirect(request, 302, "/two");
    else if (strcmp(path, "/two") == 0)
        redirect(request, 302, "/one");
    else if (strcmp(path, "/one") == 0)
        redirect(request, 302, "/landed");
    else if (strcmp(path, "/away") == 0)
        snprintf(to, sizeof(to), "%s/landed", other_base), redirect(request, 307, to);
    else if (strcmp(path, "/meta") == 0)
        redirect(request, 302, "http://169.254.169.254/latest");
    else if (strcmp(path, "/file") == 0)
        redirect(request, 302, "file:///etc/passwd");
    else if (strcmp(path, "/big") == 0)
        answer_big(request);
    else if (strcmp(path, "/busy") == 0)
        rv_http_answer(request, 429, "application/json", later, "{}", 2);
    else if (strcmp(path, "/soon") == 0)
        rv_http_answer(request, 429, "application/json", soon, "{}", 2);
    else
        echo(request);
    return true;
}

static int open_both(void **state)
{
    static struct rv_ctx cx;
    const struct rv_http_options options = { .listen = "127.0.0.1:0", .take = take };
    const struct rv_http_client_options reach = { "127.0.0.1,localhost", "test/1" };

    rv_ctx_init(&cx);
    *state = &cx;
    seen = 0;
    if (rv_http_open(&cx, &options, &server) != RV_OK)
        fail_msg("%s", cx.error.text);
    snprintf(base, sizeof(base), "http://127.0.0.1:%d", rv_http_port(server));
    snprintf(other_base, sizeof(other_base), "http://localhost:%d", rv_http_port(server));
    client = rv_http_client_new(&reach);
    return 0;
}

static int close_both(void **state)
{
    rv_http_client_free(client);
    rv_http_close(server, 500);
    rv_ctx_release(*state);
    return 0;
}

static enum rv_status ask(struct rv_ctx *cx, const char *method, const char *path,
                          const char *const *headers, const char *body, struct rv_http_reply *reply)
{
    const struct rv_http_call call = {
        .method = method,
        .url = *path == '/' ? rv_printf(cx, "%s%s", base, path) : path,
        .headers = headers,
        .body = { (const uint8_t *)body, body ? strlen(body) : 0 },
        .connect_ms = 2000,
        .first_byte_ms = 2000,
        .idle_ms = 2000,
        .total_ms = 5000,
    };

    return rv_http_do(cx, client, &call, reply);
}

static void sends_what_it_is_told(void **state)
{
    static const char *const headers[] = { "Content-Type: application/json",
                                           "Authorization: Bearer x", NULL };
    struct rv_ctx *cx = *state;
    struct rv_http_reply reply;

    assert_ok(cx, ask(cx, "GET", "/a%20b?c=d", NULL, NULL, &reply));
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.content_type, "text/plain");
    assert_string_equal(reply.body, "GET /a b body= auth=none key=none cookie=none agent=test/1 "
                                    "accept=*/* type=none expect=none");
    assert_int_equal(reply.len, strlen(reply.body));
    assert_null(reply.failure);
    assert_ok(cx, ask(cx, "POST", "/p", headers, "{}", &reply));
    assert_string_equal(reply.body,
                        "POST /p body={} auth=Bearer x key=none cookie=none agent=test/1 "
                        "accept=*/* type=application/json expect=none");
    assert_ok(cx, ask(cx, "PUT", "/p", NULL, "abc", &reply));
    assert_true(strncmp(reply.body, "PUT /p body=abc ", 16) == 0);
    assert_ok(cx, ask(cx, "POST", "/p", NULL, NULL, &reply));
    assert_true(strncmp(reply.body, "POST /p body= ", 14) == 0);
    assert_ok(cx, ask(cx, "DELETE", "/p", NULL, NULL, &reply));
    assert_true(strncmp(reply.body, "DELETE /p ", 10) == 0);
    assert_ok(cx, ask(cx, "HEAD", "/p", NULL, NULL, &reply));
    assert_int_equal(reply.len, 0);
    assert_true(reply.maybe_acted);
}

static void takes_no_proxy_from_the_environment(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_http_reply reply;

    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    assert_ok(cx, ask(cx, "GET", "/x", NULL, NULL, &reply));
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    assert_int_equal(reply.status, 200);
}

static void follows_redirects_as_their_status_says(void **state)
{
    static const struct {
        const char *method, *path, *body, *says;
    } rows[] = {
        { "POST", "/redirect/301", "b", "GET /landed body= " },
        { "POST", "/redirect/302", "b", "GET /landed body= " },
        { "POST", "/redirect/303", "b", "GET /landed body= " },
        { "PUT", "/redirect/303", "b", "GET /landed body= " },
        { "PUT", "/redirect/302", "b", "PUT /landed body=b " },
        { "POST", "/redirect/307", "b", "POST /landed body=b " },
        { "POST", "/redirect/308", "b", "POST /landed body=b " },
        { "GET", "/redirect/302", NULL, "GET /landed body= " },
        { "GET", "/three", NULL, "GET /landed body= " },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rv_ctx *cx = *state;
        struct rv_http_reply reply;

        assert_ok(cx, ask(cx, rows[i].method, rows[i].path, NULL, rows[i].body, &reply));
        if (strncmp(reply.body, rows[i].says, strlen(rows[i].says)) != 0)
            fail_msg("%s %s: %s", rows[i].method, rows[i].path, reply.body);
    }
}

static void leaves_other_redirects_to_the_caller(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_http_reply reply;

    assert_ok(cx, ask(cx, "GET", "/redirect/300", NULL, NULL, &reply));
    assert_int_equal(reply.status, 300);
    assert_string_equal(reply.body, "moved");
}

static void gives_up_after_three_redirects(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_http_reply reply;

    assert_int_equal(ask(cx, "GET", "/loop", NULL, NULL, &reply), RV_UNAVAILABLE);
    assert_string_equal(reply.failure, "redirects");
    assert_int_equal(seen, 4);
}

static void keeps_credentials_at_home(void **state)
{
    static const char *const headers[] = { "Authorization: Bearer x", "Cookie: a=b", "X-Own-Key: k",
                                           "Accept: text/plain", NULL };
    struct rv_ctx *cx = *state;
    struct rv_http_reply reply;

    assert_ok(cx, ask(cx, "GET", "/redirect/307", headers, NULL, &reply));
    assert_non_null(
        strstr(reply.body, "auth=Bearer x key=k cookie=a=b agent=test/1 accept=text/plain"));
    assert_ok(cx, ask(cx, "GET", "/away", headers, NULL, &reply));
    assert_non_null(
        strstr(reply.body, "auth=none key=none cookie=none agent=test/1 accept=text/plain"));
}

static void refuses_where_a_redirect_may_not_lead(void **state)
{
    static const char *const paths[] = { "/meta", "/file" };

    for (size_t i = 0; i < 2; i++) {
        struct rv_ctx *cx = *state;
        struct rv_http_reply reply;

        assert_int_equal(ask(cx, "GET", paths[i], NULL, NULL, &reply), RV_DENIED);
        assert_non_null(reply.failure);
    }
    assert_int_equal(seen, 2);
}

/* However it is written, it is the same machine. */
static void refuses_this_machine_unless_it_is_allowed(void **state)
{
    static const char *const hosts[] = {
        "127.0.0.1",          "localhost",       "2130706433", "0x7f.1",    "0177.0.0.1",
        "0x7f000001",         "127.1",           "0",          "0.0.0.0",   "[::1]",
        "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]",       "127.0.0.1."
    };
    const struct rv_http_client_options nothing = { "", NULL };
    struct rv_http_client *strict = rv_http_client_new(&nothing);
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        const struct rv_http_call call = {
            .method = "GET",
            .total_ms = 3000,
            .url = rv_printf(cx, "http://%s:%d/", hosts[i], rv_http_port(server)),
        };
        struct rv_http_reply reply;
        enum rv_status status = rv_http_do(cx, strict, &call, &reply);

        if (status == RV_OK || reply.maybe_acted ||
            (status != RV_DENIED && strcmp(reply.failure, "connect") != 0))
            fail_msg("%s: %s", hosts[i], cx->error.text);
    }
    assert_int_equal(seen, 0);
    rv_http_client_free(strict);
}

static void refuses_calls_that_are_malformed(void **state)
{
    static const struct {
        const char *method, *url, *header;
    } rows[] = {
        { "GET", "http://user@127.0.0.1/", NULL },
        { "GET", "http://user:pass@127.0.0.1/", NULL },
        { "GET", "http://:pass@127.0.0.1/", NULL },
        { "GET", "file:///etc/passwd", NULL },
        { "GET", "ftp://127.0.0.1/", NULL },
        { "GET", "gopher://127.0.0.1/", NULL },
        { "GET", "127.0.0.1", NULL },
        { "GET", "", NULL },
        { "GET", "http://", NULL },
        { "GET", "http://127.0.0.1:99999/", NULL },
        { "GET", "http://127.0.0.1:x/", NULL },
        { "GET", "http://127.0.0.1/\r\nX: y", NULL },
        { "GET", "http://a b/", NULL },
        { "GET /x HTTP/1.1\r\nX:", "http://127.0.0.1/", NULL },
        { "", "http://127.0.0.1/", NULL },
        { "get", "http://127.0.0.1/", NULL },
        { "GET", "http://127.0.0.1/", "X: y\r\nZ: w" },
        { "GET", "http://127.0.0.1/", "X" },
        { "GET", "http://127.0.0.1/", ": y" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const headers[] = { rows[i].header, NULL };
        struct rv_ctx *cx = *state;
        struct rv_http_reply reply;
        const struct rv_http_call call = { .method = rows[i].method,
                                           .url = rows[i].url,
                                           .headers = headers };

        if (rv_http_do(cx, client, &call, &reply) != RV_INVALID)
            fail_msg("row %zu: %s", i, cx->error.text);
    }
}

static void stops_at_the_limit(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_http_reply reply;
    struct rv_http_call call = { .method = "GET",
                                 .url = rv_printf(cx, "%s/big", base),
                                 .limit_bytes = 199999 };

    assert_int_equal(rv_http_do(cx, client, &call, &reply), RV_TOO_LARGE);
    assert_string_equal(reply.failure, "too_large");
    call.limit_bytes = 200000;
    assert_ok(cx, rv_http_do(cx, client, &call, &reply));
    assert_int_equal(reply.len, 200000);
}

static void says_when_to_come_back(void **state)
{
    struct rv_ctx *cx = *state;
    struct rv_http_reply reply;

    assert_ok(cx, ask(cx, "POST", "/busy", NULL, "{}", &reply));
    assert_int_equal(reply.status, 429);
    assert_int_equal(reply.retry_after_ms, 7000);
    assert_ok(cx, ask(cx, "POST", "/soon", NULL, "{}", &reply));
    assert_int_equal(reply.retry_after_ms, 750);
    assert_ok(cx, ask(cx, "GET", "/x", NULL, NULL, &reply));
    assert_int_equal(reply.retry_after_ms, 0);
}

#define CLIENT_TEST(function) cmocka_unit_test_setup_teardown(function, open_both, close_both)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(sends_what_it_is_told),
        CLIENT_TEST(takes_no_proxy_from_the_environment),
        CLIENT_TEST(follows_redirects_as_their_status_says),
        CLIENT_TEST(leaves_other_redirects_to_the_caller),
        CLIENT_TEST(gives_up_after_three_redirects),
        CLIENT_TEST(keeps_credentials_at_home),
        CLIENT_TEST(refuses_where_a_redirect_may_not_lead),
        CLIENT_TEST(refuses_this_machine_unless_it_is_allowed),
        CLIENT_TEST(refuses_calls_that_are_malformed),
        CLIENT_TEST(stops_at_the_limit),
        CLIENT_TEST(says_when_to_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
