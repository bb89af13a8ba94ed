#define _GNU_SOURCE

#include "support/stack_process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"

bool stack_postgres_user(uid_t *uid, gid_t *gid)
{
    struct passwd *user = geteuid() == 0 ? getpwnam("postgres") : NULL;

    *uid = user ? user->pw_uid : geteuid();
    *gid = user ? user->pw_gid : getegid();
    return *uid != 0;
}

static bool become_postgres(void)
{
    uid_t uid;
    gid_t gid;

    if (geteuid() != 0)
        return true;
    return stack_postgres_user(&uid, &gid) && setgroups(0, NULL) == 0 &&
           setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0;
}

/* In the child. The death signal comes after the change of user, which clears it. */
__attribute__((noreturn)) static void become(const struct stack_program *program, pid_t parent,
                                             int log)
{
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    close_range(3, ~0U, 0);
    if (program->as_postgres && !become_postgres())
        _exit(126);
    prctl(PR_SET_PDEATHSIG, program->death_signal ? program->death_signal : SIGKILL);
    if (getppid() != parent)
        _exit(125);
    for (const char *const *e = program->env; e && *e; e++)
        putenv(strdup(*e));
    execvp(program->argv[0], (char *const *)(uintptr_t)program->argv);
    perror(program->argv[0]);
    _exit(127);
}

pid_t stack_spawn(const struct stack_program *program)
{
    int log = open(program->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    pid_t parent = getpid(), pid;

    if (log < 0) {
        perror(program->log);
        return 0;
    }
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        become(program, parent, log);
    close(log);
    return pid < 0 ? 0 : pid;
}

/* Whether it has ended within @ms; its exit code in *@code (-1: by a signal). */
static bool ended(pid_t pid, int64_t ms, int *code)
{
    int64_t deadline_ms = rv_monotonic_ms() + ms;
    int status;
    pid_t got;

    while ((got = waitpid(pid, &status, WNOHANG)) == 0 && rv_monotonic_ms() < deadline_ms)
        rv_sleep_ms(2);
    *code = got == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return got != 0;
}

bool stack_wait_exit(pid_t pid, int64_t ms)
{
    int code;

    return ended(pid, ms, &code);
}

bool stack_is_running(pid_t pid)
{
    int code;

    return pid > 0 && !ended(pid, 0, &code);
}

bool stack_run(const struct stack_program *program, int64_t ms)
{
    pid_t pid = stack_spawn(program);
    int code;

    if (pid == 0)
        return false;
    if (ended(pid, ms, &code))
        return code == 0;
    stack_end(&pid, SIGKILL, 0);
    return false;
}

void stack_end(pid_t *pid, int signal, int64_t ms)
{
    if (*pid <= 0)
        return;
    kill(*pid, signal);
    if (!stack_wait_exit(*pid, ms)) {
        kill(*pid, SIGKILL);
        stack_wait_exit(*pid, 10000);
    }
    *pid = 0;
}

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static bool is_free(int port)
{
    struct sockaddr_in at = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;

    close(fd);
    return ok;
}

/* A port that the kernel gave us could be given to somebody else while our server restarts. */
int stack_free_port(void)
{
    static unsigned seed;

    if (seed == 0)
        seed = (unsigned)getpid() * 2654435761U ^ (unsigned)rv_monotonic_ns();
    for (int tries = 0; tries < 1000; tries++) {
        int port = 20000 + rand_r(&seed) % 12000;

        if (is_free(port))
            return port;
    }
    return 0;
}

static int connect_to(int port)
{
    struct sockaddr_in at = loopback(port);
    struct timeval limit = { .tv_sec = 2 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool starts_with(int fd, const char *words, char *got, size_t size)
{
    size_t len = 0;
    ssize_t n = 0;

    while (len < size - 1 && (n = recv(fd, got + len, size - 1 - len, 0)) > 0) {
        len += (size_t)n;
        if (len >= strlen(words) + 8)
            break;
    }
    got[len] = '\0';
    return strncmp(got, words, strlen(words)) == 0;
}

bool stack_port_greets(int port, const char *greeting)
{
    char got[64];
    int fd = connect_to(port);
    bool ok = fd >= 0 && starts_with(fd, greeting, got, sizeof(got));

    if (fd >= 0)
        close(fd);
    return ok;
}

int stack_http_get(int port, const char *path)
{
    static const char version[] = "HTTP/1.";
    char got[64];
    int fd = connect_to(port), status = 0;

    if (fd < 0)
        return 0;
    dprintf(fd, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    if (starts_with(fd, version, got, sizeof(got)))
        status = atoi(got + strlen("HTTP/1.1 "));
    close(fd);
    return status;
}
