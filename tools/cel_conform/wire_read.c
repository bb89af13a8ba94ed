#include "wire.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "runtime/cel_json.h"
#include "wire_message.h"

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

    const struct wire_message *message = wire_message(name ? name + 1 : "");

    if (!message)
        return false;
    if (message->expression)
        return read_with(cx, message->expression, of, value);
    *value = of_json(cx, of);
    return true;
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
