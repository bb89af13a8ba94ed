#include "wire.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "runtime/cel_json.h"

enum { VALUES_MAX = 200000 }; /* that one answer shows */

static bool read_list(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    json_t *array = json_object_get(json, "values"), *item;
    struct cel_value *items = rv_new_array(cx, struct cel_value, json_array_size(array) + 1);
    size_t i;

    json_array_foreach(array, i, item)
    {
        if (!wire_read_value(cx, item, &items[i]))
            return false;
    }
    *value = cel_list_of(cx, items, json_array_size(array));
    return true;
}

static bool read_map(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    json_t *array = json_object_get(json, "entries"), *item;
    struct cel_pair *pairs = rv_new_array(cx, struct cel_pair, json_array_size(array) + 1);
    struct cel_value again;
    size_t i;

    json_array_foreach(array, i, item)
    {
        if (!wire_read_value(cx, json_object_get(item, "key"), &pairs[i].key) ||
            !wire_read_value(cx, json_object_get(item, "value"), &pairs[i].value) ||
            !cel_is_key(pairs[i].key))
            return false;
    }
    *value = cel_map_of(cx, pairs, json_array_size(array), &again);
    return again.kind == CEL_NONE;
}

/* A Value, Struct or ListValue: JSON itself, where every number is a double. */
static struct cel_value of_json(struct rv_ctx *cx, const json_t *json)
{
    struct cel_value *items, again;
    struct cel_pair *pairs;
    const char *key;
    json_t *item;
    size_t i, n = 0;

    if (json_is_number(json))
        return cel_double(json_number_value(json));
    if (json_is_array(json)) {
        items = rv_new_array(cx, struct cel_value, json_array_size(json) + 1);
        json_array_foreach(json, i, item) items[i] = of_json(cx, item);
        return cel_list_of(cx, items, json_array_size(json));
    }
    if (!json_is_object(json))
        return rv_cel_json(cx, json);
    pairs = rv_new_array(cx, struct cel_pair, json_object_size(json) + 1);
    for (void *iter = json_object_iter((json_t *)(uintptr_t)json); iter;
         iter = json_object_iter_next((json_t *)(uintptr_t)json, iter)) {
        key = json_object_iter_key(iter);
        pairs[n++] = (struct cel_pair){ cel_text(key), of_json(cx, json_object_iter_value(iter)) };
    }
    return cel_map_of(cx, pairs, n, &again);
}

/* The messages that are values here: how each is read, and which type it has. */
static const struct {
    const char *name, *expression; /* that makes it of its JSON; NULL: JSON as it is */
    enum cel_type_kind type;
} messages[] = {
    { "google.protobuf.Timestamp", "timestamp(value)", CEL_T_TIMESTAMP },
    { "google.protobuf.Duration", "duration(value)", CEL_T_DURATION },
    { "google.protobuf.BoolValue", "value", CEL_T_BOOL },
    { "google.protobuf.StringValue", "value", CEL_T_STRING },
    { "google.protobuf.BytesValue", "base64.decode(value)", CEL_T_BYTES },
    { "google.protobuf.Int32Value", "int(value)", CEL_T_INT },
    { "google.protobuf.Int64Value", "int(value)", CEL_T_INT },
    { "google.protobuf.UInt32Value", "uint(value)", CEL_T_UINT },
    { "google.protobuf.UInt64Value", "uint(value)", CEL_T_UINT },
    { "google.protobuf.FloatValue", "double(value)", CEL_T_DOUBLE },
    { "google.protobuf.DoubleValue", "double(value)", CEL_T_DOUBLE },
    { "google.protobuf.Value", NULL, CEL_T_DYN },
    { "google.protobuf.Struct", NULL, CEL_T_DYN },
    { "google.protobuf.ListValue", NULL, CEL_T_DYN },
};

static bool read_with(struct rv_ctx *cx, const char *expression, json_t *json,
                      struct cel_value *value)
{
    static const struct cel_variable variables[] = { { "value", NULL }, { 0 } };
    static const struct cel_env env = { .variables = variables };
    struct cel_value bound = rv_cel_json(cx, json);
    const struct cel_program *program;

    if (cel_compile(cx, &env, expression, strlen(expression), &program) != RV_OK)
        return false;
    *value = cel_eval(cx, program, &bound);
    return value->kind != CEL_ERROR;
}

static bool read_object(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    const char *type = json_string_value(json_object_get(json, "@type"));
    const char *name = type ? strrchr(type, '/') : NULL;
    json_t *of = json_object_get(json, "value");

    for (size_t i = 0; name && i < sizeof(messages) / sizeof(messages[0]); i++) {
        if (strcmp(name + 1, messages[i].name) != 0)
            continue;
        if (messages[i].expression)
            return read_with(cx, messages[i].expression, of, value);
        *value = of_json(cx, of);
        return true;
    }
    return false;
}

static bool read_bytes(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    const char *text = json_string_value(json);
    size_t len = 0;
    uint8_t *bytes = text ? rv_text_base64(cx, text, &len) : NULL;

    *value = cel_bytes(bytes, len);
    return bytes != NULL;
}

static bool read_type(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    const char *name = json_string_value(json);
    const struct cel_type *type = name ? cel_type_named(name, strlen(name)) : NULL;

    (void)cx;
    *value = cel_type_value(type);
    return type != NULL;
}

/* Numbers come as JSON numbers or as text: "1", "NaN". */
static const char *number_text(struct rv_ctx *cx, json_t *json)
{
    return json_is_string(json) ? json_string_value(json) : rv_json_text(cx, json);
}

static bool read_number(struct rv_ctx *cx, const char *key, json_t *json, struct cel_value *value)
{
    const char *text = number_text(cx, json);
    char *end;

    errno = 0;
    if (strcmp(key, "int64Value") == 0)
        *value = cel_int(strtoll(text, &end, 10));
    else if (strcmp(key, "uint64Value") == 0)
        *value = cel_uint(strtoull(text, &end, 10));
    else
        *value = cel_double(strtod(text, &end));
    return *text && !*end;
}

bool wire_read_value(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    void *iter = json_object_iter(json);
    const char *key = iter ? json_object_iter_key(iter) : "";
    json_t *of = iter ? json_object_iter_value(iter) : NULL;

    if (strcmp(key, "nullValue") == 0)
        *value = cel_null();
    else if (strcmp(key, "boolValue") == 0)
        *value = cel_bool(json_is_true(of));
    else if (strcmp(key, "stringValue") == 0)
        *value = cel_string(json_string_value(of), json_string_length(of));
    else if (strcmp(key, "bytesValue") == 0)
        return read_bytes(cx, of, value);
    else if (strcmp(key, "listValue") == 0)
        return read_list(cx, of, value);
    else if (strcmp(key, "mapValue") == 0)
        return read_map(cx, of, value);
    else if (strcmp(key, "typeValue") == 0)
        return read_type(cx, of, value);
    else if (strcmp(key, "objectValue") == 0)
        return read_object(cx, of, value);
    else
        return strstr(key, "64Value") || strcmp(key, "doubleValue") == 0
                   ? read_number(cx, key, of, value)
                   : false;
    return true;
}

/* @left: how many more values the answer may show. */
static json_t *write_value(struct rv_ctx *cx, struct cel_value value, int *left);

static json_t *write_list(struct rv_ctx *cx, const struct cel_list *list, int *left)
{
    json_t *values = rv_json_own(cx, json_array());
    size_t size = cel_list_size(list);

    for (size_t i = 0; i < size; i++)
        if (json_array_append_new(values, write_value(cx, cel_list_at(cx, list, i), left)) != 0)
            return NULL;
    return json_pack("{s:O}", "values", values);
}

static json_t *write_map(struct rv_ctx *cx, const struct cel_map *map, int *left)
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

static json_t *write_value(struct rv_ctx *cx, struct cel_value value, int *left)
{
    if (--*left < 0)
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
    int left = VALUES_MAX;

    return write_value(cx, value, &left);
}

static const struct {
    const char *form, *word; /* {"primitive": "INT64"} */
    enum cel_type_kind kind;
} type_words[] = {
    { "primitive", "BOOL", CEL_T_BOOL },
    { "primitive", "INT64", CEL_T_INT },
    { "primitive", "UINT64", CEL_T_UINT },
    { "primitive", "DOUBLE", CEL_T_DOUBLE },
    { "primitive", "STRING", CEL_T_STRING },
    { "primitive", "BYTES", CEL_T_BYTES },
    { "wellKnown", "TIMESTAMP", CEL_T_TIMESTAMP },
    { "wellKnown", "DURATION", CEL_T_DURATION },
    { "wellKnown", "ANY", CEL_T_DYN },
};

static const struct cel_type *word_type(const char *form, const char *word)
{
    for (size_t i = 0; word && i < sizeof(type_words) / sizeof(type_words[0]); i++)
        if (strcmp(type_words[i].form, form) == 0 && strcmp(type_words[i].word, word) == 0)
            return cel_type(type_words[i].kind);
    return cel_type(CEL_T_DYN);
}

static const struct cel_type *part(struct rv_ctx *cx, json_t *json, const char *key)
{
    json_t *of = json_object_get(json, key);

    return of ? wire_read_type(cx, of) : cel_type(CEL_T_DYN);
}

static const struct cel_type *read_abstract(struct rv_ctx *cx, json_t *json)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    json_t *params = json_object_get(json, "parameterTypes");

    if (!name || strcmp(name, "optional_type") != 0)
        return NULL;
    return cel_type_optional(cx, json_array_size(params)
                                     ? wire_read_type(cx, json_array_get(params, 0))
                                     : cel_type(CEL_T_DYN));
}

static const struct cel_type *message_type(const char *name)
{
    for (size_t i = 0; name && i < sizeof(messages) / sizeof(messages[0]); i++)
        if (strcmp(name, messages[i].name) == 0)
            return cel_type(messages[i].type);
    return NULL;
}

const struct cel_type *wire_read_type(struct rv_ctx *cx, json_t *json)
{
    const char *form = "", *text = json_string_value(json);
    const struct cel_type *type;
    json_t *of = NULL;
    void *iter = json_object_iter(json);

    if (text) {
        type = cel_type_parse(cx, text);
        return type ? type : cel_type(CEL_T_DYN);
    }
    if (iter) {
        form = json_object_iter_key(iter);
        of = json_object_iter_value(iter);
    }
    if (strcmp(form, "listType") == 0)
        return cel_type_list(cx, part(cx, of, "elemType"));
    if (strcmp(form, "mapType") == 0)
        return cel_type_map(cx, part(cx, of, "keyType"), part(cx, of, "valueType"));
    if (strcmp(form, "wrapper") == 0)
        return cel_type_wrapper(cx, word_type("primitive", json_string_value(of)));
    if (strcmp(form, "null") == 0)
        return cel_type(CEL_T_NULL);
    if (strcmp(form, "type") == 0)
        return cel_type(CEL_T_TYPE);
    if (strcmp(form, "abstractType") == 0)
        return read_abstract(cx, of);
    if (strcmp(form, "messageType") == 0)
        return message_type(json_string_value(of));
    return word_type(form, json_string_value(of));
}
