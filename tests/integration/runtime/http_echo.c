#include "integration/runtime/http_echo.h"

#include "base/buf.h"

struct rv_http_server *server;
static struct rv_http_request *kept[16];
static int n_kept;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void answer_text(struct rv_http_request *request, const char *text, size_t len)
{
    rv_http_answer(request, 200, "text/plain", NULL, text, len);
}

static void *answer_later(void *arg)
{
    rv_sleep_ms(50);
    answer_text(arg, "later", 5);
    return NULL;
}

static bool echo_arg(void *arg, const char *name, const char *value)
{
    rv_buf_printf(arg, "[%s=%s]", name, value);
    return true;
}

static bool take(void *arg, struct rv_http_request *request)
{
    const char *path = rv_http_path(request);
    auto_buf text = { 0 };
    pthread_t thread;

    if (strcmp(path, "/full") == 0)
        return false;
    if (strcmp(path, "/later") == 0) {
        pthread_create(&thread, NULL, answer_later, request);
        pthread_detach(thread);
        return true;
    }
    if (strcmp(path, "/keep") == 0) {
        pthread_mutex_lock(&lock);
        kept[n_kept++] = request;
        pthread_mutex_unlock(&lock);
        return true;
    }
    rv_buf_printf(&text, "%s %s", rv_http_method(request), path);
    rv_http_query(request, echo_arg, &text);
    rv_buf_printf(&text, " %zu bytes from %s", rv_http_body(request).len, rv_http_client(request));
    answer_text(request, text.data, text.len);
    return true;
}

int open_server(void **state)
{
    static struct rv_ctx cx;
    const struct rv_http_options options = {
        .listen = "127.0.0.1:0",
        .threads = 2,
        .connections = 600,
        .body_bytes = 100000,
        .header_ms = 400,
        .body_ms = 500,
        .idle_ms = 900,
        .take = take,
    };

    rv_ctx_init(&cx);
    n_kept = 0;
    memset(kept, 0, sizeof(kept));
    *state = &cx;
    if (rv_http_open(&cx, &options, &server) != RV_OK)
        fail_msg("%s", cx.error.text);
    return 0;
}

int close_server(void **state)
{
    rv_http_close(server, 1000);
    rv_ctx_release(*state);
    return 0;
}

struct rv_http_request *the_kept(void)
{
    struct rv_http_request *request = NULL;

    for (int i = 0; i < 300 && !request; i++) {
        rv_sleep_ms(10);
        pthread_mutex_lock(&lock);
        request = kept[0];
        pthread_mutex_unlock(&lock);
    }
    assert_non_null(request);
    return request;
}
