/* What was asked: the request object of http_server.h. */

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "runtime/http_server_inside.h"

static char *keep(struct rv_http_request *request, const char *text, size_t spare)
{
    size_t len = strlen(text);

    return memcpy(rv_arena_alloc(request->arena, len + 1 + spare), text, len);
}

/* @raw is about to be decoded in place, so it is copied now; the rest is read with the head. */
struct rv_http_request *rv_http_request_new(struct rv_http_server *server, const char *raw)
{
    struct rv_http_request *request = calloc(1, sizeof(*request));

    if (!request)
        abort();
    request->server = server;
    request->arena = rv_arena_new();
    request->raw = raw;
    request->target = keep(request, raw ? raw : "", 0);
    request->method = request->path = request->client = "";
    atomic_init(&request->holders, 1);
    rv_id_write(request->id);
    return request;
}

void rv_http_request_let_go(struct rv_http_request *request)
{
    if (atomic_fetch_sub(&request->holders, 1) > 1)
        return;
    if (request->drop)
        request->drop(request->attached);
    rv_buf_release(&request->body);
    rv_arena_free(request->arena);
    free(request);
}

bool rv_http_body_fits(const struct rv_http_request *request, size_t more)
{
    return atomic_load(&request->server->body_total) + more <= request->server->options.body_total;
}

void rv_http_body_add(struct rv_http_request *request, const void *bytes, size_t len)
{
    rv_buf_add(&request->body, bytes, len);
    atomic_fetch_add(&request->server->body_total, len);
    request->body_counted += len;
}

void rv_http_body_uncount(struct rv_http_request *request)
{
    atomic_fetch_sub(&request->server->body_total, request->body_counted);
    request->body_counted = 0;
}

void rv_http_body_release(struct rv_http_request *request)
{
    rv_http_body_uncount(request);
    rv_buf_release(&request->body);
}

static void read_id(struct rv_http_request *request)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:";
    const char *id = rv_http_header(request, "X-Request-Id");

    if (id && *id && strlen(id) < sizeof(request->id) && strspn(id, safe) == strlen(id))
        strcpy(request->id, id);
}

/* Copies the head: the parser's bytes go with the connection, the request may live longer. */
bool rv_http_request_read(struct rv_http_request *request, const struct rv_http_head *head,
                          struct rv_http_no *no)
{
    size_t room = strlen(request->target) + 2;
    const char *path;
    char *query;

    request->method = keep(request, head->method, 0);
    request->fields = rv_arena_array(request->arena, sizeof(*request->fields), head->n_fields + 1);
    for (; request->n_fields < head->n_fields; request->n_fields++) {
        const struct rv_http_field *field = &head->fields[request->n_fields];

        request->fields[request->n_fields] = (struct rv_http_field){
            keep(request, field->name, 0),
            keep(request, field->value, 0),
        };
    }
    read_id(request);
    if (!rv_http_target(request->target, rv_http_header(request, "Host"),
                        rv_arena_alloc(request->arena, room), &path, &query, no))
        return false;
    request->path = path;
    request->args =
        *query ? rv_arena_array(request->arena, sizeof(*request->args), RV_HTTP_ARGS_MAX) : NULL;
    return !*query || rv_http_args(query, request->args, &request->n_args, no);
}

const char *rv_http_method(const struct rv_http_request *request)
{
    return request->method;
}

const char *rv_http_path(const struct rv_http_request *request)
{
    return request->path;
}

const char *rv_http_header(const struct rv_http_request *request, const char *name)
{
    return rv_http_field(request->fields, request->n_fields, name);
}

struct rv_bytes rv_http_body(const struct rv_http_request *request)
{
    return (struct rv_bytes){ (const uint8_t *)request->body.data, request->body.len };
}

const char *rv_http_client(const struct rv_http_request *request)
{
    return request->client;
}

const char *rv_http_request_id(const struct rv_http_request *request)
{
    return request->id;
}

void rv_http_query(const struct rv_http_request *request,
                   bool (*each)(void *arg, const char *name, const char *value), void *arg)
{
    for (size_t i = 0; i < request->n_args; i++)
        if (!each(arg, request->args[i].name, request->args[i].value))
            return;
}

void rv_http_attach(struct rv_http_request *request, void *thing, void (*drop)(void *thing))
{
    request->attached = thing;
    request->drop = drop;
}

void *rv_http_attached(const struct rv_http_request *request)
{
    return request->attached;
}
