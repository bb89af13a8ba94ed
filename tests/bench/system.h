#pragma once

/*
 * System: what is measured: one of our own that `reeve up` starts and that is thrown away
 * afterwards, or one that runs already. Then a project, a policy, a budget and the workflows.
 */

#include <sys/types.h>

#include "bench.h"

struct system {
    struct bench *bench;
    char home[64]; /* ours; "" when it ran already */
    pid_t pid;     /* of `reeve up` */
};

/* Starts a system on @port (0: any) and waits until it is ready. False: said why. */
bool system_start(struct system *system, struct bench *bench, int port);

/* Uses the one that runs on the data folder @data, or the gateway at @url with @key. */
bool system_use(struct bench *bench, const char *data);
bool system_at(struct bench *bench, const char *url, const char *key);

/* Stops and removes what was started; with @keep the folder stays, and is named. */
void system_stop(struct system *system, bool keep);

/* Makes what the workloads run: twice is once. False: said why. */
bool system_furnish(struct bench *bench);

/* pg_stat_statements, for --statements: counted from now on; printed to stderr. */
void system_statements_reset(const struct bench *bench);
void system_statements_show(const struct bench *bench);
