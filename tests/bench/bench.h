#pragma once

/*
 * Bench: the workloads of the suite, driven through the public HTTP API by one thread. What its
 * files share: the system under load, and the figures that come out.
 */

#include "base/ctx.h"

struct bench {
    struct rv_ctx *cx;
    const char *host; /* of the gateway: an IPv4 address */
    int port;
    const char *key, *key_header; /* the API key, and the header line that carries it */
    const char *data;             /* the system's data folder; NULL: its processes are not known */
    double seconds;               /* measured in each workload; 0: as long as it likes */
    int in_flight;                /* the only one of the closed loop; 0: each of its own */
    bool json, statements;
    const char *workload; /* the one at work */
};

enum { BENCH_LOST_MS = 10000 }; /* a run that is not over by then never will be */

/* How long to measure, and how long to warm up before. */
double bench_seconds(const struct bench *bench, double usual);
double bench_warm_up(const struct bench *bench);

/* One figure of the workload at work; @in_flight 0: not said. */
void bench_figure(const struct bench *bench, const char *figure, double value, const char *unit,
                  int in_flight);

int64_t bench_now_us(void); /* since 1970: what an event's at_ms is compared with */

/* Says why there is no figure, on stderr. Always false. */
bool bench_sorry(const struct bench *bench, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The workloads: false when they could not be measured, which they have said. */
bool w1_closed(struct bench *bench);
bool w1_open(struct bench *bench);
bool w2_wide(struct bench *bench);
bool w3_idle(struct bench *bench);
bool w4_streams(struct bench *bench);
bool w4_one_run(struct bench *bench); /* a part of it */
bool cel_condition(struct bench *bench);
