#define _GNU_SOURCE /* memmem */
/* What the language itself says about strings, bytes and sizes. */

#include "base/text.h"
#include "cel/functions.h"

size_t cel_characters(struct cel_value value)
{
    size_t n = 0;

    for (size_t i = 0; i < value.len; i++)
        n += ((unsigned char)value.text[i] & 0xc0) != 0x80;
    return n;
}

size_t cel_character_at(struct cel_value value, size_t index)
{
    size_t at = 0;

    while (at < value.len) {
        if (((unsigned char)value.text[at] & 0xc0) != 0x80 && index-- == 0)
            break;
        at++;
    }
    return at;
}

static CEL_FUNCTION(text_size)
{
    if (args[0].kind == CEL_BYTES)
        return cel_int(args[0].len);
    return cel_spend(run, args[0].len / 16) ? cel_int((int64_t)cel_characters(args[0]))
                                            : cel_spent(run);
}

static CEL_FUNCTION(list_size)
{
    return cel_int((int64_t)cel_list_size(args[0].list));
}

static CEL_FUNCTION(map_size)
{
    return cel_int((int64_t)cel_map_size(args[0].map));
}

static CEL_FUNCTION(contains)
{
    return cel_bool(args[1].len == 0 ||
                    memmem(args[0].text, args[0].len, args[1].text, args[1].len) != NULL);
}

/* Whether @part stands in @text at byte @at. */
static struct cel_value stands_at(struct cel_run *run, struct cel_value text, struct cel_value part,
                                  size_t at)
{
    if (part.len > text.len)
        return cel_bool(false);
    if (!cel_spend(run, part.len / 16))
        return cel_spent(run);
    return cel_bool(part.len == 0 || memcmp(text.text + at, part.text, part.len) == 0);
}

static CEL_FUNCTION(starts_with)
{
    return stands_at(run, args[0], args[1], 0);
}

static CEL_FUNCTION(ends_with)
{
    return stands_at(run, args[0], args[1], args[0].len - args[1].len);
}

static CEL_FUNCTION(matches)
{
    const struct cel_regex *regex;
    const char *why = NULL;
    size_t bytes;

    if (!cel_spend(run, args[1].len))
        return cel_spent(run);
    regex = cel_regex_compile(run->cx, args[1].text, args[1].len, &bytes, &why);
    if (!cel_spend(run, bytes / 16))
        return cel_spent(run);
    return regex ? cel_regex_match(run, regex, args[0]) : cel_fail(run, "matches(): %s", why);
}

CEL_FUNCTION(cel_text_add)
{
    size_t len = (size_t)args[0].len + args[1].len;
    char *text = len < UINT32_MAX ? cel_room(run, len + 1) : NULL;

    if (!text)
        return cel_spent(run);
    if (args[0].len)
        memcpy(text, args[0].text, args[0].len);
    if (args[1].len)
        memcpy(text + args[0].len, args[1].text, args[1].len);
    return args[0].kind == CEL_BYTES ? cel_bytes(text, len) : cel_string(text, len);
}

/* clang-format off */
const struct cel_function cel_fn_string[] = {
    { "size",       CEL_BOTH,   "s:i",    text_size,   false },
    { "size",       CEL_BOTH,   "y:i",    text_size,   false },
    { "size",       CEL_BOTH,   "LA:i",   list_size,   false },
    { "size",       CEL_BOTH,   "MAB:i",  map_size,    false },
    { "contains",   CEL_METHOD, "ss:b",   contains,    true },
    { "startsWith", CEL_METHOD, "ss:b",   starts_with, false },
    { "endsWith",   CEL_METHOD, "ss:b",   ends_with,   false },
    { "matches",    CEL_BOTH,   "ss:b",   matches,     true },
    { 0 },
};
/* clang-format on */
