/* Streams: answers that never end by themselves. */

#include <microhttpd.h>
#include <stdlib.h>

#include "runtime/http_server_inside.h"

/*
 * The one word that both sides change: the reader sleeps only if nobody has woken it since it began
 * to fill, and whoever wakes a sleeper resumes the connection, once. So no wake is lost, and no
 * lock is held while the owner's code runs.
 */
enum { FILLING, WOKEN, ASLEEP };

struct rv_http_stream {
    struct rv_http_stream_ops ops;
    void *arg;
    struct rv_http_server *server;
    struct MHD_Connection *mhd;
    atomic_int state;
    atomic_bool ending;
};

static ssize_t read_more(void *arg, uint64_t position, char *into, size_t room)
{
    struct rv_http_stream *stream = arg;
    int filling = FILLING;
    long n;

    (void)position;
    do {
        atomic_store(&stream->state, FILLING);
        if (atomic_load(&stream->ending) || atomic_load(&stream->server->stopping))
            return MHD_CONTENT_READER_END_OF_STREAM;
        n = stream->ops.fill(stream->arg, into, room);
        if (n != 0)
            return n < 0 ? MHD_CONTENT_READER_END_OF_STREAM : n;
    } while (atomic_load(&stream->state) == WOKEN);

    MHD_suspend_connection(stream->mhd);
    if (!atomic_compare_exchange_strong(&stream->state, &filling, ASLEEP))
        MHD_resume_connection(stream->mhd);
    return 0;
}

void rv_http_wake(struct rv_http_stream *stream)
{
    if (atomic_exchange(&stream->state, WOKEN) == ASLEEP)
        MHD_resume_connection(stream->mhd);
}

void rv_http_stream_end(struct rv_http_stream *stream)
{
    atomic_store(&stream->ending, true);
    rv_http_wake(stream);
}

void rv_http_stream_free(struct rv_http_stream *stream)
{
    stream->ops.closed(stream->arg);
    free(stream);
}

/* Texts and body are not needed any more, and a stream may live for an hour. */
static void slim(struct rv_http_request *request)
{
    rv_http_body_release(request);
    rv_arena_free(request->arena);
    request->arena = NULL;
    request->fields = request->args = NULL;
    request->n_fields = request->n_args = 0;
    request->method = request->path = request->client = request->target = "";
}

struct rv_http_stream *rv_http_stream(struct rv_http_request *request, const char *content_type,
                                      const struct rv_http_header_row *headers,
                                      const struct rv_http_stream_ops *ops, void *arg)
{
    struct rv_http_stream *stream = NULL;

    if (!atomic_exchange(&request->answered, true)) {
        stream = calloc(1, sizeof(*stream));
        if (!stream)
            abort();
        *stream =
            (struct rv_http_stream){ *ops, arg, request->server, request->mhd, FILLING, false };
        request->status = 200;
        request->response =
            MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1024, read_more, stream, NULL);
        rv_http_response_rows(request->response, request, content_type, headers);
        slim(request);
        pthread_mutex_lock(&request->server->lock);
        request->stream = stream;
        pthread_mutex_unlock(&request->server->lock);
        MHD_resume_connection(request->mhd);
    }
    rv_http_request_let_go(request);
    return stream;
}
