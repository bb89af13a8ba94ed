/* Values as JSON. */

#include <math.h>

#include "base/text.h"
#include "cel/functions.h"
#include "cel/time_text.h"

struct writing {
    struct rv_ctx *cx;
    struct rv_buf *json;
    size_t most; /* bytes that the buf may have */
};

static bool add_value(struct writing *writing, struct cel_value value, int depth);

/* As rv_buf_json, for text that may have a NUL in it. */
static void add_string(struct rv_buf *json, const char *text, size_t len)
{
    static const char named[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";

    rv_buf_char(json, '"');
    for (size_t i = 0; i < len;) {
        unsigned char c = (unsigned char)text[i];
        size_t bytes = rv_utf8_next(text + i, len - i, NULL);
        const char *name = c ? strchr(named, c) : NULL;

        if (name)
            rv_buf_add(json, (char[]){ '\\', letters[name - named] }, 2);
        else if (bytes == 0)
            rv_buf_text(json, "\\ufffd");
        else if (c < 0x20 || c == 0x7f)
            rv_buf_printf(json, "\\u%04x", c);
        else
            rv_buf_add(json, text + i, bytes);
        i += bytes ? bytes : 1;
    }
    rv_buf_char(json, '"');
}

static void add_double(struct rv_buf *json, double number)
{
    const char *quote = isfinite(number) ? "" : "\"";
    size_t from = json->len;

    rv_buf_text(json, quote);
    cel_add_double(json, number);
    rv_buf_text(json, quote);
    if (isfinite(number) && !strpbrk(json->data + from, ".e"))
        rv_buf_text(json, ".0"); /* or it would be an int to whoever reads it */
}

static bool add_list(struct writing *writing, const struct cel_list *list, int depth)
{
    size_t size = cel_list_size(list);

    rv_buf_char(writing->json, '[');
    for (size_t i = 0; i < size; i++) {
        if (i)
            rv_buf_char(writing->json, ',');
        if (!add_value(writing, cel_list_at(writing->cx, list, i), depth + 1))
            return false;
    }
    rv_buf_char(writing->json, ']');
    return true;
}

static void add_key(struct rv_buf *json, struct cel_value key)
{
    if (key.kind == CEL_STRING)
        add_string(json, key.text, key.len);
    else if (key.kind == CEL_BOOL)
        rv_buf_text(json, key.truth ? "\"true\"" : "\"false\"");
    else if (key.kind == CEL_UINT)
        rv_buf_printf(json, "\"%llu\"", (unsigned long long)key.natural);
    else
        rv_buf_printf(json, "\"%lld\"", (long long)key.whole);
}

static bool add_map(struct writing *writing, const struct cel_map *map, int depth)
{
    struct cel_walk walk = { 0 };
    bool first = true;

    rv_buf_char(writing->json, '{');
    while (cel_map_next(writing->cx, map, &walk)) {
        if (!first)
            rv_buf_char(writing->json, ',');
        first = false;
        add_key(writing->json, walk.key);
        rv_buf_char(writing->json, ':');
        if (!add_value(writing, walk.value, depth + 1))
            return false;
    }
    rv_buf_char(writing->json, '}');
    return true;
}

/* A time, a type: its text between quotes. */
static void add_quoted(struct rv_buf *json, struct cel_value value)
{
    rv_buf_char(json, '"');
    if (value.kind == CEL_TIMESTAMP)
        cel_timestamp_add_text(json, value);
    else if (value.kind == CEL_DURATION)
        cel_duration_add_text(json, value);
    else if (value.kind == CEL_TYPE)
        rv_buf_text(json, cel_type_name(value.type));
    else
        rv_buf_base64(json, value.text, value.len);
    rv_buf_char(json, '"');
}

static bool add_value(struct writing *writing, struct cel_value value, int depth)
{
    struct rv_buf *json = writing->json;

    if (json->len > writing->most || depth > CEL_DEPTH_MAX ||
        (value.kind == CEL_STRING && value.len > writing->most - json->len))
        return false;
    switch (value.kind) {
    case CEL_BOOL:
        rv_buf_text(json, value.truth ? "true" : "false");
        break;
    case CEL_INT:
        rv_buf_int(json, value.whole);
        break;
    case CEL_UINT:
        rv_buf_printf(json, "%llu", (unsigned long long)value.natural);
        break;
    case CEL_DOUBLE:
        add_double(json, value.number);
        break;
    case CEL_STRING:
        add_string(json, value.text, value.len);
        break;
    case CEL_LIST:
        return add_list(writing, value.list, depth);
    case CEL_MAP:
        return add_map(writing, value.map, depth);
    case CEL_BYTES:
    case CEL_TIMESTAMP:
    case CEL_DURATION:
    case CEL_TYPE:
        add_quoted(json, value);
        break;
    case CEL_OPTIONAL:
        return add_value(writing, value.held ? *value.held : cel_null(), depth + 1);
    default:
        rv_buf_text(json, "null");
    }
    return true;
}

bool cel_json(struct rv_ctx *cx, struct cel_value value, size_t bytes_max, struct rv_buf *json)
{
    size_t most;
    struct writing writing = { .cx = cx, .json = json };

    if (__builtin_add_overflow(json->len, bytes_max, &most))
        most = SIZE_MAX;
    writing.most = most;
    return add_value(&writing, value, 0) && json->len <= most;
}
