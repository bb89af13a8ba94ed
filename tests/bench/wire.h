#pragma once

/*
 * Wire: many HTTP/1.1 connections on one epoll and one thread, as cheap as can be, so that what is
 * measured is the server. One request at a time on a connection; an answer that is
 * text/event-stream turns it into a stream of events for the rest of its life.
 *
 * Not a general client: it speaks to our gateway, which is strict about what it says.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire;
struct conn;

struct conn_ops {
    void (*on_reply)(struct conn *conn, int status, const char *body, size_t len);
    void (*on_stream)(struct conn *conn); /* 200: events will come */
    /* All lines of one event, without the blank one. Comments are passed over. */
    void (*on_event)(struct conn *conn, const char *frame, size_t len);
    void (*on_gone)(struct conn *conn, const char *why); /* a question or a stream is lost */
};

struct wire *wire_new(const char *host, int port);
void wire_free(struct wire *wire); /* after its connections */

/* Not connected before the first question; @owner is the caller's. Never free one in a callback. */
struct conn *conn_new(struct wire *wire, const struct conn_ops *ops, void *owner);
void conn_free(struct conn *conn);
void *conn_owner(const struct conn *conn);

/* Sends a whole request. A failure is told by on_gone, maybe before this returns. */
void conn_ask(struct conn *conn, const char *request, size_t len);

/* Gives up what it waits for, which on_gone is told. */
void conn_drop(struct conn *conn, const char *why);

/* Serves what has come, or waits for it, at most until @until_ns on the monotonic clock. */
void wire_serve(struct wire *wire, int64_t until_ns);
