/* Extension math. */

#include <math.h>

#include "cel/functions.h"

/* The greatest (@sign 1) or least (@sign -1) of numbers; the first of those that are equal. */
static struct cel_value extreme(struct cel_run *run, const struct cel_value *args, size_t n_args,
                                int sign)
{
    struct cel_value best = args[0];

    if (!cel_spend(run, n_args))
        return cel_spent(run);
    for (size_t i = 1; i < n_args; i++)
        if (cel_compare(args[i], best) == sign)
            best = args[i];
    return best;
}

static struct cel_value extreme_in(struct cel_run *run, const struct cel_list *list, int sign)
{
    size_t size = cel_list_size(list);
    struct cel_value *items = cel_room(run, (size + 1) * sizeof(*items));

    if (!items)
        return cel_spent(run);
    for (size_t i = 0; i < size; i++) {
        items[i] = cel_list_at(run->cx, list, i);
        if (items[i].kind != CEL_INT && items[i].kind != CEL_UINT && items[i].kind != CEL_DOUBLE)
            return cel_fail(run, "no such overload: %s is no number", cel_kind_name(items[i].kind));
    }
    return size ? extreme(run, items, size, sign) : cel_fail(run, "the list is empty");
}

static CEL_FUNCTION(greatest)
{
    return extreme(run, args, n_args, 1);
}

static CEL_FUNCTION(least)
{
    return extreme(run, args, n_args, -1);
}

static CEL_FUNCTION(greatest_in)
{
    return extreme_in(run, args[0].list, 1);
}

static CEL_FUNCTION(least_in)
{
    return extreme_in(run, args[0].list, -1);
}

#define OF_ONE(name, expression)                                                                   \
    static CEL_FUNCTION(name)                                                                      \
    {                                                                                              \
        const struct cel_value x = args[0];                                                        \
                                                                                                   \
        return expression;                                                                         \
    }
#define OF_TWO(name, expression)                                                                   \
    static CEL_FUNCTION(name)                                                                      \
    {                                                                                              \
        const struct cel_value x = args[0], y = args[1];                                           \
                                                                                                   \
        return expression;                                                                         \
    }
/* clang-format off */
OF_ONE(up,          cel_double(ceil(x.number)))
OF_ONE(down,        cel_double(floor(x.number)))
OF_ONE(nearest,     cel_double(round(x.number)))
OF_ONE(whole_part,  cel_double(trunc(x.number)))
OF_ONE(root,        cel_double(sqrt(x.number)))
OF_ONE(root_int,    cel_double(sqrt((double)x.whole)))
OF_ONE(root_uint,   cel_double(sqrt((double)x.natural)))
OF_ONE(is_inf,      cel_bool(isinf(x.number)))
OF_ONE(is_nan,      cel_bool(isnan(x.number)))
OF_ONE(is_finite,   cel_bool(isfinite(x.number)))
OF_ONE(size_double, cel_double(fabs(x.number)))
OF_ONE(same,        x)
OF_ONE(sign_int,    cel_int((x.whole > 0) - (x.whole < 0)))
OF_ONE(sign_uint,   cel_uint(x.natural > 0))
OF_ONE(sign_double, isnan(x.number) ? x : cel_double((x.number > 0) - (x.number < 0)))
OF_ONE(not_int,     cel_int(~x.whole))
OF_ONE(not_uint,    cel_uint(~x.natural))
OF_TWO(and_int,     cel_int(x.whole & y.whole))
OF_TWO(and_uint,    cel_uint(x.natural & y.natural))
OF_TWO(or_int,      cel_int(x.whole | y.whole))
OF_TWO(or_uint,     cel_uint(x.natural | y.natural))
OF_TWO(xor_int,     cel_int(x.whole ^ y.whole))
OF_TWO(xor_uint,    cel_uint(x.natural ^ y.natural))
/* clang-format on */

static CEL_FUNCTION(size_int)
{
    if (args[0].whole == INT64_MIN)
        return cel_fail(run, "the result is out of range (overflow)");
    return cel_int(args[0].whole < 0 ? -args[0].whole : args[0].whole);
}

/* Bits only: an int is shifted as what its bits are, and what is shifted out is gone. */
static CEL_FUNCTION(shift)
{
    uint64_t bits = args[0].natural;
    int64_t by = args[1].whole;

    if (by < 0)
        return cel_fail(run, "a shift by a negative offset");
    bits = by < 64 ? bits << by : 0;
    return args[0].kind == CEL_INT ? cel_int((int64_t)bits) : cel_uint(bits);
}

static CEL_FUNCTION(shift_right)
{
    uint64_t bits = args[0].natural;
    int64_t by = args[1].whole;

    if (by < 0)
        return cel_fail(run, "a shift by a negative offset");
    bits = by < 64 ? bits >> by : 0;
    return args[0].kind == CEL_INT ? cel_int((int64_t)bits) : cel_uint(bits);
}

/* clang-format off */
const struct cel_function cel_fn_math[] = {
    { "math.greatest",      CEL_CALL, "L*:*",  greatest_in, false },
    { "math.greatest",      CEL_CALL, "i~:i",  greatest,    false },
    { "math.greatest",      CEL_CALL, "u~:u",  greatest,    false },
    { "math.greatest",      CEL_CALL, "d~:d",  greatest,    false },
    { "math.greatest",      CEL_CALL, "#~:*",  greatest,    false },
    { "math.least",         CEL_CALL, "L*:*",  least_in,    false },
    { "math.least",         CEL_CALL, "i~:i",  least,       false },
    { "math.least",         CEL_CALL, "u~:u",  least,       false },
    { "math.least",         CEL_CALL, "d~:d",  least,       false },
    { "math.least",         CEL_CALL, "#~:*",  least,       false },
    { "math.ceil",          CEL_CALL, "d:d",   up,          false },
    { "math.floor",         CEL_CALL, "d:d",   down,        false },
    { "math.round",         CEL_CALL, "d:d",   nearest,     false },
    { "math.trunc",         CEL_CALL, "d:d",   whole_part,  false },
    { "math.sqrt",          CEL_CALL, "d:d",   root,        false },
    { "math.sqrt",          CEL_CALL, "i:d",   root_int,    false },
    { "math.sqrt",          CEL_CALL, "u:d",   root_uint,   false },
    { "math.isInf",         CEL_CALL, "d:b",   is_inf,      false },
    { "math.isNaN",         CEL_CALL, "d:b",   is_nan,      false },
    { "math.isFinite",      CEL_CALL, "d:b",   is_finite,   false },
    { "math.abs",           CEL_CALL, "i:i",   size_int,    false },
    { "math.abs",           CEL_CALL, "u:u",   same,        false },
    { "math.abs",           CEL_CALL, "d:d",   size_double, false },
    { "math.sign",          CEL_CALL, "i:i",   sign_int,    false },
    { "math.sign",          CEL_CALL, "u:u",   sign_uint,   false },
    { "math.sign",          CEL_CALL, "d:d",   sign_double, false },
    { "math.bitAnd",        CEL_CALL, "ii:i",  and_int,     false },
    { "math.bitAnd",        CEL_CALL, "uu:u",  and_uint,    false },
    { "math.bitOr",         CEL_CALL, "ii:i",  or_int,      false },
    { "math.bitOr",         CEL_CALL, "uu:u",  or_uint,     false },
    { "math.bitXor",        CEL_CALL, "ii:i",  xor_int,     false },
    { "math.bitXor",        CEL_CALL, "uu:u",  xor_uint,    false },
    { "math.bitNot",        CEL_CALL, "i:i",   not_int,     false },
    { "math.bitNot",        CEL_CALL, "u:u",   not_uint,    false },
    { "math.bitShiftLeft",  CEL_CALL, "ii:i",  shift,       false },
    { "math.bitShiftLeft",  CEL_CALL, "ui:u",  shift,       false },
    { "math.bitShiftRight", CEL_CALL, "ii:i",  shift_right, false },
    { "math.bitShiftRight", CEL_CALL, "ui:u",  shift_right, false },
    { 0 },
};
/* clang-format on */
