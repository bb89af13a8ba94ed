#pragma once

/*
 * Place: where something stands in a document: "nodes[2].needs[0]". A key with other letters than
 * [A-Za-z0-9_-] is written ["so"]; "" is the whole document.
 */

#include <stdbool.h>

#include "base/buf.h"

void rv_place_key(struct rv_buf *place, const char *key);
void rv_place_index(struct rv_buf *place, size_t index);

/* Bytes; what is longer is cut in a place, and cannot be found by it. */
enum { RV_PLACE_KEY_MAX = 200 };

struct rv_place_step {
    bool is_key;
    char key[RV_PLACE_KEY_MAX + 1];
    size_t index;
};

/* Takes the next step off *@place; false at the end, and *@place is NULL when it is no place. */
bool rv_place_next(const char **place, struct rv_place_step *step);
