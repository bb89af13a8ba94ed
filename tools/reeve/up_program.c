#define _GNU_SOURCE

#include "up_program.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"

bool program_postgres_user(uid_t *uid, gid_t *gid)
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
    return program_postgres_user(&uid, &gid) && setgroups(0, NULL) == 0 &&
           setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0;
}

static void set_env(const char *const *env)
{
    for (; env && *env; env++) {
        if (strchr(*env, '='))
            putenv(strdup(*env));
        else
            unsetenv(*env);
    }
}

/* In the child. The death signal is set after the change of user, which clears it. */
__attribute__((noreturn)) static void become(const struct program *program, pid_t parent, int log)
{
    sigset_t none;

    setpgid(0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    close_range(3, ~0U, 0);
    if (program->as_postgres && !become_postgres())
        _exit(126);
    sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 }); /* as in runtime/service.c */
    prctl(PR_SET_PDEATHSIG, program->death_signal ? program->death_signal : SIGTERM);
    if (getppid() != parent)
        _exit(125);
    set_env(program->env);
    execvp(program->argv[0], (char *const *)(uintptr_t)program->argv);
    perror(program->argv[0]);
    _exit(127);
}

bool program_start(struct program *program)
{
    int log = open(program->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    pid_t parent = getpid(), pid;

    if (log < 0)
        return false;
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        become(program, parent, log);
    close(log);
    if (pid < 0)
        return false;
    program->pid = pid;
    program->started_ms = rv_monotonic_ms();
    return true;
}

void program_ended(struct program *program, int status)
{
    int64_t now_ms = rv_monotonic_ms();
    bool steady = now_ms - program->started_ms >= PROGRAM_STEADY_MS;

    program->pid = 0;
    program->status = status;
    program->restarts++;
    if (steady || program->back_off_ms == 0)
        program->back_off_ms = PROGRAM_BACK_OFF_FIRST_MS;
    else if (program->back_off_ms < PROGRAM_BACK_OFF_LAST_MS / 2)
        program->back_off_ms *= 2;
    else
        program->back_off_ms = PROGRAM_BACK_OFF_LAST_MS;
    program->restart_at_ms = now_ms + program->back_off_ms;
}

static bool wait_end(struct program *program, int64_t ms, int *status)
{
    int64_t deadline_ms = rv_monotonic_ms() + ms;
    pid_t got;

    while ((got = waitpid(program->pid, status, WNOHANG)) == 0 && rv_monotonic_ms() < deadline_ms)
        rv_sleep_ms(5);
    if (got == 0)
        return false;
    program->pid = 0;
    return true;
}

void program_stop(struct program *program, int64_t ms)
{
    int status;

    if (program->pid == 0)
        return;
    kill(program->pid, program->stop_signal ? program->stop_signal : SIGTERM);
    if (wait_end(program, ms, &status))
        return;
    kill(program->pid, SIGKILL);
    wait_end(program, 10000, &status);
}

bool program_run(struct program *program, int64_t ms)
{
    int status = -1;

    if (!program_start(program))
        return false;
    if (!wait_end(program, ms, &status)) {
        program->stop_signal = SIGKILL;
        program_stop(program, 0);
        return false;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
