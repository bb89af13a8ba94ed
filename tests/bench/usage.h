#pragma once

/* Usage: what the processes of a system cost, from /proc: CPU time so far, and memory of their own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"

enum { USAGE_MAX = 48 };

/* One program of the system with all its children (Postgres has many). */
struct usage_row {
    const char *name; /* "postgres", "nats", "scheduler", "executor-1" … */
    int64_t pid, cpu_ns;
    double pss_mib;
    bool is_service;
};
struct usage {
    struct usage_row rows[USAGE_MAX];
    size_t n;
    int64_t driver_ns; /* our own, in no sum */
};

/*
 * Reads the programs of the system with the data folder @data. @with_memory: PSS too, which takes
 * longer. RV_NOT_FOUND when nothing runs there.
 */
rv_result usage_read(struct rv_ctx *cx, const char *data, bool with_memory, struct usage *usage);

/* CPU time spent from @before to @after by all, or by the services only, in milliseconds. */
double usage_cpu_ms(const struct usage *before, const struct usage *after, bool services_only);
