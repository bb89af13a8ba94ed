#pragma once

/* Http server, seen from inside: what its files share, and what unit tests of routes build. */

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "runtime/http_guard.h"
#include "runtime/http_server.h"

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;

/* Where a connection is; each phase has its deadline (http_server_sweep.c). */
enum rv_http_phase {
    RV_HTTP_IDLE,    /* between two requests */
    RV_HTTP_HEADING, /* the head is coming */
    RV_HTTP_READING, /* the body is coming */
    RV_HTTP_WORKING, /* somebody is to answer: no deadline of ours */
    RV_HTTP_SENDING, /* the answer goes out */
    RV_HTTP_LEAVING, /* refused in the middle of a body: said, about to be cut */
};

struct rv_http_connection {
    struct rv_http_connection *prev, *next;
    int fd;
    enum rv_http_phase phase;
    int64_t since_ms;
    uint64_t seen_bytes; /* what had come when it became idle */
    size_t moved;        /* bytes of body or answer: what the deadline allows time for */
    struct rv_http_request *request;
};

/*
 * A request has two holders: libmicrohttpd until it has completed, and whoever took it until the
 * answer. The first of taker and rv_http_close to set @answered gives the answer.
 */
struct rv_http_request {
    struct rv_http_server *server;
    struct rv_http_connection *connection;
    struct MHD_Connection *mhd;
    atomic_int holders;
    atomic_bool answered;
    bool begun, handed, queued;
    size_t body_counted;

    struct rv_arena *arena; /* of all texts */
    const char *raw;        /* the target where the parser has it; it is decoded in place later */
    const char *target, *method, *path, *client;
    struct rv_http_field *fields, *args;
    size_t n_fields, n_args;
    struct rv_buf body; /* counted in the server's body_total */
    char id[64];        /* X-Request-Id: theirs when it is harmless, else ours */

    int status;
    struct MHD_Response *response;
    size_t response_bytes;
    struct rv_http_stream *stream;
    void *attached;
    void (*drop)(void *thing);
};

struct rv_http_server {
    struct rv_http_options options;
    struct MHD_Daemon *daemon;
    int listener, port;
    atomic_bool stopping;
    atomic_size_t body_total; /* bytes of bodies whose requests are not completed */
    pthread_mutex_t lock;     /* of the list and what hangs in it; may be held when calling MHD */
    pthread_cond_t changed;   /* a request has ended: for whoever stops the server */
    pthread_cond_t halt;      /* of the sweeper; its own, or every request would wake it */
    struct rv_http_connection *connections;
    size_t n_connections, n_requests; /* a request: from its first line to its completion */
    pthread_t acceptor, sweeper;
    bool sweeping;
};

/* http_server_listen.c */
rv_result rv_http_listen(struct rv_ctx *cx, struct rv_http_server *server);
rv_result rv_http_listen_start(struct rv_ctx *cx, struct rv_http_server *server);
void rv_http_listen_stop(struct rv_http_server *server);

/* http_server_sweep.c */
void rv_http_phase(struct rv_http_connection *connection, struct rv_http_server *server,
                   enum rv_http_phase phase, size_t moved);
rv_result rv_http_sweep_start(struct rv_ctx *cx, struct rv_http_server *server);
void rv_http_sweep_stop(struct rv_http_server *server);

/* http_server_request.c */
struct rv_http_request *rv_http_request_new(struct rv_http_server *server, const char *raw);
void rv_http_request_let_go(struct rv_http_request *request);

/* The body, counted as long as the connection is with its request: a taker that is late may still
 * hold it when the server has gone. False: all bodies together would be too large. */
bool rv_http_body_fits(const struct rv_http_request *request, size_t more);
void rv_http_body_add(struct rv_http_request *request, const void *bytes, size_t len);
void rv_http_body_uncount(struct rv_http_request *request);
void rv_http_body_release(struct rv_http_request *request); /* and uncounts it */
bool rv_http_request_read(struct rv_http_request *request, const struct rv_http_head *head,
                          struct rv_http_no *no);

/* http_server_answer.c */
struct MHD_Response *rv_http_response(struct rv_http_request *request, const char *content_type,
                                      const struct rv_http_header_row *headers, const void *body,
                                      size_t len);
void rv_http_response_rows(struct MHD_Response *response, const struct rv_http_request *request,
                           const char *content_type, const struct rv_http_header_row *headers);
void rv_http_say(struct rv_http_request *request, const struct rv_http_no *no, bool closes);
void rv_http_say_raw(struct rv_http_request *request, const struct rv_http_no *no);   /* at once */
void rv_http_turn_away(struct rv_http_request *request, const struct rv_http_no *no); /* as taker */
void rv_http_give_up(struct rv_http_request *request); /* 503, unless answered; needs the lock */

/* http_server_stream.c */
void rv_http_stream_end(struct rv_http_stream *stream);
void rv_http_stream_free(struct rv_http_stream *stream); /* calls closed */
