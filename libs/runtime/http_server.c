/* Opening and closing: the listening socket, the daemon, and the order in which all that ends. */

#include "runtime/http_server.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "runtime/http_server_front.h"
#include "runtime/http_server_inside.h"

enum { LINGER_MS = 1000, STUCK_MS = 10 * 1000, BURST = 256 };

static const struct rv_http_options defaults = {
    .threads = 2,
    .connections = 10000,
    .head_bytes = RV_HTTP_TARGET_MAX + RV_HTTP_HEAD_MAX,
    .body_bytes = 1024 * 1024,
    .body_total = 256 * 1024 * 1024,
    .header_ms = 10 * 1000,
    .body_ms = 30 * 1000,
    .idle_ms = 60 * 1000,
};

static void fill_in(struct rv_http_options *options)
{
    options->threads = options->threads ? options->threads : defaults.threads;
    options->connections = options->connections ? options->connections : defaults.connections;
    options->head_bytes = options->head_bytes ? options->head_bytes : defaults.head_bytes;
    options->body_bytes = options->body_bytes ? options->body_bytes : defaults.body_bytes;
    options->body_total = options->body_total ? options->body_total : defaults.body_total;
    options->header_ms = options->header_ms ? options->header_ms : defaults.header_ms;
    options->body_ms = options->body_ms ? options->body_ms : defaults.body_ms;
    options->idle_ms = options->idle_ms ? options->idle_ms : defaults.idle_ms;
}

static void raise_file_limit(size_t connections)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= connections + 256)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/*
 * The memory of a connection holds its head and the parser's notes about it. Not strict: what the
 * strict parser refuses it drops without a word; the guard refuses more, and says why.
 */
static rv_result start_daemon(struct rv_ctx *cx, struct rv_http_server *server)
{
    const struct rv_http_options *options = &server->options;

    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
            MHD_USE_NO_LISTEN_SOCKET,
        0, NULL, NULL, rv_http_on_request, server, MHD_OPTION_THREAD_POOL_SIZE,
        (unsigned)options->threads, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)options->connections + BURST, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)options->connections_per_ip, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)((options->idle_ms + 1999) / 1000), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        options->head_bytes * 3 / 2, MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)8192,
        MHD_OPTION_STRICT_FOR_CLIENT, 0, MHD_OPTION_NOTIFY_CONNECTION, rv_http_on_connection,
        server, MHD_OPTION_NOTIFY_COMPLETED, rv_http_on_completed, server,
        MHD_OPTION_URI_LOG_CALLBACK, rv_http_on_target, server, MHD_OPTION_END);
    if (!server->daemon)
        return rv_fail(cx, RV_INTERNAL, "cannot start the http server");
    return RV_OK;
}

static void init_lock(struct rv_http_server *server)
{
    pthread_condattr_t monotonic;

    pthread_mutex_init(&server->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&server->changed, &monotonic);
    pthread_cond_init(&server->halt, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static void free_server(struct rv_http_server *server)
{
    if (server->listener >= 0)
        close(server->listener);
    pthread_cond_destroy(&server->changed);
    pthread_cond_destroy(&server->halt);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

static rv_result start(struct rv_ctx *cx, struct rv_http_server *server)
{
    raise_file_limit(server->options.connections);
    RV_TRY(cx, rv_http_listen(cx, server));
    RV_TRY(cx, start_daemon(cx, server));
    if (rv_http_sweep_start(cx, server) == RV_OK) {
        if (rv_http_listen_start(cx, server) == RV_OK)
            return RV_OK;
        rv_http_sweep_stop(server);
    }
    MHD_stop_daemon(server->daemon);
    return cx->error.status;
}

rv_result rv_http_open(struct rv_ctx *cx, const struct rv_http_options *options,
                       struct rv_http_server **server)
{
    struct rv_http_server *opened = calloc(1, sizeof(*opened));

    if (!opened)
        abort();
    opened->options = *options;
    opened->listener = -1;
    fill_in(&opened->options);
    init_lock(opened);
    *server = NULL;
    if (start(cx, opened) != RV_OK) {
        free_server(opened);
        return rv_trace_at(cx, cx->error.status, RV_HERE);
    }
    *server = opened;
    return RV_OK;
}

int rv_http_port(const struct rv_http_server *server)
{
    return server->port;
}

/* Waits until no request is under way; needs the lock. */
static void wait_for_requests(struct rv_http_server *server, int64_t ms)
{
    int64_t until_ns = rv_monotonic_ns() + ms * 1000000;
    struct timespec until = { until_ns / 1000000000, until_ns % 1000000000 };

    while (server->n_requests > 0 && rv_monotonic_ns() < until_ns)
        pthread_cond_timedwait(&server->changed, &server->lock, &until);
}

/* A head or a body that is still coming would hold the end up for nothing. */
static void cut(struct rv_http_server *server, bool all)
{
    for (struct rv_http_connection *c = server->connections; c; c = c->next)
        if (all || (c->phase != RV_HTTP_WORKING && c->phase != RV_HTTP_SENDING))
            shutdown(c->fd, SHUT_RDWR);
}

static void end_streams(struct rv_http_server *server)
{
    for (struct rv_http_connection *c = server->connections; c; c = c->next)
        if (c->request && c->request->stream)
            rv_http_stream_end(c->request->stream);
}

/*
 * libmicrohttpd aborts the process when it is stopped with a suspended connection, so all of them
 * are resumed first: streams with their end, and what nobody has answered with a 503.
 */
void rv_http_close(struct rv_http_server *server, int64_t grace_ms)
{
    if (!server)
        return;
    rv_http_listen_stop(server);
    pthread_mutex_lock(&server->lock);
    cut(server, false);
    end_streams(server);
    wait_for_requests(server, grace_ms);
    for (struct rv_http_connection *c = server->connections; c; c = c->next)
        if (c->request)
            rv_http_give_up(c->request);
    end_streams(server);
    wait_for_requests(server, LINGER_MS);
    cut(server, true);
    wait_for_requests(server, STUCK_MS);
    pthread_mutex_unlock(&server->lock);

    rv_http_sweep_stop(server);
    MHD_stop_daemon(server->daemon);
    free_server(server);
}
