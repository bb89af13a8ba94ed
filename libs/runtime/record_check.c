#include "base/id.h"
#include "base/place.h"
#include "runtime/codec.h"

/* Numbers and booleans have no way to be missing: 0 is a value. */
static bool can_be_missing(const struct rv_field *field)
{
    return field->kind != RV_KIND_INT && field->kind != RV_KIND_DOUBLE &&
           field->kind != RV_KIND_BOOL;
}

static void check(struct rv_ctx *cx, struct rv_in in, struct rv_buf *place);

static void check_items(struct rv_ctx *cx, const struct rv_field *field, const void *object,
                        struct rv_buf *place)
{
    const char *item = *(const char *const *)rv_field_in(field, object);
    size_t n = rv_field_count_in(field, object), here = place->len;

    for (size_t i = 0; i < n; i++, item += field->element->size) {
        rv_place_index(place, i);
        check(cx, (struct rv_in){ field->element, item, 1 }, place);
        place->len = here;
    }
}

static void check_field(struct rv_ctx *cx, const struct rv_field *field, const void *object,
                        struct rv_buf *place)
{
    const void *at = rv_field_in(field, object);

    if (!rv_field_is_set(field, object)) {
        if ((field->flags & RV_REQUIRED) && can_be_missing(field))
            rv_wrong(cx, place->data, "is missing");
    } else if (field->kind == RV_KIND_UUID && !rv_id_is(*(const char *const *)at)) {
        rv_wrong(cx, place->data, "is not a UUID");
    } else if (field->kind == RV_KIND_RECORD) {
        check(cx, (struct rv_in){ field->element, *(const void *const *)at, 1 }, place);
    } else if (field->kind == RV_KIND_LIST) {
        check_items(cx, field, object, place);
    }
}

static void check(struct rv_ctx *cx, struct rv_in in, struct rv_buf *place)
{
    size_t here = place->len;

    for (size_t i = 0; i < in.record->field_count; i++) {
        rv_place_key(place, in.record->fields[i].name);
        check_field(cx, &in.record->fields[i], in.object, place);
        place->len = here;
    }
}

rv_result rv_record_check(struct rv_ctx *cx, struct rv_in in)
{
    auto_buf place = { 0 };

    check(cx, in, &place);
    return rv_refuse(cx);
}
