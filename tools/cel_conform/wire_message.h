#pragma once

/* The messages that are values of the language: how each is read, and which type it has. */

#include "cel/type.h"

struct wire_message {
    const char *name;
    const char *expression; /* that makes it of its JSON; NULL: JSON as it is */
    enum cel_type_kind type;
};

const struct wire_message *wire_message(const char *name); /* NULL: a user's own */
