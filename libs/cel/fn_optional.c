/* Optionals: a value, or none. */

#include "cel/functions.h"

static struct cel_value make(struct cel_run *run, struct cel_value held)
{
    return cel_spend(run, 1) ? cel_optional(run->cx, held) : cel_spent(run);
}

static CEL_FUNCTION(none)
{
    return make(run, cel_none());
}

static CEL_FUNCTION(of)
{
    return make(run, args[0]);
}

/* What a field has that nobody set. */
static bool is_zero(struct cel_value value)
{
    switch (value.kind) {
    case CEL_NULL:
        return true;
    case CEL_STRING:
    case CEL_BYTES:
        return value.len == 0;
    case CEL_DOUBLE:
        return value.number == 0;
    case CEL_LIST:
        return cel_list_size(value.list) == 0;
    case CEL_MAP:
        return cel_map_size(value.map) == 0;
    case CEL_OPTIONAL:
        return !value.held;
    case CEL_TYPE:
        return false;
    case CEL_TIMESTAMP:
        return value.whole == 0 && value.len == 0;
    default:
        return value.whole == 0;
    }
}

static CEL_FUNCTION(of_not_zero)
{
    return make(run, is_zero(args[0]) ? cel_none() : args[0]);
}

static CEL_FUNCTION(has_value)
{
    return cel_bool(args[0].held != NULL);
}

static CEL_FUNCTION(value_of)
{
    return args[0].held ? *args[0].held : cel_fail(run, "the optional has no value");
}

static CEL_FUNCTION(either)
{
    return args[0].held ? args[0] : args[1];
}

static CEL_FUNCTION(or_value)
{
    return args[0].held ? *args[0].held : args[1];
}

/* clang-format off */
const struct cel_function cel_fn_optional[] = {
    { "optional.none",           CEL_CALL,   ":OA",     none,        false },
    { "optional.of",             CEL_CALL,   "A:OA",    of,          false },
    { "optional.ofNonZeroValue", CEL_CALL,   "A:OA",    of_not_zero, false },
    { "hasValue",                CEL_METHOD, "OA:b",    has_value,   false },
    { "value",                   CEL_METHOD, "OA:A",    value_of,    false },
    { "or",                      CEL_METHOD, "OAOA:OA", either,      false },
    { "orValue",                 CEL_METHOD, "OAA:A",   or_value,    false },
    { 0 },
};
/* clang-format on */
