#pragma once

/*
 * Http guard: what of a request head is refused before anything of it is believed. Pure.
 *
 * libmicrohttpd parses leniently and shows what it understood; the guard looks at that again, and
 * at the bytes themselves where the parser leaves them in place (rv_http_layout). It refuses:
 * other versions than 1.0 and 1.1, methods and names that are no tokens, control characters, a
 * target over 8 KiB, over 100 fields, over 32 KiB of head, Content-Length with Transfer-Encoding,
 * several of either, any coding but "chunked", several or malformed Hosts, folded lines, bare LF,
 * NUL, several spaces in the request line.
 *
 * Not seen: what libmicrohttpd refuses itself before it asks us (a line without a colon, an
 * invalid Content-Length, a bad chunk). Those are 4xx with its own HTML body and the
 * connection is closed. A bare LF after a chunk size passes.
 */

#include <stdbool.h>
#include <stddef.h>

enum {
    RV_HTTP_TARGET_MAX = 8 * 1024,
    RV_HTTP_HEAD_MAX = 32 * 1024,
    RV_HTTP_FIELDS_MAX = 100,
    RV_HTTP_TRAILERS_MAX = 8,
    RV_HTTP_ARGS_MAX = 100,
};

struct rv_http_field {
    const char *name, *value;
};

struct rv_http_head {
    const char *method, *target, *version;
    const struct rv_http_field *fields;
    size_t n_fields;
};

/* Why not. */
struct rv_http_no {
    int status;
    const char *message;
};

/* False, with @no filled, when the head must not be served. */
bool rv_http_guard(const struct rv_http_head *head, struct rv_http_no *no);
bool rv_http_guard_trailers(const struct rv_http_field *fields, size_t n, struct rv_http_no *no);

/*
 * Whether the head is what it seems: the parser cut the lines where they lay, so method, target,
 * version, names and values must follow each other in @bytes with exactly one separator, and
 * nothing else may be there. @target_len is its length before it was decoded in place.
 */
bool rv_http_layout(const struct rv_http_head *head, size_t target_len, size_t bytes);

/* The value of the one field of that name, NULL when there is none. */
const char *rv_http_field(const struct rv_http_field *fields, size_t n, const char *name);

/*
 * Splits @target into a decoded path and the raw query; both are written into @room, which has
 * strlen(@target) + 2 bytes. Dot segments, empty segments, encoded slashes, NUL, control
 * characters and invalid UTF-8 are refused. An absolute target must name @host.
 */
bool rv_http_target(const char *target, const char *host, char *room, const char **path,
                    char **query, struct rv_http_no *no);

/*
 * Decodes @query in place into at most RV_HTTP_ARGS_MAX names and values ("+" is a space; a name
 * without "=" has the value "").
 */
bool rv_http_args(char *query, struct rv_http_field *args, size_t *n, struct rv_http_no *no);
