#pragma once

/* Processes, ports and one GET: what a stack is made of. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct stack_program {
    const char *const *argv;
    const char *const *env; /* added to ours; may be NULL */
    const char *log;        /* where its output goes, appended */
    bool as_postgres;       /* when we are root */
    int death_signal;       /* what it gets when we die */
};

pid_t stack_spawn(const struct stack_program *program);          /* 0: could not */
bool stack_run(const struct stack_program *program, int64_t ms); /* to its end; false unless 0 */
bool stack_wait_exit(pid_t pid, int64_t ms);                     /* reaps it */
bool stack_is_running(pid_t pid);                                /* reaps it when it is not */
void stack_end(pid_t *pid, int signal, int64_t ms);              /* then SIGKILL; sets it to 0 */

int stack_free_port(void); /* outside of what the kernel hands out by itself */
bool stack_port_greets(int port, const char *greeting); /* what is said first on a connection */
int stack_http_get(int port, const char *path);         /* the status; 0: no answer */

/* The user Postgres runs as; false: there is none and we are root. */
bool stack_postgres_user(uid_t *uid, gid_t *gid);
