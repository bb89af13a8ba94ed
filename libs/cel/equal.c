/* The half of function.h that compares. */

#include <math.h>
#include <string.h>

#include "cel/program.h"

enum { UNORDERED = 2 };

static bool is_number(struct cel_value value)
{
    return value.kind == CEL_INT || value.kind == CEL_UINT || value.kind == CEL_DOUBLE;
}

static int order(bool less, bool more)
{
    return less ? -1 : more;
}

static int compare_double(double a, double b)
{
    return isnan(a) || isnan(b) ? UNORDERED : order(a<b, a> b);
}

/* As doubles, once the double is in the range of the other: that is how the language has it, though
 * beyond 2^53 neighbours are then the same. */
static int compare_int_double(int64_t whole, double number)
{
    if (number > 0x1p63)
        return -1;
    if (number < -0x1p63)
        return 1;
    return compare_double((double)whole, number);
}

static int compare_uint_double(uint64_t natural, double number)
{
    if (number > 0x1p64)
        return -1;
    if (number < 0)
        return 1;
    return compare_double((double)natural, number);
}

static int compare_uint_int(uint64_t natural, int64_t whole)
{
    if (whole < 0)
        return 1;
    return order(natural<(uint64_t)whole, natural>(uint64_t) whole);
}

static int reversed(int order)
{
    return order == UNORDERED ? order : -order;
}

static int compare_numbers(struct cel_value a, struct cel_value b)
{
    if (a.kind == CEL_INT && b.kind == CEL_INT)
        return order(a.whole<b.whole, a.whole> b.whole);
    if (a.kind == CEL_UINT && b.kind == CEL_UINT)
        return order(a.natural<b.natural, a.natural> b.natural);
    if (a.kind == CEL_DOUBLE && b.kind == CEL_DOUBLE)
        return compare_double(a.number, b.number);
    if (a.kind > b.kind)
        return reversed(compare_numbers(b, a));
    if (a.kind == CEL_INT && b.kind == CEL_UINT)
        return reversed(compare_uint_int(b.natural, a.whole));
    if (a.kind == CEL_INT)
        return compare_int_double(a.whole, b.number);
    return compare_uint_double(a.natural, b.number);
}

/* UTF-8 is in the order of code points as it is in the order of bytes. */
static int compare_text(struct cel_value a, struct cel_value b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int bytes = len ? memcmp(a.text, b.text, len) : 0;

    return bytes ? order(bytes < 0, true) : order(a.len<b.len, a.len> b.len);
}

int cel_compare(struct cel_value a, struct cel_value b)
{
    if (is_number(a) && is_number(b))
        return compare_numbers(a, b);
    if (a.kind != b.kind)
        return UNORDERED;
    switch (a.kind) {
    case CEL_STRING:
    case CEL_BYTES:
        return compare_text(a, b);
    case CEL_TIMESTAMP:
        return a.whole != b.whole ? order(a.whole < b.whole, true)
                                  : order(a.len<b.len, a.len> b.len);
    case CEL_BOOL:
    case CEL_DURATION:
        return order(a.whole<b.whole, a.whole> b.whole);
    default:
        return UNORDERED;
    }
}

static bool equal_lists(struct cel_run *run, const struct cel_list *a, const struct cel_list *b)
{
    size_t size = cel_list_size(a);

    if (size != cel_list_size(b))
        return false;
    for (size_t i = 0; i < size; i++)
        if (!cel_equal(run, cel_list_at(run->cx, a, i), cel_list_at(run->cx, b, i)))
            return false;
    return true;
}

static bool equal_maps(struct cel_run *run, const struct cel_map *a, const struct cel_map *b)
{
    struct cel_walk walk = { 0 };

    if (cel_map_size(a) != cel_map_size(b))
        return false;
    while (cel_map_next(run->cx, a, &walk)) {
        struct cel_value other = cel_map_get(run->cx, b, walk.key);

        if (other.kind == CEL_NONE || !cel_equal(run, walk.value, other))
            return false;
    }
    return true;
}

static bool equal_texts(struct cel_run *run, struct cel_value a, struct cel_value b)
{
    return a.len == b.len && cel_spend(run, a.len / 16) &&
           (a.len == 0 || memcmp(a.text, b.text, a.len) == 0);
}

bool cel_equal(struct cel_run *run, struct cel_value a, struct cel_value b)
{
    if (!cel_spend(run, 1))
        return false;
    if (a.kind != b.kind)
        return is_number(a) && is_number(b) && compare_numbers(a, b) == 0;
    switch (a.kind) {
    case CEL_NULL:
        return true;
    case CEL_STRING:
    case CEL_BYTES:
        return equal_texts(run, a, b);
    case CEL_LIST:
        return cel_spend(run, 3) && equal_lists(run, a.list, b.list);
    case CEL_MAP:
        return cel_spend(run, 3) && equal_maps(run, a.map, b.map);
    case CEL_TYPE:
        return strcmp(cel_type_name(a.type), cel_type_name(b.type)) == 0;
    case CEL_OPTIONAL:
        return a.held && b.held ? cel_equal(run, *a.held, *b.held) : a.held == b.held;
    default:
        return cel_compare(a, b) == 0;
    }
}
