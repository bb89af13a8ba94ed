/* Equality, order, membership, and what logic falls back to. */

#include "cel/functions.h"

static CEL_FUNCTION(equal)
{
    return cel_bool(cel_equal(run, args[0], args[1]));
}

static CEL_FUNCTION(unequal)
{
    return cel_bool(!cel_equal(run, args[0], args[1]));
}

static int ordered(struct cel_run *run, const struct cel_value *args)
{
    cel_spend(run, args[0].kind == CEL_STRING ? args[0].len / 16 : 0);
    return cel_compare(args[0], args[1]);
}

static CEL_FUNCTION(less)
{
    return cel_bool(ordered(run, args) == -1);
}

static CEL_FUNCTION(less_equal)
{
    return cel_bool(ordered(run, args) <= 0);
}

static CEL_FUNCTION(greater)
{
    return cel_bool(ordered(run, args) == 1);
}

static CEL_FUNCTION(greater_equal)
{
    int order = ordered(run, args);

    return cel_bool(order == 0 || order == 1);
}

static CEL_FUNCTION(in_list)
{
    const struct cel_list *list = args[1].list;
    size_t size = cel_list_size(list);

    for (size_t i = 0; i < size && !run->spent; i++)
        if (cel_equal(run, args[0], cel_list_at(run->cx, list, i)))
            return cel_bool(true);
    return cel_bool(false);
}

static CEL_FUNCTION(in_map)
{
    if (args[0].kind == CEL_STRING && !cel_spend(run, args[0].len / 16))
        return cel_spent(run);
    return cel_bool(cel_map_get(run->cx, args[1].map, args[0]).kind != CEL_NONE);
}

static CEL_FUNCTION(negation)
{
    return cel_bool(!args[0].truth);
}

/* clang-format off */
#define ORDER(name, call)                                                                         \
    { name, CEL_CALL, "bb:b", call, false }, { name, CEL_CALL, "ii:b", call, false },             \
    { name, CEL_CALL, "uu:b", call, false }, { name, CEL_CALL, "dd:b", call, false },             \
    { name, CEL_CALL, "##:b", call, false }, { name, CEL_CALL, "ss:b", call, false },             \
    { name, CEL_CALL, "yy:b", call, false }, { name, CEL_CALL, "tt:b", call, false },             \
    { name, CEL_CALL, "DD:b", call, false }

const struct cel_function cel_fn_compare[] = {
    { "_==_", CEL_CALL, "AA:b",   equal,    false },
    { "_!=_", CEL_CALL, "AA:b",   unequal,  false },
    ORDER("_<_",  less),
    ORDER("_<=_", less_equal),
    ORDER("_>_",  greater),
    ORDER("_>=_", greater_equal),
    { "@in",  CEL_CALL, "ALA:b",  in_list,  false },
    { "@in",  CEL_CALL, "AMAB:b", in_map,   false },
    { "!_",   CEL_CALL, "b:b",    negation, false },
    { 0 },
};
/* clang-format on */
