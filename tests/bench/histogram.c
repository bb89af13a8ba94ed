#include "histogram.h"

/* Up to 255 one bucket a microsecond; above, 128 for every doubling. */
static size_t bucket_of(uint64_t us)
{
    unsigned octave = us < HISTOGRAM_FINE ? 0 : 63 - (unsigned)__builtin_clzll(us) - 7;
    size_t bucket = octave * HISTOGRAM_FINE + (us >> octave);

    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The middle of what lands in @bucket. */
static double us_of(size_t bucket)
{
    size_t octave = bucket < HISTOGRAM_FINE ? 0 : bucket / HISTOGRAM_FINE - 1;
    double width = (double)(1ULL << octave);

    return (double)(bucket - octave * HISTOGRAM_FINE) * width + (width - 1) / 2;
}

void histogram_add(struct histogram *histogram, int64_t us)
{
    histogram->counts[bucket_of(us > 0 ? (uint64_t)us : 0)]++;
    histogram->n++;
}

double histogram_ms(const struct histogram *histogram, double share)
{
    int64_t rank = (int64_t)(share * (double)histogram->n + 0.5), seen = 0;

    if (histogram->n == 0)
        return 0;
    if (rank < 1)
        rank = 1;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->counts[i];
        if (seen >= rank)
            return us_of(i) / 1000;
    }
    return us_of(HISTOGRAM_BUCKETS - 1) / 1000;
}
