#include "runtime/cel_json.h"

static size_t array_size(const struct cel_list *list)
{
    return json_array_size(list->object);
}

static struct cel_value array_at(struct rv_ctx *cx, const struct cel_list *list, size_t index)
{
    return rv_cel_json(cx, json_array_get(list->object, index));
}

static size_t object_size(const struct cel_map *map)
{
    return json_object_size(map->object);
}

static struct cel_value object_get(struct rv_ctx *cx, const struct cel_map *map,
                                   struct cel_value key)
{
    if (key.kind != CEL_STRING)
        return cel_none();
    return rv_cel_json(cx, json_object_getn(map->object, key.text, key.len));
}

/* Jansson walks over objects that may change; ours never do. */
static bool object_next(struct rv_ctx *cx, const struct cel_map *map, struct cel_walk *walk)
{
    json_t *object = (json_t *)(uintptr_t)map->object;

    walk->state =
        walk->state ? json_object_iter_next(object, walk->state) : json_object_iter(object);
    if (!walk->state)
        return false;
    walk->key =
        cel_string(json_object_iter_key(walk->state), json_object_iter_key_len(walk->state));
    walk->value = rv_cel_json(cx, json_object_iter_value(walk->state));
    return true;
}

static const struct cel_list_ops array_ops = { array_size, array_at };
static const struct cel_map_ops object_ops = { object_size, object_get, object_next };

static struct cel_value list_of(struct rv_ctx *cx, const json_t *json)
{
    struct cel_list *list = rv_new(cx, struct cel_list);

    *list = (struct cel_list){ .ops = &array_ops, .object = json };
    return cel_list_value(list);
}

static struct cel_value map_of(struct rv_ctx *cx, const json_t *json)
{
    struct cel_map *map = rv_new(cx, struct cel_map);

    *map = (struct cel_map){ .ops = &object_ops, .object = json };
    return cel_map_value(map);
}

struct cel_value rv_cel_json(struct rv_ctx *cx, const json_t *json)
{
    if (!json)
        return cel_none();
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return map_of(cx, json);
    case JSON_ARRAY:
        return list_of(cx, json);
    case JSON_STRING:
        return cel_string(json_string_value(json), json_string_length(json));
    case JSON_INTEGER:
        return cel_int(json_integer_value(json));
    case JSON_REAL:
        return cel_double(json_real_value(json));
    case JSON_TRUE:
    case JSON_FALSE:
        return cel_bool(json_is_true(json));
    case JSON_NULL:
        break;
    }
    return cel_null();
}
