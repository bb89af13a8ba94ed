#pragma once

/* How tests speak to a gateway: one request a connection, every byte as it comes. */

#include "base/ctx.h"
#include "runtime/json.h"

struct said {
    int status; /* 0: no answer */
    const char *head, *body;
    json_t *json; /* NULL: no JSON */
};

/* @key NULL: none. @headers: whole lines with \r\n, or NULL. @body NULL: none. */
struct said ask_gateway(struct rv_ctx *cx, int port, const char *key, const char *method,
                        const char *path, const char *headers, const char *body);

/* Opens a stream and returns its socket; and reads it until @until was seen or @ms are over. */
int open_stream(struct rv_ctx *cx, int port, const char *key, const char *path,
                const char *headers);
const char *hear_stream(struct rv_ctx *cx, int fd, const char *until, int ms, bool *ended);

const char *text_at(const struct said *said, const char *path); /* NULL: not there */
bool has_header(const struct said *said, const char *line);     /* "Retry-After: 1" */
