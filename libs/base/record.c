#include "base/record.h"

#include <string.h>

const struct rv_field *rv_record_field(const struct rv_record *record, const char *name)
{
    for (size_t i = 0; i < record->field_count; i++)
        if (strcmp(record->fields[i].name, name) == 0)
            return &record->fields[i];
    return NULL;
}

void *rv_field_at(const struct rv_field *field, void *object)
{
    return (char *)object + field->offset;
}

const void *rv_field_in(const struct rv_field *field, const void *object)
{
    return (const char *)object + field->offset;
}

size_t *rv_field_count_at(const struct rv_field *field, void *object)
{
    return (size_t *)(void *)((char *)object + field->count_offset);
}

size_t rv_field_count_in(const struct rv_field *field, const void *object)
{
    return *(const size_t *)(const void *)((const char *)object + field->count_offset);
}

bool rv_field_is_set(const struct rv_field *field, const void *object)
{
    const void *place = rv_field_in(field, object);

    switch (field->kind) {
    case RV_KIND_TEXT:
    case RV_KIND_UUID:
    case RV_KIND_JSON:
    case RV_KIND_RECORD:
        return *(const void *const *)place != NULL;
    case RV_KIND_BYTES:
        return ((const struct rv_bytes *)place)->len > 0;
    case RV_KIND_INT:
        return *(const int64_t *)place != 0;
    case RV_KIND_DOUBLE:
        return *(const double *)place != 0;
    case RV_KIND_BOOL:
        return *(const bool *)place;
    case RV_KIND_ENUM:
        return *(const int *)place != 0;
    case RV_KIND_TEXTS:
    case RV_KIND_LIST:
        return rv_field_count_in(field, object) > 0;
    }
    return false;
}
