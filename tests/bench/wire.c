#define _GNU_SOURCE

#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/time.h"

enum { PIECE_BYTES = 256 * 1024, READY_MAX = 256 };

struct wire {
    int epoll;
    struct sockaddr_in at;
    char piece[PIECE_BYTES];
};

struct conn {
    struct wire *wire;
    int fd; /* -1: not connected */
    const struct conn_ops *ops;
    void *owner;
    enum { CONN_IDLE, CONN_ASKED, CONN_STREAM } state;
    struct rv_buf in; /* of an answer: all so far; of a stream: the event that is not whole yet */
    enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_TAIL } chunk;
    size_t chunk_left;
};

struct wire *wire_new(const char *host, int port)
{
    struct wire *wire = calloc(1, sizeof(*wire));

    if (!wire)
        abort();
    wire->at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    inet_pton(AF_INET, host, &wire->at.sin_addr);
    wire->epoll = epoll_create1(EPOLL_CLOEXEC);
    return wire;
}

void wire_free(struct wire *wire)
{
    if (wire)
        close(wire->epoll);
    free(wire);
}

struct conn *conn_new(struct wire *wire, const struct conn_ops *ops, void *owner)
{
    struct conn *conn = calloc(1, sizeof(*conn));

    if (!conn)
        abort();
    conn->wire = wire;
    conn->fd = -1;
    conn->ops = ops;
    conn->owner = owner;
    return conn;
}

void conn_free(struct conn *conn)
{
    if (conn && conn->fd >= 0)
        close(conn->fd);
    if (conn)
        rv_buf_release(&conn->in);
    free(conn);
}

void *conn_owner(const struct conn *conn)
{
    return conn->owner;
}

/* An idle connection that the server has closed is nobody's loss: the next question opens one. */
static void lose(struct conn *conn, const char *why)
{
    bool was_idle = conn->state == CONN_IDLE;

    if (conn->fd >= 0)
        close(conn->fd);
    conn->fd = -1;
    conn->state = CONN_IDLE;
    rv_buf_clear(&conn->in);
    if (!was_idle)
        conn->ops->on_gone(conn, why);
}

void conn_drop(struct conn *conn, const char *why)
{
    lose(conn, why);
}

static bool dial(struct conn *conn)
{
    struct epoll_event ready = { .events = EPOLLIN, .data.ptr = conn };
    struct wire *wire = conn->wire;
    int one = 1;

    conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (conn->fd < 0 || connect(conn->fd, (struct sockaddr *)&wire->at, sizeof(wire->at)) != 0)
        return false;
    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return epoll_ctl(wire->epoll, EPOLL_CTL_ADD, conn->fd, &ready) == 0;
}

/* A question is some hundred bytes, and the socket is empty: it takes them at once. */
void conn_ask(struct conn *conn, const char *request, size_t len)
{
    conn->state = CONN_ASKED;
    rv_buf_clear(&conn->in);
    if (conn->fd < 0 && !dial(conn)) {
        lose(conn, strerror(errno));
        return;
    }
    if (send(conn->fd, request, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len)
        lose(conn, "the question does not get through");
}

/* Hands on every whole event. A blank line ends one; a comment has no data. */
static void take_events(struct conn *conn)
{
    const char *end = conn->in.data + conn->in.len, *from = conn->in.data, *line = from, *stop;

    while ((stop = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        bool blank = stop == line;

        if (blank && from < line && *from != ':')
            conn->ops->on_event(conn, from, (size_t)(line - from));
        line = stop + 1;
        if (blank)
            from = line;
    }
    rv_buf_drop(&conn->in, (size_t)(from - conn->in.data));
}

static int hex_of(char c)
{
    return c >= '0' && c <= '9'                 ? c - '0'
           : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                : -1;
}

/* One step of taking chunks apart; how many of the bytes it has used. */
static size_t take_chunk(struct conn *conn, const char *bytes, size_t len)
{
    size_t n = 1;

    if (conn->chunk == CHUNK_DATA) {
        n = len < conn->chunk_left ? len : conn->chunk_left;
        rv_buf_add(&conn->in, bytes, n);
        conn->chunk_left -= n;
        if (conn->chunk_left == 0)
            conn->chunk = CHUNK_TAIL;
    } else if (*bytes == '\n') {
        conn->chunk = conn->chunk == CHUNK_SIZE ? CHUNK_DATA : CHUNK_SIZE;
    } else if (conn->chunk == CHUNK_SIZE && hex_of(*bytes) >= 0) {
        conn->chunk_left = conn->chunk_left * 16 + (size_t)hex_of(*bytes);
    }
    return n;
}

/* False: the last chunk has come. */
static bool take_stream(struct conn *conn, const char *bytes, size_t len)
{
    bool over = false;

    for (size_t used = 0; used < len && !over;) {
        used += take_chunk(conn, bytes + used, len - used);
        over = conn->chunk == CHUNK_DATA && conn->chunk_left == 0;
    }
    if (conn->in.len > 0)
        take_events(conn);
    return !over;
}

static long length_said(const char *head)
{
    const char *said = strcasestr(head, "\r\nContent-Length:");

    return said ? atol(said + sizeof("\r\nContent-Length:") - 1) : -1;
}

/* The head is whole and ends with a NUL; @rest is what came after it. */
static void begin_stream(struct conn *conn, const char *rest, size_t len)
{
    auto_buf first = { 0 };

    rv_buf_add(&first, rest, len);
    rv_buf_clear(&conn->in);
    conn->state = CONN_STREAM;
    conn->chunk = CHUNK_SIZE;
    conn->chunk_left = 0;
    conn->ops->on_stream(conn);
    if (!take_stream(conn, first.data, first.len))
        lose(conn, "the stream has ended");
}

static void take_answer(struct conn *conn)
{
    char *body = memmem(conn->in.data, conn->in.len, "\r\n\r\n", 4);
    size_t left;
    int status;
    long len;

    if (!body)
        return;
    *body = '\0';
    len = length_said(conn->in.data);
    left = conn->in.len - (size_t)(body + 4 - conn->in.data);
    status = conn->in.len > 12 ? atoi(conn->in.data + 9) : 0;
    if (status == 200 && len < 0 && strstr(conn->in.data, "text/event-stream")) {
        begin_stream(conn, body + 4, left);
    } else if (len < 0) {
        lose(conn, "an answer without a length");
    } else if (left < (size_t)len) {
        *body = '\r';
    } else {
        conn->state = CONN_IDLE;
        conn->ops->on_reply(conn, status, body + 4, (size_t)len);
    }
}

static void take(struct conn *conn)
{
    char *piece = conn->wire->piece;
    ssize_t n = recv(conn->fd, piece, PIECE_BYTES, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        lose(conn, n < 0 ? strerror(errno) : "the server has closed the connection");
    } else if (conn->state == CONN_STREAM) {
        if (!take_stream(conn, piece, (size_t)n))
            lose(conn, "the stream has ended");
    } else {
        rv_buf_add(&conn->in, piece, (size_t)n);
        take_answer(conn);
    }
}

void wire_serve(struct wire *wire, int64_t until_ns)
{
    struct epoll_event ready[READY_MAX];
    int64_t left_ns = until_ns - rv_monotonic_ns();
    struct timespec at_most = { 0 };
    int n;

    if (left_ns > 0)
        at_most = (struct timespec){ left_ns / 1000000000, left_ns % 1000000000 };
    n = epoll_pwait2(wire->epoll, ready, READY_MAX, &at_most, NULL);
    for (int i = 0; i < n; i++) {
        struct conn *conn = ready[i].data.ptr;

        if (conn->fd >= 0)
            take(conn);
    }
}
