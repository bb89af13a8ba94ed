#define _GNU_SOURCE

#include "folder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "runtime/secret.h"

enum { PORT_FIRST = 20000, PORT_COUNT = 12000 }; /* below what the kernel gives to clients */

static bool add_line(struct rv_buf *out, const char *line, const char *name, int64_t *port)
{
    size_t len = strlen(name);

    if (strncmp(line, name, len) == 0 && line[len] == '=') {
        *port = atoll(line + len + 1);
        return true;
    }
    if (out)
        rv_buf_text(out, line);
    return false;
}

/* Finds the line of @name; @others, when not NULL, gets all other lines. */
static int64_t read_ports(const char *data, const char *name, struct rv_buf *others)
{
    char path[4096], line[128];
    int64_t port = 0;
    FILE *file;

    snprintf(path, sizeof(path), "%s/ports", data);
    file = fopen(path, "r");
    while (file && fgets(line, sizeof(line), file))
        add_line(others, line, name, &port);
    if (file)
        fclose(file);
    return port;
}

int64_t folder_port(const char *data, const char *name)
{
    return read_ports(data, name, NULL);
}

rv_result folder_port_keep(struct rv_ctx *cx, const char *data, const char *name, int64_t port)
{
    auto_buf text = { 0 };

    if (read_ports(data, name, &text) == port)
        return RV_OK;
    rv_buf_printf(&text, "%s=%" PRId64 "\n", name, port);
    return folder_write(cx, rv_printf(cx, "%s/ports", data), 0644, text.data);
}

bool folder_port_is_free(int64_t port)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
              bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;

    if (fd >= 0)
        close(fd);
    return ok;
}

bool folder_port_claim(int64_t port)
{
    static bool claimed[UINT16_MAX + 1];

    if (port <= 0 || port > UINT16_MAX || claimed[port] || !folder_port_is_free(port))
        return false;
    claimed[port] = true;
    return true;
}

int64_t folder_port_free(void)
{
    for (int tries = 0; tries < 1000; tries++) {
        uint16_t draw;
        int64_t port;

        rv_random(&draw, sizeof(draw));
        port = PORT_FIRST + draw % PORT_COUNT;
        if (folder_port_claim(port))
            return port;
    }
    return 0;
}

int64_t folder_owner(const char *data)
{
    char path[4096], text[32] = "";
    int fd;
    ssize_t n;
    bool taken;

    snprintf(path, sizeof(path), "%s/lock", data);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    taken = flock(fd, LOCK_SH | LOCK_NB) != 0;
    n = taken ? read(fd, text, sizeof(text) - 1) : 0;
    close(fd);
    return n > 0 ? atoll(text) : 0;
}

static rv_result make_folder(struct rv_ctx *cx, const char *path)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return RV_OK;
    if (errno == ENOENT)
        return rv_fail(cx, RV_NOT_FOUND, "%s: the folder above it is not there", path);
    return rv_fail(cx, RV_INVALID, "%s: %s", path, strerror(errno));
}

rv_result folder_take(struct rv_ctx *cx, const char *data, int *fd)
{
    const char *path = rv_printf(cx, "%s/lock", data);

    RV_TRY(cx, make_folder(cx, data));
    RV_TRY(cx, make_folder(cx, rv_printf(cx, "%s/logs", data)));
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (*fd < 0)
        return rv_fail(cx, RV_INVALID, "%s: %s", path, strerror(errno));
    if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
        enum rv_status status = rv_fail(cx, RV_CONFLICT, "process %" PRId64 " runs on %s already",
                                        folder_owner(data), data);

        close(*fd);
        cx->error.hint = "`reeve ps` shows it, `reeve down` stops it, --data names another folder";
        return status;
    }
    return RV_OK;
}

rv_result folder_write(struct rv_ctx *cx, const char *path, int mode, const char *text)
{
    const char *fresh = rv_printf(cx, "%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode);
    size_t len = strlen(text);
    bool ok = fd >= 0 && fchmod(fd, (mode_t)mode) == 0 && write(fd, text, len) == (ssize_t)len &&
              fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    if (!ok || rename(fresh, path) != 0)
        return rv_fail(cx, RV_INTERNAL, "%s: %s", path, strerror(errno));
    return RV_OK;
}
