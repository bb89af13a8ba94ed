#pragma once

/* Histogram: how long things took, to within 1 %, in a fixed room. Pure. */

#include <stddef.h>
#include <stdint.h>

enum { HISTOGRAM_FINE = 128, HISTOGRAM_BUCKETS = 40 * HISTOGRAM_FINE };

struct histogram {
    uint32_t counts[HISTOGRAM_BUCKETS];
    int64_t n;
};

void histogram_add(struct histogram *histogram, int64_t us); /* below 0 is 0 */

/* The time that @share (0 to 1) of them took at most, in milliseconds; 0 when there are none. */
double histogram_ms(const struct histogram *histogram, double share);
