/* Extension strings: what is where. */

#define _GNU_SOURCE /* memmem */
#include "cel/functions.h"

struct cel_value cel_part(struct cel_value text, size_t from, size_t to)
{
    return cel_string(text.text + from, to - from);
}

size_t cel_find(struct cel_value text, struct cel_value what, size_t from)
{
    const char *found;

    if (what.len == 0)
        return from;
    found = memmem(text.text + from, text.len - from, what.text, what.len);
    return found ? (size_t)(found - text.text) : text.len;
}

static struct cel_value out_of_range(struct cel_run *run, int64_t index)
{
    return cel_fail(run, "index out of range: %lld", (long long)index);
}

/* Whether @index is that of a character of @text, or right behind the last. */
static bool inside(struct cel_value text, int64_t index)
{
    return index >= 0 && (uint64_t)index <= cel_characters(text);
}

CEL_FUNCTION(cel_strings_char_at)
{
    int64_t index = args[1].whole;

    if (!inside(args[0], index))
        return out_of_range(run, index);
    return cel_part(args[0], cel_character_at(args[0], (size_t)index),
                    cel_character_at(args[0], (size_t)index + 1));
}

CEL_FUNCTION(cel_strings_index_of)
{
    int64_t index = n_args == 3 ? args[2].whole : 0;
    size_t at;

    if (!inside(args[0], index))
        return out_of_range(run, index);
    at = cel_find(args[0], args[1], cel_character_at(args[0], (size_t)index));
    if (at == args[0].len && args[1].len > 0)
        return cel_int(-1);
    return cel_int((int64_t)cel_characters(cel_part(args[0], 0, at)));
}

/* The last place that is not behind the given one. */
CEL_FUNCTION(cel_strings_last_index_of)
{
    struct cel_value text = args[0], what = args[1];
    size_t at = text.len;

    if (n_args == 3 && !inside(text, args[2].whole))
        return out_of_range(run, args[2].whole);
    if (n_args == 3)
        at = cel_character_at(text, (size_t)args[2].whole);
    if (what.len > text.len || !cel_spend(run, (size_t)what.len * (at / 64 + 1) / 16))
        return run->spent ? cel_spent(run) : cel_int(-1);
    if (at > text.len - what.len)
        at = text.len - what.len;
    for (;; at--) {
        if (what.len == 0 || memcmp(text.text + at, what.text, what.len) == 0)
            return cel_int((int64_t)cel_characters(cel_part(text, 0, at)));
        if (at == 0)
            return cel_int(-1);
    }
}

CEL_FUNCTION(cel_strings_substring)
{
    int64_t from = args[1].whole, to = n_args == 3 ? args[2].whole : from;

    if (!inside(args[0], from))
        return out_of_range(run, from);
    if (!inside(args[0], to))
        return out_of_range(run, to);
    if (to < from)
        return cel_fail(run, "invalid substring range: %lld to %lld", (long long)from,
                        (long long)to);
    return cel_part(args[0], cel_character_at(args[0], (size_t)from),
                    n_args == 3 ? cel_character_at(args[0], (size_t)to) : args[0].len);
}
