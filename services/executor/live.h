#pragma once

/*
 * Live: what a model writes, while it writes it. Pieces are gathered and told every so often,
 * never one by one; they may be lost.
 */

#include "executor/step.h"

struct live {
    const struct work *work;
    struct rv_buf text;
    const char *kind; /* of the text gathered */
    int64_t index, told_ms;
};

void live_add(struct live *live, const char *kind, const char *text, size_t len, int64_t index);
void live_end(struct live *live); /* tells the rest */
