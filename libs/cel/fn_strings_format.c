/* Extension strings: format(), "%d of %s". */

#include <math.h>
#include <stdio.h>

#include "cel/functions.h"

enum { PRECISION = 6, PRECISION_MAX = 100 };

/* A clause on its way: what it makes of a value goes to @text. False: @wrong says why. */
struct formatting {
    struct cel_run *run;
    struct rv_buf text;
    struct cel_value wrong;
    int precision; /* -1: not given */
    char clause;
};

static bool refuse(struct formatting *formatting, const char *takes, struct cel_value value)
{
    formatting->wrong = cel_fail(formatting->run, "%%%c takes %s, not %s", formatting->clause,
                                 takes, cel_kind_name(value.kind));
    return false;
}

static bool is_whole(struct cel_value value)
{
    return value.kind == CEL_INT || value.kind == CEL_UINT;
}

/* The digits of an int or uint in @base, with a minus. */
static void add_digits(struct rv_buf *text, struct cel_value value, unsigned base,
                       const char *letters)
{
    bool negative = value.kind == CEL_INT && value.whole < 0;
    uint64_t left = negative ? -value.natural : value.natural;
    char digits[70], *at = digits + sizeof(digits);

    do
        *--at = letters[left % base];
    while (left /= base);
    if (negative)
        *--at = '-';
    rv_buf_add(text, at, (size_t)(digits + sizeof(digits) - at));
}

static bool add_decimal(struct formatting *formatting, struct cel_value value)
{
    if (value.kind == CEL_DOUBLE)
        cel_add_double(&formatting->text, value.number);
    else if (is_whole(value))
        add_digits(&formatting->text, value, 10, "0123456789");
    else
        return refuse(formatting, "numbers", value);
    return true;
}

static bool add_double(struct formatting *formatting, struct cel_value value)
{
    char text[450];
    int precision = formatting->precision < 0 ? PRECISION : formatting->precision;

    if (is_whole(value))
        value = cel_double(value.kind == CEL_INT ? (double)value.whole : (double)value.natural);
    if (value.kind != CEL_DOUBLE)
        return refuse(formatting, "numbers", value);
    if (!isfinite(value.number)) {
        cel_add_double(&formatting->text, value.number);
        return true;
    }
    snprintf(text, sizeof(text), formatting->clause == 'e' ? "%.*e" : "%.*f", precision,
             value.number);
    for (char *c = text; *c; c++)
        if (*c == ',') /* a locale's point */
            *c = '.';
    rv_buf_text(&formatting->text, text);
    return true;
}

static bool add_binary(struct formatting *formatting, struct cel_value value)
{
    if (value.kind == CEL_BOOL)
        value = cel_int(value.truth);
    if (!is_whole(value))
        return refuse(formatting, "int, uint and bool", value);
    add_digits(&formatting->text, value, 2, "01");
    return true;
}

static bool add_octal(struct formatting *formatting, struct cel_value value)
{
    if (!is_whole(value))
        return refuse(formatting, "int and uint", value);
    add_digits(&formatting->text, value, 8, "01234567");
    return true;
}

static bool add_hex(struct formatting *formatting, struct cel_value value)
{
    const char *letters = formatting->clause == 'x' ? "0123456789abcdef" : "0123456789ABCDEF";

    if (is_whole(value)) {
        add_digits(&formatting->text, value, 16, letters);
        return true;
    }
    if (value.kind != CEL_STRING && value.kind != CEL_BYTES)
        return refuse(formatting, "int, uint, string and bytes", value);
    if (!cel_spend(formatting->run, value.len / 8))
        return false;
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.text[i];

        rv_buf_char(&formatting->text, letters[c >> 4]);
        rv_buf_char(&formatting->text, letters[c & 15]);
    }
    return true;
}

static bool add_string(struct formatting *formatting, struct cel_value value)
{
    if (value.kind == CEL_OPTIONAL)
        return refuse(formatting, "what has a text", value);
    return cel_add_text(formatting->run, &formatting->text, value);
}

static const struct {
    char clause;
    bool (*add)(struct formatting *formatting, struct cel_value value);
} clauses[] = {
    { 's', add_string }, { 'd', add_decimal }, { 'f', add_double }, { 'e', add_double },
    { 'b', add_binary }, { 'o', add_octal },   { 'x', add_hex },    { 'X', add_hex },
};

static bool add_clause(struct formatting *formatting, struct cel_value value)
{
    for (size_t i = 0; i < sizeof(clauses) / sizeof(clauses[0]); i++)
        if (clauses[i].clause == formatting->clause)
            return clauses[i].add(formatting, value);
    formatting->wrong = cel_fail(formatting->run, "there is no formatting clause %%%c",
                                 formatting->clause >= ' ' ? formatting->clause : '?');
    return false;
}

/* ".3" before a clause; false when it is no precision. */
static bool read_precision(struct formatting *formatting, const char **at, const char *end)
{
    formatting->precision = -1;
    if (*at == end || **at != '.')
        return true;
    formatting->precision = 0;
    for (++*at; *at < end && **at >= '0' && **at <= '9'; ++*at) {
        formatting->precision = formatting->precision * 10 + (**at - '0');
        if (formatting->precision > PRECISION_MAX) {
            formatting->wrong = cel_fail(formatting->run, "a precision is over %d", PRECISION_MAX);
            return false;
        }
    }
    return true;
}

/* From a % on; moves behind the clause. */
static bool read_clause(struct formatting *formatting, const char **at, const char *end,
                        const struct cel_list *args, size_t *n_used)
{
    if (*at < end && **at == '%') {
        rv_buf_char(&formatting->text, *(*at)++);
        return true;
    }
    if (!read_precision(formatting, at, end))
        return false;
    if (*at == end) {
        formatting->wrong = cel_fail(formatting->run, "the text ends in a %%");
        return false;
    }
    formatting->clause = *(*at)++;
    if (*n_used == cel_list_size(args)) {
        formatting->wrong = cel_fail(formatting->run, "index %zu out of range", *n_used);
        return false;
    }
    return add_clause(formatting, cel_list_at(formatting->run->cx, args, (*n_used)++)) &&
           cel_spend(formatting->run, 2);
}

static struct cel_value finish(struct formatting *formatting, bool good)
{
    struct cel_value value = formatting->wrong;

    if (good)
        value = cel_copy(formatting->run, CEL_STRING, formatting->text.data, formatting->text.len);
    return value.kind == CEL_NONE ? cel_spent(formatting->run) : value;
}

CEL_FUNCTION(cel_strings_format)
{
    struct formatting formatting = { .run = run, .text = { .arena = run->cx->arena } };
    const char *at = args[0].text, *end = at + args[0].len;
    size_t n_used = 0;
    bool good = true;

    while (good && at < end) {
        const char *mark = memchr(at, '%', (size_t)(end - at));

        rv_buf_add(&formatting.text, at, (size_t)((mark ? mark : end) - at));
        if (!mark)
            break;
        at = mark + 1;
        good = read_clause(&formatting, &at, end, args[1].list, &n_used);
    }
    return finish(&formatting, good);
}
