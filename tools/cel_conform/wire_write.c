#include "wire.h"

#include <math.h>

#include "base/buf.h"

enum { FORM_BYTES = 32 }; /* that a value takes besides its text: {"stringValue":""}, */

/* What the answer may still show. */
struct left {
    int64_t values, bytes;
};

static json_t *write_value(struct rv_ctx *cx, struct cel_value value, struct left *left);

/* As jansson will write it. */
static int64_t escaped_len(const char *text, size_t len)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        bytes += c < 0x20 ? 6 : c == '"' || c == '\\' ? 2 : 1;
    }
    return bytes;
}

/* Asked before anything is written, so that a value too large is never built. */
static bool take(struct left *left, struct cel_value value)
{
    left->values--;
    left->bytes -= FORM_BYTES;
    if (value.kind == CEL_STRING)
        left->bytes -= escaped_len(value.text, value.len);
    if (value.kind == CEL_BYTES)
        left->bytes -= ((int64_t)value.len + 2) / 3 * 4;
    return left->values >= 0 && left->bytes >= 0;
}

static json_t *write_list(struct rv_ctx *cx, const struct cel_list *list, struct left *left)
{
    json_t *values = rv_json_own(cx, json_array());
    size_t size = cel_list_size(list);

    for (size_t i = 0; i < size; i++)
        if (json_array_append_new(values, write_value(cx, cel_list_at(cx, list, i), left)) != 0)
            return NULL;
    return json_pack("{s:O}", "values", values);
}

static json_t *write_map(struct rv_ctx *cx, const struct cel_map *map, struct left *left)
{
    json_t *entries = rv_json_own(cx, json_array());
    struct cel_walk walk = { 0 };

    while (cel_map_next(cx, map, &walk)) {
        json_t *key = write_value(cx, walk.key, left), *value = write_value(cx, walk.value, left);

        if (json_array_append_new(entries, json_pack("{s:o,s:o}", "key", key, "value", value)) != 0)
            return NULL;
    }
    return json_pack("{s:O}", "entries", entries);
}

/* As string() writes it. */
static json_t *write_text(struct rv_ctx *cx, struct cel_value value)
{
    auto_buf text = { 0 };

    if (!cel_json(cx, value, 1000, &text))
        return NULL;
    return json_loadb(text.data, text.len, JSON_DECODE_ANY, NULL);
}

static json_t *write_object(struct rv_ctx *cx, struct cel_value value)
{
    return json_pack("{s:s,s:o}", "@type",
                     rv_printf(cx, "type.googleapis.com/%s", cel_kind_name(value.kind)), "value",
                     write_text(cx, value));
}

static json_t *write_double(double number)
{
    if (isfinite(number))
        return json_real(number);
    return json_string(isnan(number) ? "NaN" : number < 0 ? "-Infinity" : "Infinity");
}

static json_t *write_bytes(struct cel_value value)
{
    auto_buf text = { 0 };

    rv_buf_base64(&text, value.text, value.len);
    return json_stringn(text.data, text.len);
}

static json_t *write_value(struct rv_ctx *cx, struct cel_value value, struct left *left)
{
    if (!take(left, value))
        return NULL;
    switch (value.kind) {
    case CEL_NULL:
        return json_pack("{s:n}", "nullValue");
    case CEL_BOOL:
        return json_pack("{s:b}", "boolValue", value.truth);
    case CEL_INT:
        return json_pack("{s:s}", "int64Value", rv_printf(cx, "%lld", (long long)value.whole));
    case CEL_UINT:
        return json_pack("{s:s}", "uint64Value",
                         rv_printf(cx, "%llu", (unsigned long long)value.natural));
    case CEL_DOUBLE:
        return json_pack("{s:o}", "doubleValue", write_double(value.number));
    case CEL_STRING:
        return json_pack("{s:o}", "stringValue", json_stringn(value.text, value.len));
    case CEL_BYTES:
        return json_pack("{s:o}", "bytesValue", write_bytes(value));
    case CEL_LIST:
        return json_pack("{s:o}", "listValue", write_list(cx, value.list, left));
    case CEL_MAP:
        return json_pack("{s:o}", "mapValue", write_map(cx, value.map, left));
    case CEL_TYPE:
        return json_pack("{s:s}", "typeValue", cel_type_name(value.type));
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        return json_pack("{s:o}", "objectValue", write_object(cx, value));
    case CEL_OPTIONAL: /* not a value of the wire: what it holds, or null */
        return write_value(cx, value.held ? *value.held : cel_null(), left);
    default:
        return NULL;
    }
}

json_t *wire_write_value(struct rv_ctx *cx, struct cel_value value)
{
    struct left left = { WIRE_VALUES_MAX, WIRE_BYTES_MAX };

    return write_value(cx, value, &left);
}
