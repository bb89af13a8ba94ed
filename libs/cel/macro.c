#include "cel/macro.h"

#include <string.h>

/* clang-format off */
static const struct cel_macro macros[] = {
    /* name                kind                   method args vars filtered */
    { "has",               MACRO_HAS,             false, 1,   0,   false },
    { "cel.bind",          MACRO_BIND,            false, 3,   1,   true },
    { "all",               MACRO_ALL,             true,  2,   1,   false },
    { "all",               MACRO_ALL,             true,  3,   2,   false },
    { "exists",            MACRO_EXISTS,          true,  2,   1,   false },
    { "exists",            MACRO_EXISTS,          true,  3,   2,   false },
    { "exists_one",        MACRO_EXISTS_ONE,      true,  2,   1,   false },
    { "exists_one",        MACRO_EXISTS_ONE,      true,  3,   2,   false },
    { "existsOne",         MACRO_EXISTS_ONE,      true,  2,   1,   false },
    { "existsOne",         MACRO_EXISTS_ONE,      true,  3,   2,   false },
    { "map",               MACRO_MAP,             true,  2,   1,   false },
    { "map",               MACRO_MAP,             true,  3,   1,   true },
    { "filter",            MACRO_FILTER,          true,  2,   1,   false },
    { "transformList",     MACRO_MAP,             true,  3,   2,   false },
    { "transformList",     MACRO_MAP,             true,  4,   2,   true },
    { "transformMap",      MACRO_TRANSFORM_MAP,   true,  3,   2,   false },
    { "transformMap",      MACRO_TRANSFORM_MAP,   true,  4,   2,   true },
    { "transformMapEntry", MACRO_TRANSFORM_ENTRY, true,  3,   2,   false },
    { "transformMapEntry", MACRO_TRANSFORM_ENTRY, true,  4,   2,   true },
    { "sortBy",            MACRO_SORT_BY,         true,  2,   1,   false },
    { "optMap",            MACRO_OPT_MAP,         true,  2,   1,   false },
    { "optFlatMap",        MACRO_OPT_FLAT_MAP,    true,  2,   1,   false },
};
/* clang-format on */

const struct cel_macro *cel_macro_find(const char *name, bool method, size_t n_args)
{
    for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++)
        if (macros[i].method == method && macros[i].n_args == n_args &&
            strcmp(macros[i].name, name) == 0)
            return &macros[i];
    return NULL;
}
