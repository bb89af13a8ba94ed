#pragma once

/*
 * Up: Postgres, nats-server and the six services of this machine, under one supervisor with one
 * data folder. What dies is started again; nothing of it listens beyond loopback.
 */

#include "cli.h"
#include "up_program.h"

enum { UP_EXECUTORS_MAX = 32, UP_PROGRAMS_MAX = UP_EXECUTORS_MAX + 8, UP_READY_MS = 90000 };

struct up {
    struct cli *cli;
    const char *data, *bin; /* the data folder; where the services' programs are */
    const char *postgres_url, *nats_url, *url;
    struct program programs[UP_PROGRAMS_MAX]; /* in the order in which they start */
    size_t n_programs;
};

/* Chooses ports, writes nats.conf and fills up->programs: postgres, nats, services. */
rv_result up_plan(struct up *up);

/* Makes the database's folder once. As root it belongs to the user postgres. */
rv_result up_postgres_make(struct up *up);
rv_result up_postgres_plan(struct up *up);

/* Waits until it answers, brings the schema up to date, and makes the first key once. */
rv_result up_postgres_ready(struct up *up);

/* Sleeps until a signal, at most @wait_ms; true when it asks us to stop. */
bool up_told_to_stop(int64_t wait_ms);

/* What runs now, for `reeve ps`. */
rv_result up_tell(struct up *up);

/* Adds a program; its log is logs/<name>.log. */
struct program *up_add(struct up *up, const char *name, const char *const *argv,
                       const char *const *env);
