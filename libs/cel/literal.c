/* The half of lexer.h that knows what literals mean. */

#include "cel/lexer.h"

#include <string.h>

#include "base/text.h"

struct reading {
    const char *at, *end; /* what is left between the quotes */
    char *to;             /* where the next byte goes */
    bool bytes;
    const char *bad_at;
};

/* clang-format off */
static const struct {
    char letter, means;
} escapes[] = {
    { 'a', '\a' }, { 'b', '\b' }, { 'f', '\f' }, { 'n', '\n' },  { 'r', '\r' }, { 't', '\t' },
    { 'v', '\v' }, { '\\', '\\' }, { '?', '?' }, { '"', '"' },   { '\'', '\'' }, { '`', '`' },
};
static const struct {
    char letter;
    int base, digits;
    bool octet; /* in bytes it is one byte, not a character */
} numbered[] = {
    { 'x', 16, 2, true }, { 'X', 16, 2, true }, { 'u', 16, 4, false }, { 'U', 16, 8, false },
    { '0', 8, 3, true },  { '1', 8, 3, true },  { '2', 8, 3, true },   { '3', 8, 3, true },
};
/* clang-format on */

static void put_character(struct reading *reading, uint32_t code)
{
    if (code < 0x80) {
        *reading->to++ = (char)code;
    } else if (code < 0x800) {
        *reading->to++ = (char)(0xc0 | code >> 6);
        *reading->to++ = (char)(0x80 | (code & 63));
    } else if (code < 0x10000) {
        *reading->to++ = (char)(0xe0 | code >> 12);
        *reading->to++ = (char)(0x80 | (code >> 6 & 63));
        *reading->to++ = (char)(0x80 | (code & 63));
    } else {
        *reading->to++ = (char)(0xf0 | code >> 18);
        *reading->to++ = (char)(0x80 | (code >> 12 & 63));
        *reading->to++ = (char)(0x80 | (code >> 6 & 63));
        *reading->to++ = (char)(0x80 | (code & 63));
    }
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

/* @digits digits of @base from @at on; -1 when they are not all there. */
static int64_t number_at(const struct reading *reading, const char *at, int base, int digits)
{
    int64_t number = 0;

    if (reading->end - at < digits)
        return -1;
    for (int i = 0; i < digits; i++) {
        if (digit_of(at[i]) >= base)
            return -1;
        number = number * base + digit_of(at[i]);
    }
    return number;
}

static const char *read_numbered(struct reading *reading, size_t row)
{
    bool octal = numbered[row].base == 8;
    const char *from = reading->at + !octal;
    int64_t code = number_at(reading, from, numbered[row].base, numbered[row].digits);

    if (code < 0)
        return "an escape lacks digits";
    if (reading->bytes && !numbered[row].octet)
        return "bytes have no \\u";
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return "an escape is no character";
    reading->at = from + numbered[row].digits;
    if (reading->bytes)
        *reading->to++ = (char)code;
    else
        put_character(reading, (uint32_t)code);
    return NULL;
}

/* What stands behind a backslash. */
static const char *read_escape(struct reading *reading)
{
    for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
        if (reading->at < reading->end && *reading->at == escapes[i].letter) {
            *reading->to++ = escapes[i].means;
            reading->at++;
            return NULL;
        }
    }
    for (size_t i = 0; i < sizeof(numbered) / sizeof(numbered[0]); i++)
        if (reading->at < reading->end && *reading->at == numbered[i].letter)
            return read_numbered(reading, i);
    return "there is no such escape";
}

static const char *read_text(struct reading *reading, bool raw)
{
    while (reading->at < reading->end) {
        const char *why;

        if (*reading->at != '\\' || raw) {
            *reading->to++ = *reading->at++;
            continue;
        }
        reading->bad_at = reading->at++;
        why = read_escape(reading);
        if (why)
            return why;
    }
    return NULL;
}

static const char *string_literal(struct rv_ctx *cx, const struct cel_source *source,
                                  const struct cel_token *token, struct cel_value *value,
                                  size_t *bad_at)
{
    const char *from = source->text + token->at, *end = from + token->len, *why;
    bool raw = false;
    size_t width;
    struct reading reading;
    char *text;

    for (; *from != '"' && *from != '\''; from++)
        raw |= *from == 'r' || *from == 'R';
    width = end - from >= 6 && from[1] == *from && from[2] == *from ? 3 : 1;
    text = rv_arena_alloc(cx->arena, (size_t)(end - from)); /* no escape is longer than it means */
    reading = (struct reading){
        .at = from + width, .end = end - width, .to = text, .bytes = token->kind == TOKEN_BYTES
    };
    why = read_text(&reading, raw);
    if (why)
        *bad_at = (size_t)(reading.bad_at - source->text);
    else if (reading.bytes)
        *value = cel_bytes(text, (size_t)(reading.to - text));
    else
        *value = cel_string(text, (size_t)(reading.to - text));
    return why;
}

static bool natural_of(const char *text, size_t len, uint64_t *natural)
{
    bool hex = len > 2 && text[1] == 'x';

    *natural = 0;
    for (size_t i = hex ? 2 : 0; i < len; i++)
        if (__builtin_mul_overflow(*natural, hex ? 16u : 10u, natural) ||
            __builtin_add_overflow(*natural, (uint64_t)digit_of(text[i]), natural))
            return false;
    return len > 0 && text[len - 1] != 'x';
}

static const char *int_literal(const char *text, size_t len, bool negative, struct cel_value *value)
{
    uint64_t natural, most = (uint64_t)INT64_MAX + negative;

    if (!natural_of(text, len, &natural) || natural > most)
        return "the number does not fit an int";
    *value = cel_int(negative ? (int64_t)(0 - natural) : (int64_t)natural);
    return NULL;
}

static const char *double_literal(struct rv_ctx *cx, const char *text, size_t len, bool negative,
                                  struct cel_value *value)
{
    double number;

    if (!rv_text_double(rv_strndup(cx, text, len), &number))
        return "the number does not fit a double";
    *value = cel_double(negative ? -number : number);
    return NULL;
}

const char *cel_literal(struct rv_ctx *cx, const struct cel_source *source,
                        const struct cel_token *token, bool negative, struct cel_value *value,
                        size_t *bad_at)
{
    const char *text = source->text + token->at;
    uint64_t natural;

    *bad_at = token->at;
    switch (token->kind) {
    case TOKEN_INT:
        return int_literal(text, token->len, negative, value);
    case TOKEN_UINT:
        if (!natural_of(text, token->len - 1, &natural) || (negative && natural))
            return "the number does not fit a uint";
        *value = cel_uint(natural);
        return NULL;
    case TOKEN_DOUBLE:
        return double_literal(cx, text, token->len, negative, value);
    default:
        return string_literal(cx, source, token, value, bad_at);
    }
}
