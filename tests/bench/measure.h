#pragma once

/* Measure: a stretch of a load, from the first count to the last, and its figures. */

#include "load.h"
#include "usage.h"

struct stretch {
    struct load *load;
    struct usage before, after;
    bool has_usage; /* its processes are known */
    int64_t began_ns, ended_ns;
};

void stretch_begin(struct stretch *stretch, struct load *load);
void stretch_end(struct stretch *stretch);
double stretch_seconds(const struct stretch *stretch);

/* Runs in a closed loop: warms up, measures, drains. */
void measure_closed(struct stretch *stretch, struct load *load, double warm_up_s, double seconds);

/* Submits @per_second for @seconds, each due at its time however busy the system is. */
void measure_open(struct stretch *stretch, struct load *load, double per_second, double seconds);

/* CPU per run of all programs, of each, and of this driver. */
void figure_cpu(const struct stretch *stretch, int in_flight);
