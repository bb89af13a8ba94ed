#pragma once

/*
 * Load: runs of one workflow, submitted over HTTP and seen to complete by watchers, which are
 * event streams of the gateway. A run is over when its 202 is read and every watcher has seen its
 * run.completed; only then its place in flight is free for the next.
 */

#include <stdbool.h>

#include "bench.h"
#include "event.h"
#include "histogram.h"
#include "wire.h"

enum { LOAD_EARLY_MAX = 4096, LOAD_CHAINS = 1024 };

struct slot {
    struct load *load;
    struct conn *conn;
    enum { SLOT_FREE, SLOT_ASKED, SLOT_RUNNING, SLOT_RESTING } state;
    int64_t since_ns; /* submitted, or when it should have been */
    struct run_id run;
    int seen;          /* by how many watchers */
    struct slot *next; /* of its chain, by run; of the free ones */
};

/* A completion that was seen before the 202 was read. Strangers' runs stay here until it is full.
 */
struct early {
    struct run_id run;
    int seen;
};

struct load {
    struct bench *bench;
    struct wire *wire;
    char request[1024];
    size_t request_len;
    struct slot *slots, *chains[LOAD_CHAINS], *free;
    int n_slots, in_flight;
    struct conn **watchers;
    int n_watchers, n_watching;
    bool watchers_lost;
    struct early early[LOAD_EARLY_MAX];
    size_t n_early;
    int64_t looked_ns;

    bool refill;    /* a free place is taken at once: a closed loop */
    bool measuring; /* what comes is counted */
    struct histogram took, delay;
    int64_t submitted, completed, refused, lost, delivered;
    int64_t missed;  /* completions that a watcher never told of */
    double ready_ms; /* how long it took until all watchers told of a run */
};

/*
 * Watches @events (a path of the gateway) @n_watchers times, and waits until all of them tell of a
 * first run: a stream that is open may still be reading what was before. False: said why.
 */
bool load_open(struct load *load, struct bench *bench, const char *workflow, int in_flight,
               const char *events, int n_watchers);
void load_close(struct load *load);

/* load_watch.c, for load_open; and what a watcher says: it has seen @run complete. */
bool load_watch(struct load *load, const char *events);
void load_saw(struct load *load, struct run_id run);

/* Submits one run, @since_ns being when it should have been; false: no place is free. */
bool load_submit(struct load *load, int64_t since_ns);

/* Serves until @until_ns; what is lost or refused meanwhile is counted, and said once. */
void load_serve(struct load *load, int64_t until_ns);

/* Serves until nothing is in flight; what is not over after BENCH_LOST_MS is lost. */
void load_drain(struct load *load);

/* Whether there is anything to report: runs, and all watchers still there. False: said why. */
bool load_is_good(const struct load *load);
