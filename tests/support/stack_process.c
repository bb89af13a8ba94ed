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

/*
 * What the child needs, made before the fork: this process has threads, and one of them may hold
 * the allocator's lock for ever in the child.
 */
struct birth {
    const struct stack_program *program;
    pid_t parent;
    int log;
    bool changes_user;
    uid_t uid;
    gid_t gid;
    char **env;
};

static size_t count(const char *const *list)
{
    size_t n = 0;

    while (list && list[n])
        n++;
    return n;
}

static bool same_name(const char *a, const char *b)
{
    size_t len = strcspn(a, "=");

    return strcspn(b, "=") == len && strncmp(a, b, len) == 0;
}

/* Ours, with @more over it. The texts are borrowed. */
static char **merged_env(const char *const *more)
{
    const char *const *ours = (const char *const *)environ;
    char **env = calloc(count(ours) + count(more) + 1, sizeof(*env));
    size_t n = 0;

    if (!env)
        abort();
    for (; *ours; ours++) {
        bool replaced = false;

        for (size_t i = 0; i < count(more); i++)
            replaced |= same_name(*ours, more[i]);
        if (!replaced)
            env[n++] = (char *)(uintptr_t)*ours;
    }
    for (size_t i = 0; i < count(more); i++)
        env[n++] = (char *)(uintptr_t)more[i];
    return env;
}

static bool change_user(const struct birth *birth)
{
    return setgroups(0, NULL) == 0 && setresgid(birth->gid, birth->gid, birth->gid) == 0 &&
           setresuid(birth->uid, birth->uid, birth->uid) == 0;
}

/* In the child. The death signal comes after the change of user, which clears it. */
__attribute__((noreturn)) static void become(const struct birth *birth)
{
    const struct stack_program *program = birth->program;

    dup2(birth->log, STDOUT_FILENO);
    dup2(birth->log, STDERR_FILENO);
    close_range(3, ~0U, 0);
    if (birth->changes_user && !change_user(birth))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, program->death_signal ? program->death_signal : SIGKILL);
    if (getppid() != birth->parent)
        _exit(125);
    execvpe(program->argv[0], (char *const *)(uintptr_t)program->argv, birth->env);
    _exit(127);
}

pid_t stack_spawn(const struct stack_program *program)
{
    struct birth birth = { .program = program,
                           .parent = getpid(),
                           .changes_user = program->as_postgres && geteuid() == 0,
                           .log = open(program->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                                       0644) };
    pid_t pid;

    if (birth.log < 0 || (birth.changes_user && !stack_postgres_user(&birth.uid, &birth.gid))) {
        perror(program->log);
        return 0;
    }
    birth.env = merged_env(program->env);
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        become(&birth);
    free(birth.env);
    close(birth.log);
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
    static bool given[12000]; /* to another server of this process, which may not listen yet */

    if (seed == 0)
        seed = (unsigned)getpid() * 2654435761U ^ (unsigned)rv_monotonic_ns();
    for (int tries = 0; tries < 1000; tries++) {
        int draw = rand_r(&seed) % 12000, port = 20000 + draw;

        if (given[draw] || !is_free(port))
            continue;
        given[draw] = true;
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
