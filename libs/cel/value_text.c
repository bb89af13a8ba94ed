/* Values as text, the way string() and format() write them. */

#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "cel/functions.h"
#include "cel/time_text.h"

/* The fewest digits that read back the same, as "d.ddde+xx". */
static void shortest(double number, char text[40])
{
    for (int digits = 1; digits <= 17; digits++) {
        double back;

        snprintf(text, 40, "%.*e", digits - 1, number);
        for (char *c = text; *c; c++)
            if (*c == ',') /* a locale's point */
                *c = '.';
        if (digits == 17 || (rv_text_double(text, &back) && back == number))
            return;
    }
}

/* "-1.5e+07" laid out without its exponent. */
static void add_plain(struct rv_buf *out, const char *digits, int n_digits, int exponent)
{
    if (exponent < 0) {
        rv_buf_text(out, "0.");
        for (int i = -1; i > exponent; i--)
            rv_buf_char(out, '0');
    }
    for (int i = 0; i < n_digits || i <= exponent; i++) {
        if (i == exponent + 1 && exponent >= 0)
            rv_buf_char(out, '.');
        rv_buf_char(out, i < n_digits ? digits[i] : '0');
    }
}

void cel_add_double(struct rv_buf *out, double number)
{
    char text[40], digits[20];
    int n_digits = 0, exponent;
    const char *e;

    if (!isfinite(number)) {
        rv_buf_text(out, isnan(number) ? "NaN" : number < 0 ? "-Infinity" : "Infinity");
        return;
    }
    shortest(number, text);
    e = strchr(text, 'e');
    exponent = (int)strtol(e + 1, NULL, 10);
    for (const char *c = text; c < e; c++)
        if (*c >= '0' && *c <= '9')
            digits[n_digits++] = *c;
    if (text[0] == '-')
        rv_buf_char(out, '-');
    if (exponent >= -4 && exponent < 21)
        add_plain(out, digits, n_digits, exponent);
    else
        rv_buf_text(out, text + (text[0] == '-'));
}

static bool add_list(struct cel_run *run, struct rv_buf *text, const struct cel_list *list)
{
    size_t size = cel_list_size(list);

    rv_buf_char(text, '[');
    for (size_t i = 0; i < size; i++) {
        if (i)
            rv_buf_text(text, ", ");
        if (!cel_add_text(run, text, cel_list_at(run->cx, list, i)))
            return false;
    }
    rv_buf_char(text, ']');
    return true;
}

/* @value as a string; CEL_NONE when too little is left. */
static struct cel_value written(struct cel_run *run, struct cel_value value)
{
    struct rv_buf text = { .arena = run->cx->arena };
    struct cel_value copy = cel_none();

    if (cel_add_text(run, &text, value))
        copy = cel_copy(run, CEL_STRING, text.data, text.len);
    return copy.kind == CEL_STRING ? copy : cel_none();
}

static void add_entries(struct rv_buf *text, const struct cel_pair *entries, size_t n)
{
    rv_buf_char(text, '{');
    for (size_t i = 0; i < n; i++) {
        rv_buf_text(text, i ? ", " : "");
        rv_buf_add(text, entries[i].key.text, entries[i].key.len);
        rv_buf_text(text, ": ");
        rv_buf_add(text, entries[i].value.text, entries[i].value.len);
    }
    rv_buf_char(text, '}');
}

static bool add_map(struct cel_run *run, struct rv_buf *text, const struct cel_map *map)
{
    size_t size = cel_map_size(map), n = 0;
    struct cel_pair *entries = cel_room(run, (size + 1) * 2 * sizeof(*entries));
    struct cel_walk walk = { 0 };

    while (entries && n < size && cel_map_next(run->cx, map, &walk)) {
        entries[n] = (struct cel_pair){ written(run, walk.key), written(run, walk.value) };
        if (entries[n].key.kind == CEL_NONE || entries[n].value.kind == CEL_NONE)
            return false;
        n++;
    }
    if (!entries || !cel_spend(run, n * 8))
        return false;
    cel_sort_pairs(entries, entries + size + 1, n); /* in the order of their keys' texts */
    add_entries(text, entries, n);
    return true;
}

/* A string must be UTF-8: what is not becomes U+FFFD. */
static void add_bytes(struct rv_buf *text, struct cel_value bytes)
{
    for (size_t i = 0; i < bytes.len;) {
        size_t whole = rv_utf8_next(bytes.text + i, bytes.len - i, NULL);

        if (whole)
            rv_buf_add(text, bytes.text + i, whole);
        else
            rv_buf_text(text, "\xef\xbf\xbd");
        i += whole ? whole : 1;
    }
}

bool cel_add_text(struct cel_run *run, struct rv_buf *text, struct cel_value value)
{
    bool sized = value.kind == CEL_STRING || value.kind == CEL_BYTES;

    if (!cel_spend(run, 2 + (sized ? value.len / 16 : 0)))
        return false;
    switch (value.kind) {
    case CEL_NULL:
        rv_buf_text(text, "null");
        return true;
    case CEL_BOOL:
        rv_buf_text(text, value.truth ? "true" : "false");
        return true;
    case CEL_INT:
        rv_buf_int(text, value.whole);
        return true;
    case CEL_UINT:
        rv_buf_printf(text, "%llu", (unsigned long long)value.natural);
        return true;
    case CEL_DOUBLE:
        cel_add_double(text, value.number);
        return true;
    case CEL_STRING:
        rv_buf_add(text, value.text, value.len);
        return true;
    case CEL_BYTES:
        add_bytes(text, value);
        return true;
    case CEL_LIST:
        return add_list(run, text, value.list);
    case CEL_MAP:
        return add_map(run, text, value.map);
    case CEL_TIMESTAMP:
        cel_timestamp_add_text(text, value);
        return true;
    case CEL_DURATION:
        cel_duration_add_text(text, value);
        return true;
    case CEL_TYPE:
        rv_buf_text(text, cel_type_name(value.type));
        return true;
    default:
        rv_buf_text(text, "optional");
        return true;
    }
}
