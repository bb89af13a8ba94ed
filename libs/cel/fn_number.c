/* Arithmetic. What does not fit is an error, never another number. */

#include "cel/functions.h"

static struct cel_value overflow(struct cel_run *run)
{
    return cel_fail(run, "the result is out of range (overflow)");
}

#define INT_OPERATION(name, builtin)                                                               \
    static CEL_FUNCTION(int_##name)                                                                \
    {                                                                                              \
        int64_t result;                                                                            \
                                                                                                   \
        return builtin(args[0].whole, args[1].whole, &result) ? overflow(run) : cel_int(result);   \
    }                                                                                              \
    static CEL_FUNCTION(uint_##name)                                                               \
    {                                                                                              \
        uint64_t result;                                                                           \
                                                                                                   \
        return builtin(args[0].natural, args[1].natural, &result) ? overflow(run)                  \
                                                                  : cel_uint(result);              \
    }
INT_OPERATION(add, __builtin_add_overflow)
INT_OPERATION(subtract, __builtin_sub_overflow)
INT_OPERATION(multiply, __builtin_mul_overflow)

#define DOUBLE_OPERATION(name, sign)                                                               \
    static CEL_FUNCTION(double_##name)                                                             \
    {                                                                                              \
        return cel_double(args[0].number sign args[1].number);                                     \
    }
DOUBLE_OPERATION(add, +)
DOUBLE_OPERATION(subtract, -)
DOUBLE_OPERATION(multiply, *)
DOUBLE_OPERATION(divide, /)

static CEL_FUNCTION(int_divide)
{
    if (args[1].whole == 0)
        return cel_fail(run, "division by zero");
    if (args[0].whole == INT64_MIN && args[1].whole == -1)
        return overflow(run);
    return cel_int(args[0].whole / args[1].whole);
}

static CEL_FUNCTION(uint_divide)
{
    if (args[1].natural == 0)
        return cel_fail(run, "division by zero");
    return cel_uint(args[0].natural / args[1].natural);
}

static CEL_FUNCTION(int_modulo)
{
    if (args[1].whole == 0)
        return cel_fail(run, "modulus by zero");
    if (args[0].whole == INT64_MIN && args[1].whole == -1)
        return overflow(run);
    return cel_int(args[0].whole % args[1].whole);
}

static CEL_FUNCTION(uint_modulo)
{
    if (args[1].natural == 0)
        return cel_fail(run, "modulus by zero");
    return cel_uint(args[0].natural % args[1].natural);
}

static CEL_FUNCTION(int_negate)
{
    return args[0].whole == INT64_MIN ? overflow(run) : cel_int(-args[0].whole);
}

static CEL_FUNCTION(double_negate)
{
    return cel_double(-args[0].number);
}

/* clang-format off */
const struct cel_function cel_fn_number[] = {
    { "_+_", CEL_CALL, "ii:i",     int_add,             false },
    { "_+_", CEL_CALL, "uu:u",     uint_add,            false },
    { "_+_", CEL_CALL, "dd:d",     double_add,          false },
    { "_+_", CEL_CALL, "ss:s",     cel_text_add,        false },
    { "_+_", CEL_CALL, "yy:y",     cel_text_add,        false },
    { "_+_", CEL_CALL, "LALA:LA",  cel_list_add,        false },
    { "_+_", CEL_CALL, "tD:t",     cel_time_add,        false },
    { "_+_", CEL_CALL, "Dt:t",     cel_time_add,        false },
    { "_+_", CEL_CALL, "DD:D",     cel_time_add,        false },
    { "_-_", CEL_CALL, "ii:i",     int_subtract,        false },
    { "_-_", CEL_CALL, "uu:u",     uint_subtract,       false },
    { "_-_", CEL_CALL, "dd:d",     double_subtract,     false },
    { "_-_", CEL_CALL, "tt:D",     cel_time_subtract,   false },
    { "_-_", CEL_CALL, "tD:t",     cel_time_subtract,   false },
    { "_-_", CEL_CALL, "DD:D",     cel_time_subtract,   false },
    { "_*_", CEL_CALL, "ii:i",     int_multiply,        false },
    { "_*_", CEL_CALL, "uu:u",     uint_multiply,       false },
    { "_*_", CEL_CALL, "dd:d",     double_multiply,     false },
    { "_/_", CEL_CALL, "ii:i",     int_divide,          false },
    { "_/_", CEL_CALL, "uu:u",     uint_divide,         false },
    { "_/_", CEL_CALL, "dd:d",     double_divide,       false },
    { "_%_", CEL_CALL, "ii:i",     int_modulo,          false },
    { "_%_", CEL_CALL, "uu:u",     uint_modulo,         false },
    { "-_",  CEL_CALL, "i:i",      int_negate,          false },
    { "-_",  CEL_CALL, "d:d",      double_negate,       false },
    { 0 },
};
/* clang-format on */
