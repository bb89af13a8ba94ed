#include "runtime/json.h"

#include <string.h>

#include "base/buf.h"
#include "base/place.h"

/* What jansson would not notice in time: nesting that costs stack, and a NUL that ends a C string.
 */
static const char *shape_trouble(const char *text, size_t len)
{
    int depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (c == '\0')
            return "a NUL byte is not allowed";
        if (quoted && c == '\\') {
            i++;
            if (i < len && text[i] == '\0')
                return "a NUL byte is not allowed";
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == '{' || c == '[')) {
            if (++depth > RV_JSON_DEPTH_MAX)
                return "it is nested deeper than 64 levels";
        } else if (!quoted && (c == '}' || c == ']')) {
            depth--;
        }
    }
    return NULL;
}

/* How long the whole number at @at is that 64 bits may not hold; 0: it is none of these. */
static size_t long_number(const char *at, const char *end)
{
    size_t digits = 0;

    while (at + digits < end && at[digits] >= '0' && at[digits] <= '9')
        digits++;
    return digits > 18 && (at + digits == end || !strchr(".eE", at[digits])) ? digits : 0;
}

/* The same text with long whole numbers as doubles, which lose their last digits instead of all. */
static void with_doubles(const char *text, size_t len, struct rv_buf *out)
{
    const char *at = text, *end = text + len;
    bool quoted = false;

    for (size_t n; at < end; at += n) {
        n = !quoted && (at == text || !strchr("0123456789.eE+", at[-1])) ? long_number(at, end) : 0;
        if (n) {
            rv_buf_add(out, at, n);
            rv_buf_text(out, ".0");
            continue;
        }
        n = quoted && *at == '\\' && at + 1 < end ? 2 : 1;
        if (*at == '"')
            quoted = !quoted;
        rv_buf_add(out, at, n);
    }
}

json_t *rv_json_load(const char *text, size_t len, json_error_t *error)
{
    const char *trouble = shape_trouble(text, len);
    size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
    auto_buf doubles = { 0 };
    json_t *json;

    if (trouble) {
        *error = (json_error_t){ .line = 1 };
        strncpy(error->text, trouble, sizeof(error->text) - 1);
        return NULL;
    }
    json = json_loadb(text, len, flags, error);
    if (json || json_error_code(error) != json_error_numeric_overflow)
        return json;
    with_doubles(text, len, &doubles);
    return json_loadb(doubles.data, doubles.len, flags, error);
}

rv_result rv_json_parse(struct rv_ctx *cx, const char *text, size_t len, const char *what,
                        json_t **json)
{
    json_error_t error;

    *json = rv_json_own(cx, rv_json_load(text, len, &error));
    if (!*json)
        return rv_fail(cx, RV_INVALID, "%s is not JSON at line %d: %s", what, error.line,
                       error.text);
    return RV_OK;
}

static void drop(void *json)
{
    json_decref(json);
}

json_t *rv_json_own(struct rv_ctx *cx, json_t *json)
{
    if (json)
        rv_defer(cx, drop, json);
    return json;
}

static void add_array(struct rv_buf *into, const json_t *json)
{
    rv_buf_char(into, '[');
    for (size_t i = 0; i < json_array_size(json); i++) {
        if (i > 0)
            rv_buf_char(into, ',');
        rv_json_add(into, json_array_get(json, i));
    }
    rv_buf_char(into, ']');
}

static void add_object(struct rv_buf *into, const json_t *json)
{
    const char *key;
    json_t *value;
    bool first = true;

    rv_buf_char(into, '{');
    json_object_foreach((json_t *)(uintptr_t)json, key, value) /* const is not in jansson's words */
    {
        if (!first)
            rv_buf_char(into, ',');
        first = false;
        rv_buf_json(into, key);
        rv_buf_char(into, ':');
        rv_json_add(into, value);
    }
    rv_buf_char(into, '}');
}

void rv_json_add(struct rv_buf *into, const json_t *json)
{
    switch (json ? json_typeof(json) : JSON_NULL) {
    case JSON_OBJECT:
        add_object(into, json);
        return;
    case JSON_ARRAY:
        add_array(into, json);
        return;
    case JSON_STRING:
        rv_buf_json(into, json_string_value(json));
        return;
    case JSON_INTEGER:
        rv_buf_int(into, json_integer_value(json));
        return;
    case JSON_REAL:
        rv_buf_double(into, json_real_value(json));
        return;
    case JSON_TRUE:
        rv_buf_text(into, "true");
        return;
    case JSON_FALSE:
        rv_buf_text(into, "false");
        return;
    case JSON_NULL:
        rv_buf_text(into, "null");
        return;
    }
}

const char *rv_json_text(struct rv_ctx *cx, const json_t *json)
{
    auto_buf text = { 0 };

    rv_json_add(&text, json);
    return rv_strndup(cx, text.data, text.len);
}

/* A path that cannot be read names nothing. */
json_t *rv_json_at(json_t *json, const char *path)
{
    struct rv_place_step step;

    while (json && rv_place_next(&path, &step))
        json = step.is_key ? json_object_get(json, step.key) : json_array_get(json, step.index);
    return path ? json : NULL;
}
