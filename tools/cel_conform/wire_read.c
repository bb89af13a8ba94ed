#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "runtime/cel_json.h"
#include "wire_message.h"

/* @what: "a bool"; how the JSON was to be read. */
static rv_result no_value(struct rv_ctx *cx, const json_t *json, const char *what)
{
    return rv_fail(cx, RV_INVALID, "this is not %s: %.80s", what,
                   json ? rv_json_text(cx, json) : "");
}

/* NULL: no text, or one with a NUL, which no number, time or name has. */
static const char *plain_text(const json_t *json)
{
    const char *text = json_string_value(json);

    return text && strlen(text) == json_string_length(json) ? text : NULL;
}

static rv_result read_null(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    *value = cel_null();
    if (json_is_null(json) || rv_text_same(json_string_value(json), "NULL_VALUE"))
        return RV_OK;
    return no_value(cx, json, "null");
}

static rv_result read_bool(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    *value = cel_bool(json_is_true(json));
    return json_is_boolean(json) ? RV_OK : no_value(cx, json, "a bool");
}

static rv_result read_string(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    if (!json_is_string(json))
        return no_value(cx, json, "a string");
    *value = cel_string(json_string_value(json), json_string_length(json));
    return RV_OK;
}

static rv_result read_bytes(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    const char *text = plain_text(json);
    size_t len = 0;
    uint8_t *bytes = text ? rv_text_base64(cx, text, &len) : NULL;

    *value = cel_bytes(bytes, len);
    return bytes ? RV_OK : no_value(cx, json, "base64");
}

/* Numbers come as JSON numbers or as text: "1", "NaN". Never NULL. */
static const char *number_text(struct rv_ctx *cx, const json_t *json)
{
    const char *text = json_is_number(json) ? rv_json_text(cx, json) : plain_text(json);

    return text ? text : "";
}

static rv_result read_int(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    int64_t number = 0;
    bool good = rv_text_int(number_text(cx, json), &number);

    *value = cel_int(number);
    return good ? RV_OK : no_value(cx, json, "an int");
}

static rv_result read_uint(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    const char *text = number_text(cx, json);
    bool good = *text && !text[strspn(text, "0123456789")];

    errno = 0; /* strtoull says only so that a number is too large */
    *value = cel_uint(strtoull(text, NULL, 10));
    return good && errno == 0 ? RV_OK : no_value(cx, json, "a uint");
}

static rv_result read_double(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    static const char *const words[] = { "NaN", "Infinity", "-Infinity" };
    const char *text = number_text(cx, json);
    double number = 0;
    bool good = rv_text_double(text, &number);

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && !good; i++)
        if (strcmp(words[i], text) == 0) {
            number = strtod(text, NULL);
            good = true;
        }
    *value = cel_double(number);
    return good ? RV_OK : no_value(cx, json, "a double");
}

/* The JSON array at @key, which may be left out when it is empty. */
static rv_result read_array(struct rv_ctx *cx, json_t *json, const char *key, json_t **array)
{
    *array = json_object_get(json, key);
    if (json_is_object(json) && (!*array || json_is_array(*array)))
        return RV_OK;
    return rv_fail(cx, RV_INVALID, "this has no list of %s: %.80s", key, rv_json_text(cx, json));
}

static rv_result read_list(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    struct cel_value *items;
    json_t *array, *item;
    size_t i;

    RV_TRY(cx, read_array(cx, json, "values", &array));
    items = rv_new_array(cx, struct cel_value, json_array_size(array) + 1);
    json_array_foreach(array, i, item) RV_TRY(cx, wire_read_value(cx, item, &items[i]));
    *value = cel_list_of(cx, items, json_array_size(array));
    return RV_OK;
}

static rv_result read_pair(struct rv_ctx *cx, json_t *json, struct cel_pair *pair)
{
    json_t *key = json_object_get(json, "key");

    RV_TRY(cx, wire_read_value(cx, key, &pair->key));
    RV_TRY(cx, wire_read_value(cx, json_object_get(json, "value"), &pair->value));
    return cel_is_key(pair->key) ? RV_OK : no_value(cx, key, "a key of a map");
}

static rv_result read_map(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    struct cel_value again;
    struct cel_pair *pairs;
    json_t *array, *item;
    size_t i;

    RV_TRY(cx, read_array(cx, json, "entries", &array));
    pairs = rv_new_array(cx, struct cel_pair, json_array_size(array) + 1);
    json_array_foreach(array, i, item) RV_TRY(cx, read_pair(cx, item, &pairs[i]));
    *value = cel_map_of(cx, pairs, json_array_size(array), &again);
    if (again.kind != CEL_NONE)
        return rv_fail(cx, RV_INVALID, "a key of a map comes twice");
    return RV_OK;
}

static rv_result read_type(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    const char *name = plain_text(json);
    const struct cel_type *type = name ? cel_type_named(name, strlen(name)) : NULL;

    *value = cel_type_value(type);
    if (!type && name && strchr(name, '.'))
        return rv_fail(cx, RV_NOT_FOUND, "a user's message type");
    return type ? RV_OK : no_value(cx, json, "the name of a type");
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

/* Timestamps and durations, as the language itself makes them of text. */
static rv_result read_time(struct rv_ctx *cx, const char *expression, json_t *json,
                           struct cel_value *value)
{
    static const struct cel_variable variables[] = { { "value", NULL }, { 0 } };
    static const struct cel_env env = { .variables = variables };
    const char *text = plain_text(json);
    struct cel_value bound = cel_text(text);
    const struct cel_program *program;

    if (!text)
        return no_value(cx, json, "a time");
    RV_TRY(cx, cel_compile(cx, &env, expression, strlen(expression), &program));
    *value = cel_eval(cx, program, &bound);
    return value->kind == CEL_ERROR ? no_value(cx, json, "a time") : RV_OK;
}

static rv_result read_timestamp(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    return read_time(cx, "timestamp(value)", json, value);
}

static rv_result read_duration(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    return read_time(cx, "duration(value)", json, value);
}

static rv_result read_dyn(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    *value = of_json(cx, json);
    return RV_OK;
}

typedef rv_result reader(struct rv_ctx *cx, json_t *json, struct cel_value *value);

static reader *const by_type[CEL_TYPE_KINDS] = {
    [CEL_T_DYN] = read_dyn,           [CEL_T_BOOL] = read_bool,
    [CEL_T_INT] = read_int,           [CEL_T_UINT] = read_uint,
    [CEL_T_DOUBLE] = read_double,     [CEL_T_STRING] = read_string,
    [CEL_T_BYTES] = read_bytes,       [CEL_T_TIMESTAMP] = read_timestamp,
    [CEL_T_DURATION] = read_duration,
};

static bool fits(const struct wire_message *message, struct cel_value value)
{
    if (message->bits == 32 && value.kind == CEL_INT)
        return value.whole == (int32_t)value.whole;
    if (message->bits == 32)
        return value.natural <= UINT32_MAX;
    return message->only == CEL_NONE || value.kind == message->only;
}

static rv_result read_object(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    const char *type = plain_text(json_object_get(json, "@type"));
    const char *slash = type ? strrchr(type, '/') : NULL;
    json_t *of = json_object_get(json, "value");
    const struct wire_message *message;

    if (!type || !*type)
        return no_value(cx, json, "an object with @type");
    message = wire_message(slash ? slash + 1 : type);
    if (!message)
        return rv_fail(cx, RV_NOT_FOUND, "a user's message");
    if (!of)
        return no_value(cx, json, "an object with a value");
    RV_TRY(cx, by_type[message->type](cx, of, value));
    return fits(message, *value) ? RV_OK : no_value(cx, of, message->name);
}

static rv_result read_enum(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    (void)json;
    *value = cel_none();
    return rv_fail(cx, RV_NOT_FOUND, "a user's enum");
}

static const struct {
    const char *form;
    reader *read;
} forms[] = {
    { "nullValue", read_null },   { "boolValue", read_bool },     { "int64Value", read_int },
    { "uint64Value", read_uint }, { "doubleValue", read_double }, { "stringValue", read_string },
    { "bytesValue", read_bytes }, { "listValue", read_list },     { "mapValue", read_map },
    { "typeValue", read_type },   { "objectValue", read_object }, { "enumValue", read_enum },
};

rv_result wire_read_value(struct rv_ctx *cx, json_t *json, struct cel_value *value)
{
    const char *form = json_object_iter_key(json_object_iter(json));

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]) && json_object_size(json) == 1; i++)
        if (strcmp(forms[i].form, form) == 0)
            return forms[i].read(cx, json_object_get(json, form), value);
    return no_value(cx, json, "a value");
}
