#pragma once

/*
 * Failpoints: places where a test may break the process on purpose.
 *
 *     REEVE_FAILPOINTS=reeve.scheduler.task_report.commit.after:3=exit
 *
 * name[:count][=exit|stall|error], comma separated: at the count-th time (1) the process ends
 * with SIGKILL, or the thread sleeps for ever, or the work fails with RV_UNAVAILABLE, once.
 * Without the variable a point costs one load of a flag.
 */

#include <stdio.h>

#include "base/ctx.h"

/* Reads REEVE_FAILPOINTS; false and words on @errors when it does not parse. */
bool rv_failpoints_read(FILE *errors);

#define rv_failpoint(cx, name) (rv_failpoints_armed ? rv_failpoint_hit((cx), (name)) : RV_OK)
extern bool rv_failpoints_armed;
rv_result rv_failpoint_hit(struct rv_ctx *cx, const char *name);

/*
 * The four sides of a unit of work: rv_failpoint_at(cx, subject, "commit.after") is the point
 * "<subject>.commit.after". @side is one of rv_failpoint_sides.
 */
#define rv_failpoint_at(cx, what, side)                                                            \
    (rv_failpoints_armed ? rv_failpoint_hit_at((cx), (what), (side)) : RV_OK)
rv_result rv_failpoint_hit_at(struct rv_ctx *cx, const char *what, const char *side);
extern const char *const rv_failpoint_sides[]; /* "begin", "commit.before" …; ends with NULL */
