/* Extension sets: lists, looked at as sets. */

#include "cel/functions.h"

static bool has(struct cel_run *run, const struct cel_list *list, struct cel_value element)
{
    size_t size = cel_list_size(list);

    for (size_t i = 0; i < size && !run->spent; i++)
        if (cel_equal(run, cel_list_at(run->cx, list, i), element))
            return true;
    return false;
}

static bool has_all(struct cel_run *run, const struct cel_list *list, const struct cel_list *of)
{
    size_t size = cel_list_size(of);

    for (size_t i = 0; i < size; i++)
        if (!has(run, list, cel_list_at(run->cx, of, i)))
            return false;
    return true;
}

static CEL_FUNCTION(contains)
{
    return cel_bool(has_all(run, args[0].list, args[1].list));
}

static CEL_FUNCTION(equivalent)
{
    return cel_bool(has_all(run, args[0].list, args[1].list) &&
                    has_all(run, args[1].list, args[0].list));
}

static CEL_FUNCTION(intersects)
{
    size_t size = cel_list_size(args[0].list);

    for (size_t i = 0; i < size && !run->spent; i++)
        if (has(run, args[1].list, cel_list_at(run->cx, args[0].list, i)))
            return cel_bool(true);
    return cel_bool(false);
}

/* clang-format off */
const struct cel_function cel_fn_sets[] = {
    { "sets.contains",   CEL_CALL, "LALA:b", contains,   false },
    { "sets.equivalent", CEL_CALL, "LALA:b", equivalent, false },
    { "sets.intersects", CEL_CALL, "LALA:b", intersects, false },
    { 0 },
};
/* clang-format on */
