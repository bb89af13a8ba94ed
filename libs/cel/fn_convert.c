/* Conversions: from one type to another, or an error when the value would be another. */

#include <math.h>

#include "base/text.h"
#include "cel/functions.h"
#include "cel/time_text.h"

enum { DIGITS_MAX = 64 }; /* of a number as text */

static CEL_FUNCTION(same)
{
    return args[0];
}

static struct cel_value out_of_range(struct cel_run *run, const char *type)
{
    return cel_fail(run, "the value is out of range for %s", type);
}

static struct cel_value unreadable(struct cel_run *run, struct cel_value text, const char *type)
{
    return cel_fail(run, "\"%.*s\" is no %s", (int)rv_utf8_cut(text.text, text.len, 40), text.text,
                    type);
}

static CEL_FUNCTION(int_of)
{
    if (args[0].kind == CEL_UINT && args[0].natural <= INT64_MAX)
        return cel_int((int64_t)args[0].natural);
    if (args[0].kind == CEL_DOUBLE && args[0].number > -0x1p63 && args[0].number < 0x1p63)
        return cel_int((int64_t)args[0].number);
    if (args[0].kind == CEL_TIMESTAMP)
        return cel_int(args[0].whole);
    return out_of_range(run, "int");
}

/* A text with a NUL at its end; what is too long to be a number is none. */
static const char *short_text(struct cel_value value, char room[DIGITS_MAX + 1])
{
    if (value.len > DIGITS_MAX || (value.len && memchr(value.text, 0, value.len)))
        return "";
    memcpy(room, value.len ? value.text : "", value.len);
    room[value.len] = '\0';
    return room;
}

static CEL_FUNCTION(int_read)
{
    char room[DIGITS_MAX + 1];
    int64_t whole;

    return rv_text_int(short_text(args[0], room), &whole) ? cel_int(whole)
                                                          : unreadable(run, args[0], "int");
}

static CEL_FUNCTION(uint_of)
{
    if (args[0].kind == CEL_INT && args[0].whole >= 0)
        return cel_uint((uint64_t)args[0].whole);
    if (args[0].kind == CEL_DOUBLE && args[0].number >= 0 && args[0].number < 0x1p64)
        return cel_uint((uint64_t)args[0].number);
    return out_of_range(run, "uint");
}

static CEL_FUNCTION(uint_read)
{
    uint64_t natural = 0;

    if (args[0].len == 0 || args[0].len > DIGITS_MAX)
        return unreadable(run, args[0], "uint");
    for (size_t i = 0; i < args[0].len; i++) {
        unsigned digit = (unsigned)(args[0].text[i] - '0');

        if (digit > 9 || __builtin_mul_overflow(natural, 10u, &natural) ||
            __builtin_add_overflow(natural, digit, &natural))
            return unreadable(run, args[0], "uint");
    }
    return cel_uint(natural);
}

static CEL_FUNCTION(double_of)
{
    return cel_double(args[0].kind == CEL_INT ? (double)args[0].whole : (double)args[0].natural);
}

static CEL_FUNCTION(double_read)
{
    static const struct {
        const char *text;
        double number;
    } words[] = { { "NaN", NAN },      { "Infinity", INFINITY }, { "-Infinity", -INFINITY },
                  { "inf", INFINITY }, { "-inf", -INFINITY },    { "+Inf", INFINITY },
                  { "Inf", INFINITY }, { "-Inf", -INFINITY } };
    char room[DIGITS_MAX + 1];
    const char *text = short_text(args[0], room);
    double number;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(text, words[i].text) == 0)
            return cel_double(words[i].number);
    return rv_text_double(text, &number) ? cel_double(number) : unreadable(run, args[0], "double");
}

static CEL_FUNCTION(bool_read)
{
    static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
    static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False" };
    char room[DIGITS_MAX + 1];
    const char *text = short_text(args[0], room);

    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (strcmp(text, yes[i]) == 0)
            return cel_bool(true);
        if (strcmp(text, no[i]) == 0)
            return cel_bool(false);
    }
    return unreadable(run, args[0], "bool");
}

static CEL_FUNCTION(string_of)
{
    struct rv_buf text = { .arena = run->cx->arena };

    if (!cel_add_text(run, &text, args[0]))
        return cel_spent(run);
    return cel_copy(run, CEL_STRING, text.data, text.len);
}

static CEL_FUNCTION(string_read)
{
    if (!cel_spend(run, args[0].len / 16))
        return cel_spent(run);
    if (!rv_utf8_ok(args[0].text, args[0].len))
        return cel_fail(run, "the bytes are not UTF-8");
    return cel_string(args[0].text, args[0].len);
}

static CEL_FUNCTION(bytes_of)
{
    return cel_bytes(args[0].text, args[0].len);
}

static CEL_FUNCTION(type_of)
{
    return cel_type_value(cel_type_of(args[0]));
}

static CEL_FUNCTION(timestamp_of)
{
    struct cel_value value = cel_timestamp_of(args[0].whole, 0);

    return value.kind == CEL_NONE ? out_of_range(run, "timestamp") : value;
}

static CEL_FUNCTION(timestamp_read)
{
    struct cel_value value;

    if (!cel_timestamp_read(args[0].text, args[0].len, &value))
        return unreadable(run, args[0], "timestamp in years 1 to 9999 (out of range)");
    return value;
}

static CEL_FUNCTION(duration_read)
{
    struct cel_value value;

    if (!cel_duration_read(args[0].text, args[0].len, &value))
        return unreadable(run, args[0], "duration of at most 292 years (out of range)");
    return value;
}

/* clang-format off */
const struct cel_function cel_fn_convert[] = {
    { "int",       CEL_CALL, "i:i", same,           false },
    { "int",       CEL_CALL, "u:i", int_of,         false },
    { "int",       CEL_CALL, "d:i", int_of,         false },
    { "int",       CEL_CALL, "s:i", int_read,       false },
    { "int",       CEL_CALL, "t:i", int_of,         false },
    { "uint",      CEL_CALL, "u:u", same,           false },
    { "uint",      CEL_CALL, "i:u", uint_of,        false },
    { "uint",      CEL_CALL, "d:u", uint_of,        false },
    { "uint",      CEL_CALL, "s:u", uint_read,      false },
    { "double",    CEL_CALL, "d:d", same,           false },
    { "double",    CEL_CALL, "i:d", double_of,      false },
    { "double",    CEL_CALL, "u:d", double_of,      false },
    { "double",    CEL_CALL, "s:d", double_read,    false },
    { "bool",      CEL_CALL, "b:b", same,           false },
    { "bool",      CEL_CALL, "s:b", bool_read,      false },
    { "string",    CEL_CALL, "s:s", same,           false },
    { "string",    CEL_CALL, "b:s", string_of,      false },
    { "string",    CEL_CALL, "i:s", string_of,      false },
    { "string",    CEL_CALL, "u:s", string_of,      false },
    { "string",    CEL_CALL, "d:s", string_of,      false },
    { "string",    CEL_CALL, "y:s", string_read,    false },
    { "string",    CEL_CALL, "t:s", string_of,      false },
    { "string",    CEL_CALL, "D:s", string_of,      false },
    { "bytes",     CEL_CALL, "y:y", same,           false },
    { "bytes",     CEL_CALL, "s:y", bytes_of,       false },
    { "timestamp", CEL_CALL, "t:t", same,           false },
    { "timestamp", CEL_CALL, "i:t", timestamp_of,   false },
    { "timestamp", CEL_CALL, "s:t", timestamp_read, false },
    { "duration",  CEL_CALL, "D:D", same,           false },
    { "duration",  CEL_CALL, "s:D", duration_read,  false },
    { "type",      CEL_CALL, "A:T", type_of,        false },
    { "dyn",       CEL_CALL, "A:*", same,           false },
    { 0 },
};
/* clang-format on */
