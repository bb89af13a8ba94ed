#pragma once

/*
 * Program: one process that `reeve up` keeps running. It has a process group of its own, so that
 * Ctrl-C reaches the supervisor only, and it ends when the supervisor does, however that ends.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    PROGRAM_BACK_OFF_FIRST_MS = 100,
    PROGRAM_BACK_OFF_LAST_MS = 5000,
    PROGRAM_STEADY_MS = 10000
};

struct program {
    const char *name, *log;        /* where all it says goes */
    const char *const *argv;       /* ends with NULL */
    const char *const *env;        /* "NAME=value" on top of ours, "NAME" alone: without it */
    bool as_postgres;              /* when we are root: Postgres refuses to be */
    int stop_signal, death_signal; /* ours to it; and when we are gone. 0: SIGTERM */
    int64_t health_port;           /* its /readyz; 0: none */

    pid_t pid; /* 0: not running */
    int64_t started_ms, restart_at_ms, back_off_ms;
    int restarts, status; /* how it ended the last time */
};

/* Who Postgres runs as: us, or the user postgres when we are root. False: there is no such user. */
bool program_postgres_user(uid_t *uid, gid_t *gid);

bool program_start(struct program *program); /* false: no process; errno says why */

/* It has ended with @status: it will be due again after its back-off. */
void program_ended(struct program *program, int status);

/* Asks it to stop, waits, and insists after @ms. */
void program_stop(struct program *program, int64_t ms);

/* Runs to the end; true when it exits with 0 in time. */
bool program_run(struct program *program, int64_t ms);
