#pragma once

/* A record with every kind of field, for the tests of the codecs. */

#include "runtime/codec.h"

#define COLORS(X)                                                                                  \
    X(COLOR_RED, 1, "red")                                                                         \
    X(COLOR_DARK_BLUE, 2, "dark_blue")
RV_ENUM_DECLARE(color, COLORS)

struct sample_part {
    const char *name;
    int64_t weight;
    const char **needs;
    size_t n_needs;
};

struct sample {
    const char *name;
    const char *sample_id;
    const char *input;
    struct rv_bytes picture;
    int64_t count;
    double share;
    bool paused;
    enum color color;
    const char **tags;
    size_t n_tags;
    struct sample_part *main_part;
    struct sample_part *parts;
    size_t n_parts;
    const char *password;
    const char *owner;
    const char *note;
};

extern const struct rv_record sample_part_record, sample_record;
extern const struct rv_message SAMPLE, SAMPLE_SHORT;

/* One with everything set. */
extern const struct sample full_sample;
void assert_same_sample(const struct sample *a, const struct sample *b);
