#pragma once

/* A socket that says exactly what a test wants, and a server to say it to. Loopback only. */

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "runtime/http_server.h"
#include "support/rv_test.h"

static inline int dial(int port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

static inline void say(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

        if (n < 0)
            return; /* refused in the middle: what came back tells why */
        bytes += n;
        len -= (size_t)n;
    }
}

static inline void say_text(int fd, const char *text)
{
    say(fd, text, strlen(text));
}

/* Reads until @until has been seen, the other side has closed (true in @closed), or @ms are over.
 */
static inline size_t hear(int fd, char *into, size_t room, const char *until, int ms, bool *closed)
{
    int64_t end_ms = rv_monotonic_ms() + ms;
    size_t len = 0;

    *closed = false;
    into[0] = '\0';
    while (rv_monotonic_ms() < end_ms && len + 1 < room) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        ssize_t n;

        if (until && strstr(into, until))
            break;
        if (poll(&wait, 1, (int)(end_ms - rv_monotonic_ms())) <= 0)
            continue;
        n = recv(fd, into + len, room - 1 - len, 0);
        if (n <= 0) {
            *closed = true;
            break;
        }
        len += (size_t)n;
        into[len] = '\0';
    }
    return len;
}

static inline int status_of(const char *answer)
{
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0;
}
