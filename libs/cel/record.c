/* The half of value.h that sees records as maps. */

#include <string.h>

#include "cel/value.h"

static size_t texts_size(const struct cel_list *list)
{
    return rv_field_count_in(list->shape, list->object);
}

static struct cel_value texts_at(struct rv_ctx *cx, const struct cel_list *list, size_t index)
{
    const char *const *const *texts = rv_field_in(list->shape, list->object);

    (void)cx;
    return cel_text((*texts)[index]);
}

static struct cel_value records_at(struct rv_ctx *cx, const struct cel_list *list, size_t index)
{
    const struct rv_field *field = list->shape;
    const char *const *items = rv_field_in(field, list->object);

    return cel_record(cx, field->element, *items + index * field->element->size);
}

static const struct cel_list_ops texts_ops = { texts_size, texts_at };
static const struct cel_list_ops records_ops = { texts_size, records_at };

static struct cel_value list_value(struct rv_ctx *cx, const struct cel_list_ops *ops,
                                   const struct rv_field *field, const void *object)
{
    struct cel_list *list = rv_new(cx, struct cel_list);

    *list = (struct cel_list){ .ops = ops, .object = object, .shape = field };
    return cel_list_value(list);
}

static struct cel_value record_value(struct rv_ctx *cx, const struct rv_field *field,
                                     const void *const *record)
{
    return *record ? cel_record(cx, field->element, *record) : cel_null();
}

struct cel_value cel_record_field(struct rv_ctx *cx, const struct rv_field *field,
                                  const void *object)
{
    const void *place = rv_field_in(field, object);

    switch (field->kind) {
    case RV_KIND_TEXT:
    case RV_KIND_UUID:
    case RV_KIND_JSON:
        return cel_text(*(const char *const *)place);
    case RV_KIND_BYTES:
        return cel_bytes(((const struct rv_bytes *)place)->data,
                         ((const struct rv_bytes *)place)->len);
    case RV_KIND_INT:
        return cel_int(*(const int64_t *)place);
    case RV_KIND_DOUBLE:
        return cel_double(*(const double *)place);
    case RV_KIND_BOOL:
        return cel_bool(*(const bool *)place);
    case RV_KIND_ENUM:
        return cel_text(rv_enum_word(field->values, *(const int *)place));
    case RV_KIND_TEXTS:
        return list_value(cx, &texts_ops, field, object);
    case RV_KIND_RECORD:
        return record_value(cx, field, place);
    case RV_KIND_LIST:
        return list_value(cx, &records_ops, field, object);
    }
    return cel_none();
}

static size_t record_size(const struct cel_map *map)
{
    const struct rv_record *record = map->shape;
    size_t n = 0;

    for (size_t i = 0; i < record->field_count; i++)
        n += rv_field_is_set(&record->fields[i], map->object);
    return n;
}

static struct cel_value record_get(struct rv_ctx *cx, const struct cel_map *map,
                                   struct cel_value key)
{
    const struct rv_record *record = map->shape;

    for (size_t i = 0; i < record->field_count && key.kind == CEL_STRING; i++) {
        const char *name = record->fields[i].name;

        if (strncmp(name, key.text, key.len) == 0 && !name[key.len])
            return cel_record_field(cx, &record->fields[i], map->object);
    }
    return cel_none();
}

static bool record_next(struct rv_ctx *cx, const struct cel_map *map, struct cel_walk *walk)
{
    const struct rv_record *record = map->shape;

    while (walk->index < record->field_count) {
        const struct rv_field *field = &record->fields[walk->index++];

        if (!rv_field_is_set(field, map->object))
            continue;
        walk->key = cel_text(field->name);
        walk->value = cel_record_field(cx, field, map->object);
        return true;
    }
    return false;
}

const struct cel_map_ops cel_record_ops = { record_size, record_get, record_next };

struct cel_value cel_record_in(struct cel_map *map, const struct rv_record *record,
                               const void *object)
{
    *map = (struct cel_map){ .ops = &cel_record_ops, .object = object, .shape = record };
    return cel_map_value(map);
}

struct cel_value cel_record(struct rv_ctx *cx, const struct rv_record *record, const void *object)
{
    return cel_record_in(rv_new(cx, struct cel_map), record, object);
}
