/* Answers: what goes out, and who gives it. The only file that builds responses. */

#include "runtime/http_server_inside.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

static bool given(const struct rv_http_header_row *headers, const char *name)
{
    for (; headers && headers->name; headers++)
        if (strcasecmp(headers->name, name) == 0)
            return true;
    return false;
}

void rv_http_response_rows(struct MHD_Response *response, const struct rv_http_request *request,
                           const char *content_type, const struct rv_http_header_row *headers)
{
    if (content_type)
        MHD_add_response_header(response, "Content-Type", content_type);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (!given(headers, "Cache-Control"))
        MHD_add_response_header(response, "Cache-Control", "no-store");
    if (!given(headers, "X-Request-Id"))
        MHD_add_response_header(response, "X-Request-Id", request->id);
    for (; headers && headers->name; headers++)
        MHD_add_response_header(response, headers->name, headers->value);
}

struct MHD_Response *rv_http_response(struct rv_http_request *request, const char *content_type,
                                      const struct rv_http_header_row *headers, const void *body,
                                      size_t len)
{
    /* The library copies and does not change what it is given, but says void *. */
    union {
        const void *theirs;
        void *ours;
    } bytes = { .theirs = body };
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, bytes.ours, MHD_RESPMEM_MUST_COPY);

    rv_http_response_rows(response, request, content_type, headers);
    request->response_bytes = len;
    return response;
}

static bool claim(struct rv_http_request *request)
{
    return !atomic_exchange(&request->answered, true);
}

void rv_http_answer(struct rv_http_request *request, int status, const char *content_type,
                    const struct rv_http_header_row *headers, const void *body, size_t len)
{
    if (claim(request)) {
        request->status = status;
        request->response = rv_http_response(request, content_type, headers, body, len);
        MHD_resume_connection(request->mhd);
    }
    rv_http_request_let_go(request);
}

/* The word for a status that the server itself says: that of the status table, where it has one. */
static const char *code_of(int status)
{
    for (enum rv_status s = RV_INVALID; s <= RV_TIMEOUT; s++)
        if (rv_status_http(s) == status)
            return rv_status_text(s);
    return status == 414 || status == 431 ? "too_large" : "invalid";
}

static void write_error(struct rv_buf *text, const struct rv_http_request *request,
                        const struct rv_http_no *no)
{
    rv_buf_printf(text, "{\"error\":{\"code\":\"%s\",\"message\":", code_of(no->status));
    rv_buf_json(text, no->message);
    rv_buf_printf(text, "},\"request_id\":\"%s\"}", request->id);
}

/* @closes: framing is in doubt, or nobody will be here for the next request. */
void rv_http_say(struct rv_http_request *request, const struct rv_http_no *no, bool closes)
{
    struct rv_http_header_row rows[3] = { 0 };
    auto_buf text = { 0 };
    size_t n = 0;

    if (closes)
        rows[n++] = (struct rv_http_header_row){ "Connection", "close" };
    if (no->status == 503)
        rows[n++] = (struct rv_http_header_row){ "Retry-After", "1" };
    atomic_store(&request->answered, true);
    write_error(&text, request, no);
    request->status = no->status;
    request->response = rv_http_response(request, "application/json", rows, text.data, text.len);
}

/*
 * libmicrohttpd takes no answer in the middle of a body. Nothing has been sent yet, so these few
 * bytes fit into the socket; the rest of the body is read and dropped until the sweeper cuts it.
 */
void rv_http_say_raw(struct rv_http_request *request, const struct rv_http_no *no)
{
    auto_buf body = { 0 }, text = { 0 };

    atomic_store(&request->answered, true);
    write_error(&body, request, no);
    rv_buf_printf(&text,
                  "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Type: application/json\r\n"
                  "Content-Length: %zu\r\nX-Content-Type-Options: nosniff\r\n"
                  "Cache-Control: no-store\r\nX-Request-Id: %s\r\n%s\r\n",
                  no->status, MHD_get_reason_phrase_for((unsigned)no->status), body.len,
                  request->id, no->status == 503 ? "Retry-After: 1\r\n" : "");
    rv_buf_add(&text, body.data, body.len);
    if (send(request->connection->fd, text.data, text.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        shutdown(request->connection->fd, SHUT_RDWR);
}

void rv_http_turn_away(struct rv_http_request *request, const struct rv_http_no *no)
{
    if (claim(request)) {
        rv_http_say(request, no, false);
        MHD_resume_connection(request->mhd);
    }
    rv_http_request_let_go(request);
}

void rv_http_give_up(struct rv_http_request *request)
{
    static const struct rv_http_no no = { 503, "the server is stopping" };

    if (!request->handed || !claim(request))
        return;
    rv_http_say(request, &no, true);
    MHD_resume_connection(request->mhd);
}
