#pragma once

/* The messages that are values of the language: how each is read, and which type it has. */

#include "cel/type.h"

struct wire_message {
    const char *name;
    enum cel_type_kind type; /* CEL_T_DYN: JSON as it is */
    enum cel_kind only;      /* what that JSON must be; CEL_NONE: anything */
    int bits;                /* of a whole number; 0: 64 */
};

const struct wire_message *wire_message(const char *name); /* NULL: a user's own */
