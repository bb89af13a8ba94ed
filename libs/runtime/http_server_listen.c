/*
 * The listening socket, and a thread of our own that accepts. libmicrohttpd could do it, but its
 * MHD_quiesce_daemon() races with its worker threads and then aborts the process
 * ("Failed to remove listen FD from epoll set", 0.9.75); this way nothing has to be quiesced.
 */

#define _GNU_SOURCE /* accept4 */

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "base/time.h"
#include "runtime/http_server_inside.h"

enum { FULL_MS = 20 };

/* "127.0.0.1:8000", ":8000", "[::1]:8000", "localhost:8000" */
static rv_result resolve(struct rv_ctx *cx, const char *listen, struct addrinfo **found)
{
    const char *colon = strrchr(listen, ':');
    struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM };
    int64_t port;
    char *host;

    if (!colon || !rv_text_int(colon + 1, &port) || port < 0 || port > 65535)
        return rv_fail(cx, RV_INVALID, "%s is not host:port to listen on", listen);
    host = rv_strndup(cx, listen, (size_t)(colon - listen));
    if (*host == '[' && host[strlen(host) - 1] == ']') {
        host[strlen(host) - 1] = '\0';
        host++;
    }
    if (getaddrinfo(*host ? host : NULL, colon + 1, &hints, found) != 0)
        return rv_fail(cx, RV_INVALID, "%s is not an address to listen on", listen);
    return RV_OK;
}

static int listen_at(const struct addrinfo *at)
{
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1, no = 0;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (at->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, 1024) == 0)
        return fd;
    yes = errno;
    close(fd);
    errno = yes;
    return -1;
}

static int port_of(int fd)
{
    struct sockaddr_storage address = { 0 };
    socklen_t len = sizeof(address);
    char port[16] = "0";

    getsockname(fd, (struct sockaddr *)&address, &len);
    getnameinfo((struct sockaddr *)&address, len, NULL, 0, port, sizeof(port), NI_NUMERICSERV);
    return atoi(port);
}

/* IPv6 first: on Linux such a socket hears IPv4 as well. */
rv_result rv_http_listen(struct rv_ctx *cx, struct rv_http_server *server)
{
    struct addrinfo *found = NULL;

    RV_TRY(cx, resolve(cx, server->options.listen, &found));
    for (int pass = 0; pass < 2; pass++)
        for (struct addrinfo *at = found; at && server->listener < 0; at = at->ai_next)
            if ((at->ai_family == AF_INET6) == (pass == 0))
                server->listener = listen_at(at);
    freeaddrinfo(found);
    if (server->listener < 0)
        return rv_fail(cx, RV_UNAVAILABLE, "cannot listen on %s: %s", server->options.listen,
                       strerror(errno));
    server->port = port_of(server->listener);
    return RV_OK;
}

/*
 * At the limit new connections wait in the kernel instead of being turned away. They are counted
 * when libmicrohttpd has begun with them, so a burst may pass by a few.
 */
static bool has_room(struct rv_http_server *server)
{
    bool room;

    pthread_mutex_lock(&server->lock);
    room = server->n_connections < server->options.connections;
    pthread_mutex_unlock(&server->lock);
    return room;
}

static void take_one(struct rv_http_server *server)
{
    struct sockaddr_storage address = { 0 };
    struct sockaddr *from = (struct sockaddr *)&address;
    socklen_t len = sizeof(address);
    int fd = accept4(server->listener, from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= 0)
        MHD_add_connection(server->daemon, fd, from, len); /* closes it when it cannot */
    else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
        rv_sleep_ms(FULL_MS); /* no files or memory left, for now */
}

static void *listen_on(void *arg)
{
    struct rv_http_server *server = arg;
    struct pollfd wait = { .fd = server->listener, .events = POLLIN };

    while (!atomic_load(&server->stopping)) {
        if (poll(&wait, 1, -1) <= 0 || atomic_load(&server->stopping))
            continue;
        if (has_room(server))
            take_one(server);
        else
            rv_sleep_ms(FULL_MS);
    }
    return NULL;
}

rv_result rv_http_listen_start(struct rv_ctx *cx, struct rv_http_server *server)
{
    if (pthread_create(&server->acceptor, NULL, listen_on, server) != 0)
        return rv_fail(cx, RV_INTERNAL, "cannot start a thread");
    return RV_OK;
}

void rv_http_listen_stop(struct rv_http_server *server)
{
    atomic_store(&server->stopping, true);
    shutdown(server->listener, SHUT_RDWR); /* wakes the poll, refuses new connections */
    pthread_join(server->acceptor, NULL);
}
