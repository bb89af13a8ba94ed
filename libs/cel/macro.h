#pragma once

/* Macros: what looks like a call, but names variables of its own in its arguments. */

#include <stdbool.h>
#include <stddef.h>

enum cel_macro_kind {
    MACRO_HAS,
    MACRO_ALL,
    MACRO_EXISTS,
    MACRO_EXISTS_ONE,
    MACRO_MAP, /* with transformList: the same with two variables */
    MACRO_FILTER,
    MACRO_TRANSFORM_MAP,
    MACRO_TRANSFORM_ENTRY,
    MACRO_SORT_BY,
    MACRO_BIND,
    MACRO_OPT_MAP,
    MACRO_OPT_FLAT_MAP,
};

/* The arguments are @n_vars names, then a condition if @filtered (for bind: the value), then what
 * is done with the variables. */
struct cel_macro {
    const char *name;
    enum cel_macro_kind kind;
    bool method;
    unsigned n_args, n_vars;
    bool filtered;
};

/* The macro that is called so; NULL: it is a function. @method: behind a receiver. */
const struct cel_macro *cel_macro_find(const char *name, bool method, size_t n_args);
