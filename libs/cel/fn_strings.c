/* Extension strings: positions are characters, from 0. */

#include "base/text.h"
#include "cel/functions.h"

static CEL_FUNCTION(joined)
{
    struct cel_value between = n_args == 2 ? args[1] : cel_text("");
    size_t size = cel_list_size(args[0].list);
    struct rv_buf text = { .arena = run->cx->arena };

    for (size_t i = 0; i < size; i++) {
        struct cel_value item = cel_list_at(run->cx, args[0].list, i);

        if (item.kind != CEL_STRING)
            return cel_fail(run, "no such overload: join() of %s", cel_kind_name(item.kind));
        if (!cel_spend(run, (item.len + between.len) / 16 + 1))
            return cel_spent(run);
        if (i)
            rv_buf_add(&text, between.text, between.len);
        rv_buf_add(&text, item.text, item.len);
    }
    return cel_copy(run, CEL_STRING, text.data, text.len);
}

static struct cel_value cased(struct cel_run *run, struct cel_value text, char from, char to,
                              int by)
{
    char *room = cel_room(run, (size_t)text.len + 1);

    for (size_t i = 0; room && i < text.len; i++) {
        char c = text.text[i];

        room[i] = (char)(c >= from && c <= to ? c + by : c);
    }
    return room ? cel_string(room, text.len) : cel_spent(run);
}

static CEL_FUNCTION(lower)
{
    return cased(run, args[0], 'A', 'Z', 'a' - 'A');
}

static CEL_FUNCTION(upper)
{
    return cased(run, args[0], 'a', 'z', 'A' - 'a');
}

/* Behind the character that begins at byte @at; behind the end there is one more. */
static size_t past_character(struct cel_value text, size_t at)
{
    return at + (at < text.len ? rv_utf8_next(text.text + at, text.len - at, NULL) : 1);
}

/* A limit below 0 is none. An empty old text stands before every character and at the end. */
static CEL_FUNCTION(replaced)
{
    struct cel_value text = args[0], old = args[1], new = args[2];
    int64_t limit = n_args == 4 && args[3].whole >= 0 ? args[3].whole : INT64_MAX;
    size_t at = 0, from = 0;
    struct rv_buf out = { .arena = run->cx->arena };

    for (; limit > 0 && from <= text.len; limit--) {
        size_t found = cel_find(text, old, from);

        if (old.len > 0 && found == text.len)
            break;
        if (!cel_spend(run, new.len / 16 + 1))
            return cel_spent(run);
        rv_buf_add(&out, text.text + at, found - at);
        rv_buf_add(&out, new.text, new.len);
        at = found + old.len;
        from = old.len > 0 ? at : past_character(text, at);
    }
    rv_buf_add(&out, text.text + at, text.len - at);
    return cel_copy(run, CEL_STRING, out.data, out.len);
}

/* The end of the piece that begins at byte @from: where @mark begins. No mark: one character. */
static size_t piece_end(struct cel_value text, struct cel_value mark, size_t from)
{
    if (mark.len > 0)
        return cel_find(text, mark, from);
    return from < text.len ? past_character(text, from) : from;
}

/* At most @limit pieces, the last with all that is left; below 0: no limit. */
static CEL_FUNCTION(split)
{
    struct cel_value text = args[0], mark = args[1];
    int64_t limit = n_args == 3 ? args[2].whole : -1;
    size_t most = mark.len ? text.len / mark.len + 1 : cel_characters(text);
    struct cel_value *items;
    size_t n = 0;

    if (limit >= 0 && (uint64_t)limit < most)
        most = (size_t)limit;
    items = cel_room(run, (most + 1) * sizeof(*items));
    if (!items)
        return cel_spent(run);
    for (size_t at = 0; n < most;) {
        size_t end = n + 1 == most && limit >= 0 ? text.len : piece_end(text, mark, at);

        items[n++] = cel_part(text, at, end);
        if (end == text.len)
            break;
        at = end + mark.len;
        if (at == text.len && mark.len && n < most) {
            items[n++] = cel_part(text, at, at);
            break;
        }
    }
    return cel_list_of(run->cx, items, n);
}

/* Unicode's White_Space. */
static bool is_blank(uint32_t c)
{
    return (c >= 0x9 && c <= 0xd) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

static CEL_FUNCTION(trim)
{
    size_t from = args[0].len, to = 0;

    for (size_t at = 0; at < args[0].len;) {
        uint32_t c = 0;
        size_t bytes = rv_utf8_next(args[0].text + at, args[0].len - at, &c);

        bytes += bytes == 0;
        if (!is_blank(c)) {
            from = at < from ? at : from;
            to = at + bytes;
        }
        at += bytes;
    }
    return from < to ? cel_part(args[0], from, to) : cel_text("");
}

static CEL_FUNCTION(reverse)
{
    size_t len = args[0].len;
    char *room = cel_room(run, len + 1);

    for (size_t at = 0; room && at < len;) {
        size_t bytes = rv_utf8_next(args[0].text + at, len - at, NULL);

        bytes += bytes == 0;
        memcpy(room + len - at - bytes, args[0].text + at, bytes);
        at += bytes;
    }
    return room ? cel_string(room, len) : cel_spent(run);
}

static CEL_FUNCTION(quote)
{
    static const char marks[] = "\a\b\f\n\r\t\v\\\"", letters[] = "abfnrtv\\\"";
    struct rv_buf text = { .arena = run->cx->arena };

    rv_buf_char(&text, '"');
    for (size_t i = 0; i < args[0].len; i++) {
        char c = args[0].text[i];
        const char *mark = c ? strchr(marks, c) : NULL;

        if (mark)
            rv_buf_char(&text, '\\');
        rv_buf_char(&text, mark ? letters[mark - marks] : c);
    }
    rv_buf_char(&text, '"');
    return cel_copy(run, CEL_STRING, text.data, text.len);
}

/* clang-format off */
const struct cel_function cel_fn_strings[] = {
    { "charAt",        CEL_METHOD, "si:s",   cel_strings_char_at,            true },
    { "indexOf",       CEL_METHOD, "ss:i",   cel_strings_index_of,           true },
    { "indexOf",       CEL_METHOD, "ssi:i",  cel_strings_index_of,           true },
    { "lastIndexOf",   CEL_METHOD, "ss:i",   cel_strings_last_index_of,      true },
    { "lastIndexOf",   CEL_METHOD, "ssi:i",  cel_strings_last_index_of,      true },
    { "join",          CEL_METHOD, "Ls:s",   joined,             true },
    { "join",          CEL_METHOD, "Lss:s",  joined,             true },
    { "lowerAscii",    CEL_METHOD, "s:s",    lower,              true },
    { "upperAscii",    CEL_METHOD, "s:s",    upper,              true },
    { "replace",       CEL_METHOD, "sss:s",  replaced,           true },
    { "replace",       CEL_METHOD, "sssi:s", replaced,           true },
    { "split",         CEL_METHOD, "ss:Ls",  split,              true },
    { "split",         CEL_METHOD, "ssi:Ls", split,              true },
    { "substring",     CEL_METHOD, "si:s",   cel_strings_substring,          true },
    { "substring",     CEL_METHOD, "sii:s",  cel_strings_substring,          true },
    { "trim",          CEL_METHOD, "s:s",    trim,               true },
    { "reverse",       CEL_METHOD, "s:s",    reverse,            true },
    { "reverse",       CEL_METHOD, "LA:LA",  cel_list_reverse,   false },
    { "strings.quote", CEL_CALL,   "s:s",    quote,              true },
    { "format",        CEL_METHOD, "sL*:s",  cel_strings_format, true },
    { 0 },
};
/* clang-format on */
