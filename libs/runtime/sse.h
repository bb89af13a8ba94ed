#pragma once

/* Sse: server-sent events as text, both ways (WHATWG HTML, specs/http-api.md §6). Pure. */

#include <stdbool.h>

#include "base/buf.h"

/* Appends one event. @id and @event may be NULL; newlines in @data become several data lines. */
void rv_sse_write(struct rv_buf *into, const char *id, const char *event, const char *data);
void rv_sse_comment(struct rv_buf *into, const char *text);

/* Reads a stream in pieces cut anywhere. Lines end with LF, CR or CRLF; a BOM is skipped. */
struct rv_sse_reader;
struct rv_sse_event {
    const char *event; /* "message" when not named */
    const char *id;    /* the last one seen; "" when none */
    const char *data;
    size_t len;
};
struct rv_sse_reader *rv_sse_reader_new(size_t event_bytes_max);
void rv_sse_reader_free(struct rv_sse_reader *reader); /* NULL is fine */

/* Feeds a piece; @each sees every complete event, false stops. False when an event is too large
 * or @each said so. */
bool rv_sse_feed(struct rv_sse_reader *reader, const char *bytes, size_t len,
                 bool (*each)(void *arg, const struct rv_sse_event *event), void *arg);
