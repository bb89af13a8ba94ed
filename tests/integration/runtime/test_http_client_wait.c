/* The http client's patience, with servers that behave badly. */

#include "base/buf.h"
#include "integration/runtime/http_raw.h"
#include "runtime/http_client.h"

static struct rv_http_client *client;

static int open_client(void **state)
{
    const struct rv_http_client_options reach = { "127.0.0.1,no-such-host.invalid", NULL };
    static struct rv_ctx cx;

    rv_ctx_init(&cx);
    *state = &cx;
    client = rv_http_client_new(&reach);
    return 0;
}

static int close_client(void **state)
{
    rv_http_client_free(client);
    rv_ctx_release(*state);
    return 0;
}

static enum rv_status post(struct rv_ctx *cx, const char *url, struct rv_http_reply *reply)
{
    const struct rv_http_call call = { .method = "POST",
                                       .url = url,
                                       .connect_ms = 2000,
                                       .body = { (const uint8_t *)"x", 1 },
                                       .total_ms = 5000 };

    return rv_http_do(cx, client, &call, reply);
}

/* A server of one connection that follows a script: bytes, and pauses between. */
struct script {
    int listener;
    const char *const *lines; /* "~300" is a pause in ms; ends with NULL, then it closes */
    bool hear_first;          /* reads some of the request before it speaks */
    int heard;                /* requests, for never_sends_a_post_twice */
    pthread_t thread;
};

static void *act(void *arg)
{
    struct script *script = arg;
    int fd = accept(script->listener, NULL, NULL);
    char got[4096];

    if (script->hear_first && recv(fd, got, sizeof(got), 0) < 0)
        return NULL;
    for (const char *const *line = script->lines; *line; line++)
        if (**line == '~')
            rv_sleep_ms(atoi(*line + 1));
        else
            say_text(fd, *line);
    close(fd);
    return NULL;
}

static char *start_listener(struct rv_ctx *cx, struct script *script)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof(at);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    script->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(script->listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(script->listener, 8), 0);
    assert_int_equal(getsockname(script->listener, (struct sockaddr *)&at, &len), 0);
    return rv_printf(cx, "http://127.0.0.1:%d/", ntohs(at.sin_port));
}

static char *start_script(struct rv_ctx *cx, struct script *script)
{
    char *url = start_listener(cx, script);

    pthread_create(&script->thread, NULL, act, script);
    return url;
}

static void end_script(struct script *script)
{
    pthread_join(script->thread, NULL);
    close(script->listener);
}

#define HEAD_OF_STREAM "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"

struct pieces {
    struct rv_buf text;
    int n, stop_at, cancel_after_ms;
    int64_t start_ms;
};

static bool add_piece(void *arg, const char *bytes, size_t len)
{
    struct pieces *pieces = arg;

    rv_buf_add(&pieces->text, bytes, len);
    return ++pieces->n != pieces->stop_at;
}

static bool want_to_stop(void *arg)
{
    struct pieces *pieces = arg;

    return pieces->cancel_after_ms &&
           rv_monotonic_ms() - pieces->start_ms >= pieces->cancel_after_ms;
}

static void hands_on_pieces_as_they_come(void **state)
{
    static const char *const lines[] = {
        HEAD_OF_STREAM, "one", "~100", "two", "~100", "three", NULL
    };
    struct script script = { .lines = lines, .hear_first = true };
    struct rv_ctx *cx = *state;
    struct pieces pieces = { .n = 0 };
    struct rv_http_reply reply;
    const struct rv_http_call call = {
        .method = "POST", .url = start_script(cx, &script), .piece = add_piece, .arg = &pieces
    };

    assert_ok(cx, rv_http_do(cx, client, &call, &reply));
    assert_int_equal(pieces.n, 3);
    assert_string_equal(pieces.text.data, "onetwothree");
    assert_int_equal(reply.len, 0);
    assert_string_equal(reply.content_type, "text/event-stream");
    rv_buf_release(&pieces.text);
    end_script(&script);
}

static void stops_when_a_piece_was_enough(void **state)
{
    static const char *const lines[] = { HEAD_OF_STREAM, "one", "~100", "two", "~300", NULL };
    struct script script = { .lines = lines, .hear_first = true };
    struct rv_ctx *cx = *state;
    struct pieces pieces = { .stop_at = 1 };
    struct rv_http_reply reply;
    const struct rv_http_call call = {
        .method = "POST", .url = start_script(cx, &script), .piece = add_piece, .arg = &pieces
    };

    assert_ok(cx, rv_http_do(cx, client, &call, &reply));
    assert_int_equal(reply.status, 200);
    assert_string_equal(pieces.text.data, "one");
    rv_buf_release(&pieces.text);
    end_script(&script);
}

static void keeps_the_text_of_an_error_instead_of_pieces(void **state)
{
    struct rv_ctx *cx = *state;
    char *big = memset(rv_new_array(cx, char, 70001), 'x', 70000);
    const char *const lines[] = { "HTTP/1.1 500 Oh\r\n\r\n", big, NULL };
    struct script script = { .lines = lines, .hear_first = true };
    struct pieces pieces = { .n = 0 };
    struct rv_http_reply reply;
    const struct rv_http_call call = {
        .method = "GET", .url = start_script(cx, &script), .piece = add_piece, .arg = &pieces
    };

    assert_ok(cx, rv_http_do(cx, client, &call, &reply));
    assert_int_equal(reply.status, 500);
    assert_int_equal(pieces.n, 0);
    assert_int_equal(reply.len, 64 * 1024);
    end_script(&script);
}

static void gives_up_within_200_ms_when_cancelled(void **state)
{
    static const char *const before[] = { "~1200", NULL };
    static const char *const during[] = { HEAD_OF_STREAM, "one", "~1200", NULL };
    const char *const *scripts[] = { before, during };

    for (size_t i = 0; i < 2; i++) {
        struct script script = { .lines = scripts[i], .hear_first = true };
        struct rv_ctx *cx = *state;
        struct pieces pieces = { .cancel_after_ms = 300, .start_ms = rv_monotonic_ms() };
        struct rv_http_reply reply;
        const struct rv_http_call call = { .method = "POST",
                                           .url = start_script(cx, &script),
                                           .piece = add_piece,
                                           .cancelled = want_to_stop,
                                           .arg = &pieces };

        assert_int_equal(rv_http_do(cx, client, &call, &reply), RV_TIMEOUT);
        assert_in_range(rv_monotonic_ms() - pieces.start_ms, 300, 500);
        assert_string_equal(reply.failure, "cancelled");
        assert_true(reply.maybe_acted);
        rv_buf_release(&pieces.text);
        end_script(&script);
    }
}

static void has_a_timer_for_every_wait(void **state)
{
    static const char *const mute[] = { "~900", NULL };
    static const char *const stuck[] = { HEAD_OF_STREAM, "one", "~900", NULL };
    static const char *const drip[] = { HEAD_OF_STREAM, "a", "~100", "b", "~100", "c",
                                        "~100",         "d", "~100", "e", "~100", "f",
                                        "~100",         "g", "~100", "h", NULL };
    static const struct {
        const char *const *lines;
        int64_t first_byte_ms, idle_ms, total_ms;
    } rows[] = {
        { mute, 300, 0, 0 }, { stuck, 0, 300, 0 }, { drip, 0, 0, 300 }, { mute, 0, 0, 300 }
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct script script = { .lines = rows[i].lines, .hear_first = true };
        struct rv_ctx *cx = *state;
        struct rv_http_reply reply;
        const struct rv_http_call call = {
            .method = "GET",
            .url = start_script(cx, &script),
            .idle_ms = rows[i].idle_ms,
            .first_byte_ms = rows[i].first_byte_ms,
            .total_ms = rows[i].total_ms,
        };
        int64_t start_ms = rv_monotonic_ms();

        assert_int_equal(rv_http_do(cx, client, &call, &reply), RV_TIMEOUT);
        assert_in_range(rv_monotonic_ms() - start_ms, 290, 850);
        assert_string_equal(reply.failure, "timeout");
        end_script(&script);
    }
}

static void says_how_it_failed(void **state)
{
    static const char *const nothing[] = { NULL };
    static const char *const half[] = { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", NULL };
    static const char *const noise[] = { "what do you want?\r\n\r\n", "~50", NULL };
    static const struct {
        const char *const *lines;
        const char *scheme, *word;
        bool sent;
    } rows[] = {
        { nothing, "http", "cut", true },
        { half, "http", "cut", true },
        { noise, "http", "cut", true },
        { noise, "https", "tls", false },
    };
    struct rv_ctx *cx = *state;
    struct rv_http_reply reply;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct script script = { .lines = rows[i].lines, .hear_first = true };
        const char *url = start_script(cx, &script);

        url = rv_printf(cx, "%s%s", rows[i].scheme, strchr(url, ':'));
        assert_int_equal(post(cx, url, &reply), RV_UNAVAILABLE);
        assert_string_equal(reply.failure, rows[i].word);
        assert_int_equal(reply.maybe_acted, rows[i].sent);
        end_script(&script);
    }
    assert_int_equal(post(cx, "http://127.0.0.1:1/", &reply), RV_UNAVAILABLE);
    assert_string_equal(reply.failure, "refused");
    assert_false(reply.maybe_acted);
    assert_int_not_equal(post(cx, "http://no-such-host.invalid/", &reply), RV_OK);
    assert_true(strcmp(reply.failure, "connect") == 0 || strcmp(reply.failure, "timeout") == 0);
    assert_false(reply.maybe_acted);
}

/* The server keeps the connection, then drops it with the second request in its hands. */
static void *answer_once_then_drop(void *arg)
{
    struct script *script = arg;

    for (int i = 0; i < 2; i++) {
        int fd = accept(script->listener, NULL, NULL);
        char got[4096];

        if (fd < 0)
            break;
        for (int n = 0; n < 2 && recv(fd, got, sizeof(got), 0) > 0; n++) {
            __atomic_add_fetch(&script->heard, 1, __ATOMIC_SEQ_CST);
            if (n == 0)
                say_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
        close(fd);
    }
    return NULL;
}

static void never_sends_a_post_twice(void **state)
{
    struct script script = { .heard = 0 };
    struct rv_ctx *cx = *state;
    struct rv_http_reply reply;
    const char *url = start_listener(cx, &script);

    pthread_create(&script.thread, NULL, answer_once_then_drop, &script);
    assert_ok(cx, post(cx, url, &reply));
    assert_int_equal(post(cx, url, &reply), RV_UNAVAILABLE);
    assert_string_equal(reply.failure, "cut");
    assert_true(reply.maybe_acted);
    rv_sleep_ms(100);
    assert_int_equal(__atomic_load_n(&script.heard, __ATOMIC_SEQ_CST), 2);
    shutdown(script.listener, SHUT_RDWR);
    end_script(&script);
}

#define CLIENT_TEST(function) cmocka_unit_test_setup_teardown(function, open_client, close_client)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(hands_on_pieces_as_they_come),
        CLIENT_TEST(stops_when_a_piece_was_enough),
        CLIENT_TEST(keeps_the_text_of_an_error_instead_of_pieces),
        CLIENT_TEST(gives_up_within_200_ms_when_cancelled),
        CLIENT_TEST(has_a_timer_for_every_wait),
        CLIENT_TEST(says_how_it_failed),
        CLIENT_TEST(never_sends_a_post_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
