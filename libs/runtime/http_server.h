#pragma once

/*
 * Http server: libmicrohttpd in front of the pool's blocking workers, behind a strict guard.
 *
 * A complete request is handed to @take on a libmicrohttpd thread: it may only look and enqueue.
 * A worker answers it with rv_http_answer (any thread, once), or turns it into a stream with
 * rv_http_stream. Malformed framing (Content-Length with Transfer-Encoding, two lengths, unknown
 * codings, two Hosts, NUL, bad names …) is 400 and the connection is closed; specs/http-api.md,
 * RELIABILITY §4.1. Absolute deadlines: header 10 s, body 30 s + 64 KiB/s, idle 60 s.
 */

#include "base/ctx.h"
#include "base/record.h"

struct rv_http_server;
struct rv_http_request;

struct rv_http_options {
    const char *listen; /* "127.0.0.1:8000", ":8000", "[::1]:8000"; port 0: any, see rv_http_port */
    size_t threads;     /* those of libmicrohttpd; 0: 2 */
    size_t connections; /* at most */
    size_t connections_per_ip; /* at most; 0: no limit */
    size_t head_bytes; /* at most; more is 431; 0: 40 KiB. A kept connection costs 1.5 times that */
    size_t body_bytes; /* at most; more is 413 */
    size_t body_total; /* of all bodies together; more is 503 with Retry-After; 0: 256 MiB */
    int64_t header_ms, body_ms, idle_ms; /* 0: the defaults above */
    /* Takes the request over, or refuses (false): 503 with Retry-After. */
    bool (*take)(void *arg, struct rv_http_request *request);
    void *arg;
};

rv_result rv_http_open(struct rv_ctx *cx, const struct rv_http_options *options,
                       struct rv_http_server **server);
int rv_http_port(const struct rv_http_server *server);

/*
 * No new connections, and streams end; what waits may be answered for @grace_ms more, then it is
 * answered with 503. A request that was taken may still be answered after that: nobody hears it.
 */
void rv_http_close(struct rv_http_server *server, int64_t grace_ms);

/* What was asked. All texts live until it is answered. HEAD is HEAD; its answer loses its body. */
const char *rv_http_method(const struct rv_http_request *request);
const char *rv_http_path(const struct rv_http_request *request); /* decoded, normalised */
const char *rv_http_header(const struct rv_http_request *request, const char *name); /* or NULL */
struct rv_bytes rv_http_body(const struct rv_http_request *request);
const char *rv_http_client(const struct rv_http_request *request);     /* address as text */
const char *rv_http_request_id(const struct rv_http_request *request); /* theirs, or a new one */

/* Every query argument, decoded, in order; false ends the walk. */
void rv_http_query(const struct rv_http_request *request,
                   bool (*each)(void *arg, const char *name, const char *value), void *arg);

/* Room for whoever took it (the route that was found …); freed with the request by @drop. */
void rv_http_attach(struct rv_http_request *request, void *thing, void (*drop)(void *thing));
void *rv_http_attached(const struct rv_http_request *request);

struct rv_http_header_row {
    const char *name, *value;
};

/*
 * Answers once; copies everything. The request is gone afterwards. @headers ends with a row without
 * a name; NULL: none. X-Content-Type-Options, X-Request-Id and Cache-Control: no-store are always
 * there; the last two may be given. Whatever was taken must be answered, also on the way down.
 */
void rv_http_answer(struct rv_http_request *request, int status, const char *content_type,
                    const struct rv_http_header_row *headers, const void *body, size_t len);

/*
 * Answers 200 with a body that never ends by itself. @fill is called on a libmicrohttpd thread
 * whenever the client can take more: it copies at most @room bytes and returns how many; 0 means
 * nothing now (the stream sleeps until rv_http_wake), RV_STREAM_END ends it. @closed is called
 * exactly once, when the client has gone or the stream has ended; nothing is called after it.
 * No wake is lost. The stream is gone when @closed has returned, which may be before
 * rv_http_stream returns: hold a lock of your own around rv_http_stream and around every
 * rv_http_wake, and take it in @closed. NULL: the server is stopping, and nothing is called.
 */
enum { RV_STREAM_END = -1 };
struct rv_http_stream;
struct rv_http_stream_ops {
    long (*fill)(void *arg, char *into, size_t room);
    void (*closed)(void *arg);
};
struct rv_http_stream *rv_http_stream(struct rv_http_request *request, const char *content_type,
                                      const struct rv_http_header_row *headers,
                                      const struct rv_http_stream_ops *ops, void *arg);
void rv_http_wake(struct rv_http_stream *stream); /* any thread; @fill may take the same lock */
