/* From bytes to requests: libmicrohttpd's callbacks. All run on its own threads. */

#include "runtime/http_server_inside.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "runtime/http_server_front.h"

void rv_http_on_connection(void *arg, struct MHD_Connection *mhd, void **context,
                           enum MHD_ConnectionNotificationCode what)
{
    struct rv_http_server *server = arg;
    struct rv_http_connection *connection = *context;

    pthread_mutex_lock(&server->lock);
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = connection = calloc(1, sizeof(*connection));
        if (!connection)
            abort();
        connection->fd =
            MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        connection->phase = RV_HTTP_HEADING;
        connection->since_ms = rv_monotonic_ms();
        connection->next = server->connections;
        if (connection->next)
            connection->next->prev = connection;
        server->connections = connection;
        server->n_connections++;
    } else if (connection) {
        if (connection->prev)
            connection->prev->next = connection->next;
        else
            server->connections = connection->next;
        if (connection->next)
            connection->next->prev = connection->prev;
        server->n_connections--;
        free(connection);
    }
    pthread_mutex_unlock(&server->lock);
}

static struct rv_http_connection *connection_of(struct MHD_Connection *mhd)
{
    return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* The request line has come; its target is still as the client wrote it. */
void *rv_http_on_target(void *arg, const char *raw, struct MHD_Connection *mhd)
{
    struct rv_http_server *server = arg;
    struct rv_http_request *request = rv_http_request_new(server, raw);
    struct rv_http_connection *connection = connection_of(mhd);

    request->mhd = mhd;
    request->connection = connection;
    rv_http_phase(connection, server, RV_HTTP_HEADING, 0);
    pthread_mutex_lock(&server->lock);
    connection->request = request;
    server->n_requests++;
    pthread_mutex_unlock(&server->lock);
    return request;
}

void rv_http_on_completed(void *arg, struct MHD_Connection *mhd, void **context,
                          enum MHD_RequestTerminationCode why)
{
    struct rv_http_server *server = arg;
    struct rv_http_request *request = *context;

    (void)mhd;
    (void)why;
    if (!request)
        return;
    *context = NULL;
    pthread_mutex_lock(&server->lock);
    request->connection->request = NULL;
    server->n_requests--;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    rv_http_phase(request->connection, server, RV_HTTP_IDLE, 0);
    rv_http_body_uncount(request);
    request->connection = NULL;
    if (request->stream)
        rv_http_stream_free(request->stream);
    if (request->response)
        MHD_destroy_response(request->response);
    rv_http_request_let_go(request);
}

struct fields {
    struct rv_http_field rows[RV_HTTP_FIELDS_MAX + 1];
    size_t n;
};

static enum MHD_Result add_field(void *arg, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    struct fields *fields = arg;

    (void)kind;
    if (fields->n <= RV_HTTP_FIELDS_MAX)
        fields->rows[fields->n++] = (struct rv_http_field){ name, value ? value : "" };
    return MHD_YES;
}

/* The head as the parser understood it, checked and copied. */
static bool read_head(struct rv_http_request *request, const char *method, const char *version,
                      struct rv_http_no *no)
{
    size_t bytes =
        MHD_get_connection_info(request->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
    struct fields fields = { .n = 0 };
    struct rv_http_head head = { .method = method, .target = request->target, .version = version };

    MHD_get_connection_values(request->mhd, MHD_HEADER_KIND, add_field, &fields);
    head.fields = fields.rows;
    head.n_fields = fields.n;
    if (!rv_http_guard(&head, no))
        return false;
    *no = (struct rv_http_no){ 431, "the header is too large" };
    if (bytes > request->server->options.head_bytes)
        return false;
    *no = (struct rv_http_no){ 400, "the request is not framed cleanly" };
    head.target = request->raw;
    return rv_http_layout(&head, strlen(request->target), bytes) &&
           rv_http_request_read(request, &head, no);
}

static void read_client(struct rv_http_request *request)
{
    const struct sockaddr *address =
        MHD_get_connection_info(request->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    char *text = rv_arena_alloc(request->arena, INET6_ADDRSTRLEN);
    const void *bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;

    if (address->sa_family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    inet_ntop(address->sa_family, bytes, text, INET6_ADDRSTRLEN);
    request->client = strncmp(text, "::ffff:", 7) == 0 && strchr(text, '.') ? text + 7 : text;
}

static enum MHD_Result send_out(struct rv_http_request *request)
{
    request->queued = true;
    rv_http_phase(request->connection, request->server,
                  request->stream ? RV_HTTP_WORKING : RV_HTTP_SENDING, request->response_bytes);
    return MHD_queue_response(request->mhd, (unsigned)request->status, request->response);
}

static enum MHD_Result refuse(struct rv_http_request *request, const struct rv_http_no *no)
{
    rv_http_say(request, no, true);
    return send_out(request);
}

static const struct rv_http_no large = { 413, "the body is too large" };
static const struct rv_http_no crowded = { 503, "too much is being sent at once, try again" };

/* The head is there. A refusal now keeps the body from being read at all. */
static enum MHD_Result begin(struct rv_http_request *request, const char *method,
                             const char *version)
{
    struct rv_http_no no;
    const char *said;
    size_t length;

    request->begun = true;
    if (!read_head(request, method, version, &no))
        return refuse(request, &no);
    said = rv_http_header(request, "Content-Length");
    length = said ? strtoull(said, NULL, 10) : 0;
    if (length > request->server->options.body_bytes)
        return refuse(request, &large);
    if (length > 0 && !rv_http_body_fits(request, length))
        return refuse(request, &crowded);
    read_client(request);
    rv_http_phase(request->connection, request->server, RV_HTTP_READING, 0);
    return MHD_YES;
}

/* In the middle of a body: what came of it goes at once, the rest is not kept. */
static enum MHD_Result cut_short(struct rv_http_request *request, const struct rv_http_no *no)
{
    rv_http_body_release(request);
    rv_http_say_raw(request, no);
    rv_http_phase(request->connection, request->server, RV_HTTP_LEAVING, 0);
    return MHD_YES;
}

static enum MHD_Result collect(struct rv_http_request *request, const char *bytes, size_t *len)
{
    struct rv_http_connection *connection = request->connection;
    size_t n = *len;

    *len = 0; /* all of it is taken */
    if (connection->phase == RV_HTTP_LEAVING)
        return MHD_YES;
    if (request->body.len + n > request->server->options.body_bytes)
        return cut_short(request, &large);
    if (!rv_http_body_fits(request, n))
        return cut_short(request, &crowded);
    rv_http_body_add(request, bytes, n);
    rv_http_phase(connection, request->server, RV_HTTP_READING, request->body.len);
    return MHD_YES;
}

/* Suspends first: the answer may come from another thread before take() has returned. */
static enum MHD_Result hand_over(struct rv_http_request *request)
{
    static const struct rv_http_no stopping = { 503, "the server is stopping" };
    static const struct rv_http_no busy = { 503, "too much is waiting, try again" };
    struct rv_http_server *server = request->server;

    rv_http_phase(request->connection, server, RV_HTTP_WORKING, 0);
    pthread_mutex_lock(&server->lock);
    if (atomic_load(&server->stopping)) {
        pthread_mutex_unlock(&server->lock);
        return refuse(request, &stopping);
    }
    request->handed = true;
    atomic_store(&request->holders, 2);
    MHD_suspend_connection(request->mhd);
    pthread_mutex_unlock(&server->lock);

    if (!server->options.take(server->options.arg, request))
        rv_http_turn_away(request, &busy);
    return MHD_YES;
}

static enum MHD_Result finish(struct rv_http_request *request)
{
    struct fields trailers = { .n = 0 };
    struct rv_http_no no;

    if (request->connection->phase == RV_HTTP_LEAVING)
        return MHD_NO; /* it has been told already */
    MHD_get_connection_values(request->mhd, MHD_FOOTER_KIND, add_field, &trailers);
    if (!rv_http_guard_trailers(trailers.rows, trailers.n, &no))
        return refuse(request, &no);
    return hand_over(request);
}

enum MHD_Result rv_http_on_request(void *arg, struct MHD_Connection *mhd, const char *url,
                                   const char *method, const char *version, const char *bytes,
                                   size_t *len, void **context)
{
    struct rv_http_request *request = *context;

    (void)arg;
    (void)mhd;
    (void)url;
    if (!request->begun)
        return begin(request, method, version);
    if (request->queued) {
        *len = 0;
        return MHD_YES;
    }
    if (*len > 0)
        return collect(request, bytes, len);
    if (!request->handed)
        return finish(request);
    return send_out(request);
}
