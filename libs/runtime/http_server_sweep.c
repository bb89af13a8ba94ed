/*
 * Deadlines. libmicrohttpd's own timer starts again with every byte, so a client that sends one
 * byte a second is never late; these are absolute. One thread looks at every connection a few
 * times per deadline and cuts those that are over by shutting the socket down: libmicrohttpd then
 * closes them as if the client had left.
 */

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#include "base/time.h"
#include "runtime/http_server_inside.h"

enum { BYTES_PER_SECOND = 64 * 1024, LEAVING_MS = 1000 };

/* The kernel's tcp states; its header for them cannot be included beside that of tcp_info. */
enum { STATE_CLOSED = 7, STATE_PEER_CLOSED = 8 };

static struct tcp_info tcp_info(int fd)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof(info);

    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
    return info;
}

void rv_http_phase(struct rv_http_connection *connection, struct rv_http_server *server,
                   enum rv_http_phase phase, size_t moved)
{
    uint64_t seen = phase == RV_HTTP_IDLE ? tcp_info(connection->fd).tcpi_bytes_received : 0;

    pthread_mutex_lock(&server->lock);
    if (connection->phase != phase)
        connection->since_ms = rv_monotonic_ms();
    connection->phase = phase;
    connection->seen_bytes = seen;
    connection->moved = moved;
    pthread_mutex_unlock(&server->lock);
}

static int64_t allowed_ms(const struct rv_http_server *server,
                          const struct rv_http_connection *connection)
{
    int64_t moving = (int64_t)connection->moved * 1000 / BYTES_PER_SECOND;

    switch (connection->phase) {
    case RV_HTTP_IDLE:
        return server->options.idle_ms;
    case RV_HTTP_HEADING:
        return server->options.header_ms;
    case RV_HTTP_READING:
    case RV_HTTP_SENDING:
        return server->options.body_ms + moving;
    case RV_HTTP_LEAVING:
        return LEAVING_MS;
    case RV_HTTP_WORKING:
        break;
    }
    return INT64_MAX;
}

/* A sleeping stream does not see that its client has left; its socket does. */
static void look_after_stream(struct rv_http_connection *connection)
{
    int state = tcp_info(connection->fd).tcpi_state;

    if (state == STATE_CLOSED || state == STATE_PEER_CLOSED)
        rv_http_stream_end(connection->request->stream);
}

static void look_at(struct rv_http_server *server, struct rv_http_connection *connection,
                    int64_t now)
{
    if (connection->request && connection->request->stream) {
        look_after_stream(connection);
        return;
    }
    if (connection->phase == RV_HTTP_IDLE &&
        tcp_info(connection->fd).tcpi_bytes_received > connection->seen_bytes) {
        connection->phase = RV_HTTP_HEADING; /* the next head has begun */
        connection->since_ms = now;
    }
    if (now - connection->since_ms >= allowed_ms(server, connection))
        shutdown(connection->fd, SHUT_RDWR);
}

static int64_t interval_ms(const struct rv_http_options *options)
{
    int64_t least = options->header_ms;

    if (options->body_ms < least)
        least = options->body_ms;
    if (options->idle_ms < least)
        least = options->idle_ms;
    return least / 8 < 10 ? 10 : least / 8 > 1000 ? 1000 : least / 8;
}

static void *sweep(void *arg)
{
    struct rv_http_server *server = arg;
    int64_t every_ms = interval_ms(&server->options);

    pthread_mutex_lock(&server->lock);
    while (server->sweeping) {
        int64_t at_ns = rv_monotonic_ns() + every_ms * 1000000;
        struct timespec at = { at_ns / 1000000000, at_ns % 1000000000 };

        for (struct rv_http_connection *c = server->connections; c; c = c->next)
            look_at(server, c, rv_monotonic_ms());
        while (server->sweeping && rv_monotonic_ns() < at_ns)
            pthread_cond_timedwait(&server->halt, &server->lock, &at);
    }
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

rv_result rv_http_sweep_start(struct rv_ctx *cx, struct rv_http_server *server)
{
    server->sweeping = true;
    if (pthread_create(&server->sweeper, NULL, sweep, server) != 0)
        return rv_fail(cx, RV_INTERNAL, "cannot start a thread");
    return RV_OK;
}

void rv_http_sweep_stop(struct rv_http_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->sweeping = false;
    pthread_cond_signal(&server->halt);
    pthread_mutex_unlock(&server->lock);
    pthread_join(server->sweeper, NULL);
}
