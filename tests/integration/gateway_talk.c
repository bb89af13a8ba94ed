#define _GNU_SOURCE /* strcasestr */
#include "gateway_talk.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/time.h"

enum { WAIT_MS = 20000 };

static int dial(int port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void say(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

        if (n <= 0)
            return; /* refused in the middle: what comes back says why */
        bytes += n;
        len -= (size_t)n;
    }
}

static void send_request(int fd, const char *version, const char *key, const char *method,
                         const char *path, const char *headers, const char *body)
{
    auto_buf text = { 0 };

    rv_buf_printf(&text, "%s %s %s\r\nHost: test\r\nConnection: close\r\n", method, path, version);
    if (key)
        rv_buf_printf(&text, "Authorization: Bearer %s\r\n", key);
    if (headers)
        rv_buf_text(&text, headers);
    if (body && !(headers && strcasestr(headers, "Content-Type:")))
        rv_buf_text(&text, "Content-Type: application/json\r\n");
    if (body)
        rv_buf_printf(&text, "Content-Length: %zu\r\n", strlen(body));
    rv_buf_text(&text, "\r\n");
    if (body)
        rv_buf_text(&text, body);
    say(fd, text.data, text.len);
}

static bool hear(int fd, struct rv_buf *into, const char *until, int64_t end_ms)
{
    char bytes[16384];

    while (rv_monotonic_ms() < end_ms && !(until && into->data && strstr(into->data, until))) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        ssize_t n;

        if (poll(&wait, 1, (int)(end_ms - rv_monotonic_ms())) <= 0)
            continue;
        n = recv(fd, bytes, sizeof(bytes), 0);
        if (n <= 0)
            return true;
        rv_buf_add(into, bytes, (size_t)n);
    }
    return false;
}

struct said ask_gateway(struct rv_ctx *cx, int port, const char *key, const char *method,
                        const char *path, const char *headers, const char *body)
{
    struct said said = { 0, "", "", NULL };
    int fd = dial(port);
    auto_buf text = { 0 };
    char *split;

    if (fd < 0)
        return said;
    send_request(fd, "HTTP/1.1", key, method, path, headers, body);
    hear(fd, &text, NULL, rv_monotonic_ms() + WAIT_MS);
    close(fd);
    if (!text.data || strncmp(text.data, "HTTP/1.1 ", 9) != 0)
        return said;
    split = strstr(text.data, "\r\n\r\n");
    said.status = atoi(text.data + 9);
    said.head = rv_strndup(cx, text.data, (size_t)(split - text.data) + 2);
    said.body = rv_strdup(cx, split + 4);
    if (*said.body == '{' &&
        rv_json_parse(cx, said.body, strlen(said.body), "answer", &said.json) != RV_OK)
        said.json = NULL;
    cx->error = (struct rv_error){ 0 };
    return said;
}

int open_stream(struct rv_ctx *cx, int port, const char *key, const char *path, const char *headers)
{
    int fd = dial(port);

    /* 1.0 has no chunks, whose heads would stand in the middle of what is looked for. */
    send_request(fd, "HTTP/1.0", key, "GET", path,
                 rv_printf(cx, "Accept: text/event-stream\r\n%s", headers ? headers : ""), NULL);
    return fd;
}

const char *hear_stream(struct rv_ctx *cx, int fd, const char *until, int ms, bool *ended)
{
    auto_buf text = { 0 };

    *ended = hear(fd, &text, until, rv_monotonic_ms() + ms);
    return text.data ? rv_strndup(cx, text.data, text.len) : "";
}

const char *text_at(const struct said *said, const char *path)
{
    return json_string_value(said->json ? rv_json_at(said->json, path) : NULL);
}

bool has_header(const struct said *said, const char *line)
{
    return strcasestr(said->head, line) != NULL;
}
