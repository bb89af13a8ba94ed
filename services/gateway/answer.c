#include "answer.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/place.h"

enum { ROWS_MAX = 10, RETRY_AFTER_MS = 1000 };

struct rows {
    struct rv_http_header_row items[ROWS_MAX + 1];
    size_t n;
};

static void add_row(struct rows *rows, const char *name, const char *value)
{
    if (value && rows->n < ROWS_MAX)
        rows->items[rows->n++] = (struct rv_http_header_row){ name, value };
}

static const char *said(const struct rv_error *error)
{
    return *error->text ? rv_error_said(error) : rv_status_text(error->status);
}

/* The members of the JSON object @json, without its braces, after a comma. */
static void add_members(struct rv_buf *body, const char *json)
{
    size_t len = json ? strlen(json) : 0;

    if (len <= 2)
        return;
    rv_buf_char(body, ',');
    rv_buf_add(body, json + 1, len - 2);
}

static void add_details(struct rv_buf *body, const struct rv_error *error)
{
    unsigned n = error->n_details < RV_DETAILS_MAX ? error->n_details : RV_DETAILS_MAX;

    rv_buf_text(body, ",\"details\":[");
    for (unsigned i = 0; i < n; i++) {
        rv_buf_text(body, i ? ",{\"path\":" : "{\"path\":");
        rv_buf_json(body, error->details[i].path);
        rv_buf_text(body, ",\"message\":");
        rv_buf_json(body, error->details[i].message);
        rv_buf_char(body, '}');
    }
    rv_buf_char(body, ']');
}

void answer_write_error(struct rv_buf *body, const struct rv_error *error, const char *request_id)
{
    rv_buf_text(body, "{\"error\":{\"code\":");
    rv_buf_json(body, rv_status_text(error->status));
    rv_buf_text(body, ",\"message\":");
    rv_buf_json(body, said(error));
    if (error->n_details > 0)
        add_details(body, error);
    if (error->hint) {
        rv_buf_text(body, ",\"hint\":");
        rv_buf_json(body, error->hint);
    }
    add_members(body, error->reason);
    rv_buf_text(body, "},\"request_id\":");
    rv_buf_json(body, request_id);
    rv_buf_char(body, '}');
}

/* "spec.nodes[2].url" → "#/spec/nodes/2/url" */
static void add_pointer(struct rv_buf *body, const char *path)
{
    struct rv_place_step step;
    auto_buf pointer = { 0 };

    rv_buf_char(&pointer, '#');
    while (path && *path && rv_place_next(&path, &step)) {
        rv_buf_char(&pointer, '/');
        if (!step.is_key)
            rv_buf_printf(&pointer, "%zu", step.index);
        for (const char *c = step.key; step.is_key && *c; c++)
            if (*c == '~' || *c == '/')
                rv_buf_text(&pointer, *c == '~' ? "~0" : "~1");
            else
                rv_buf_char(&pointer, *c);
    }
    rv_buf_json(body, pointer.data);
}

static void add_pointers(struct rv_buf *body, const struct rv_error *error)
{
    unsigned n = error->n_details < RV_DETAILS_MAX ? error->n_details : RV_DETAILS_MAX;

    rv_buf_text(body, ",\"errors\":[");
    for (unsigned i = 0; i < n; i++) {
        rv_buf_text(body, i ? ",{\"pointer\":" : "{\"pointer\":");
        add_pointer(body, error->details[i].path);
        rv_buf_text(body, ",\"detail\":");
        rv_buf_json(body, error->details[i].message);
        rv_buf_char(body, '}');
    }
    rv_buf_char(body, ']');
}

/* "method_not_allowed" → "Method not allowed" */
static void add_title(struct rv_buf *body, const char *word)
{
    rv_buf_printf(body, ",\"title\":\"%c", toupper((unsigned char)*word));
    for (const char *c = word + 1; *c; c++)
        rv_buf_char(body, *c == '_' ? ' ' : *c);
    rv_buf_char(body, '"');
}

void answer_write_problem(struct rv_buf *body, const struct rv_error *error, const char *request_id,
                          const char *path)
{
    const char *word = rv_status_text(error->status);

    rv_buf_printf(body, "{\"type\":\"/problems/%s\"", word);
    add_title(body, word);
    rv_buf_printf(body, ",\"status\":%d,\"detail\":", rv_status_http(error->status));
    rv_buf_json(body, said(error));
    rv_buf_text(body, ",\"instance\":");
    rv_buf_json(body, path);
    rv_buf_printf(body, ",\"code\":\"%s\",\"request_id\":", word);
    rv_buf_json(body, request_id);
    if (error->n_details > 0)
        add_pointers(body, error);
    if (error->hint) {
        rv_buf_text(body, ",\"hint\":");
        rv_buf_json(body, error->hint);
    }
    add_members(body, error->reason);
    rv_buf_char(body, '}');
}

static bool wants_problem(const struct rv_http_request *request)
{
    const char *accept = rv_http_header(request, "Accept");

    return accept && strstr(accept, "application/problem+json");
}

static const char *retry_after(struct rv_ctx *cx, const struct rv_error *error)
{
    int http = rv_status_http(error->status);
    int64_t ms = error->retry_after_ms > 0 ? error->retry_after_ms : RETRY_AFTER_MS;

    if (http != 503 && http != 429)
        return NULL;
    return rv_printf(cx, "%lld", (long long)((ms + 999) / 1000));
}

void answer_failure(struct rv_ctx *cx, struct rv_http_request *request,
                    const struct rv_error *error, const struct rv_http_header_row *more)
{
    bool problem = wants_problem(request);
    struct rows rows = { 0 };
    auto_buf body = { 0 };

    if (problem)
        answer_write_problem(&body, error, rv_http_request_id(request), rv_http_path(request));
    else
        answer_write_error(&body, error, rv_http_request_id(request));
    add_row(&rows, "Retry-After", retry_after(cx, error));
    if (more)
        add_row(&rows, more->name, more->value);
    if (error->status == RV_UNAUTHENTICATED)
        add_row(&rows, "WWW-Authenticate", "Bearer realm=\"reeve\"");
    rv_http_answer(request, rv_status_http(error->status),
                   problem ? "application/problem+json" : "application/json", rows.items, body.data,
                   body.len);
}

static rv_result write_page(struct rv_ctx *cx, const struct rv_record *record,
                            const struct page *page, const char **text)
{
    const char *items;

    RV_TRY(cx, rv_json_write_list(cx, (struct rv_in){ record, page->items, page->n }, &items));
    *text =
        rv_printf(cx, "{\"data\":%s,\"has_more\":%s,\"next_cursor\":%s%s%s}", items,
                  page->has_more ? "true" : "false", page->next_cursor ? "\"" : "",
                  page->next_cursor ? page->next_cursor : "null", page->next_cursor ? "\"" : "");
    return RV_OK;
}

static rv_result write_body(struct rv_ctx *cx, const struct rv_route *route, const void *out,
                            const char **text)
{
    if (route->list)
        return write_page(cx, route->out, out, text);
    if (route->out)
        return rv_json_write(cx, (struct rv_in){ route->out, out, 1 }, text);
    *text = "";
    return RV_OK;
}

static bool is_known(const struct call *call)
{
    const char *known = rv_http_header(call->request, "If-None-Match");

    return call->etag && known && strcmp(call->route->method, "GET") == 0 &&
           (strcmp(known, "*") == 0 || strstr(known, call->etag) != NULL);
}

void answer_done(struct rv_ctx *cx, struct call *call, const void *out)
{
    int status = call->status ? call->status : call->route->status ? call->route->status : 200;
    struct rows rows = { 0 };
    const char *text = "";

    if (call->taken)
        return;
    if (is_known(call))
        status = 304;
    else if (write_body(cx, call->route, out, &text) != RV_OK) {
        answer_failure(cx, call->request, &cx->error, NULL);
        return;
    }
    add_row(&rows, "Location", call->location);
    add_row(&rows, "ETag", call->etag);
    add_row(&rows, "Idempotency-Replayed", call->replayed ? "true" : NULL);
    rv_http_answer(call->request, status, *text ? "application/json" : NULL, rows.items, text,
                   strlen(text));
}
