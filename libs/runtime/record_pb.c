#include <string.h>

#include "base/text.h"
#include "runtime/record_pb_plan.h"

static rv_result find_plan(struct rv_ctx *cx, const struct rv_message *message,
                           const struct rv_pb_plan **plan)
{
    char gap[RV_PB_GAP_SIZE] = "";

    *plan = rv_pb_plan(message->record, message->wire, gap);
    if (!*plan)
        return rv_fail(cx, RV_INTERNAL, "record and message differ in %s", gap);
    return RV_OK;
}

static size_t count_of(const void *message, const struct rv_pb_pair *pair)
{
    return *(const size_t *)(const void *)((const char *)message + pair->count_offset);
}

static void set_count(void *message, const struct rv_pb_pair *pair, size_t n)
{
    *(size_t *)(void *)((char *)message + pair->count_offset) = n;
}

static ProtobufCMessage *to_wire(struct rv_ctx *cx, const struct rv_pb_plan *plan,
                                 const void *object);

static ProtobufCMessage **list_to_wire(struct rv_ctx *cx, const struct rv_pb_plan *plan,
                                       const char *item, size_t n)
{
    ProtobufCMessage **list = rv_new_array(cx, ProtobufCMessage *, n);

    for (size_t i = 0; i < n; i++, item += plan->record->size)
        list[i] = to_wire(cx, plan, item);
    return list;
}

static void field_to_wire(struct rv_ctx *cx, const struct rv_pb_pair *pair, const void *object,
                          void *message)
{
    const void *from = rv_field_in(pair->field, object);
    void *to = (char *)message + pair->offset;

    switch (pair->field->kind) {
    case RV_KIND_TEXT:
    case RV_KIND_UUID:
    case RV_KIND_JSON:
        if (*(const char *const *)from)
            *(const char **)to = *(const char *const *)from;
        return;
    case RV_KIND_BYTES: {
        const struct rv_bytes *bytes = from;
        *(ProtobufCBinaryData *)to =
            (ProtobufCBinaryData){ bytes->len, (uint8_t *)(uintptr_t)bytes->data };
        return;
    }
    case RV_KIND_INT:
        *(int64_t *)to = *(const int64_t *)from;
        return;
    case RV_KIND_DOUBLE:
        *(double *)to = *(const double *)from;
        return;
    case RV_KIND_BOOL:
        *(protobuf_c_boolean *)to = *(const bool *)from;
        return;
    case RV_KIND_ENUM:
        *(int *)to = *(const int *)from;
        return;
    case RV_KIND_TEXTS:
        *(const char *const **)to = *(const char *const *const *)from;
        set_count(message, pair, rv_field_count_in(pair->field, object));
        return;
    case RV_KIND_RECORD:
        if (*(const void *const *)from)
            *(ProtobufCMessage **)to = to_wire(cx, pair->element, *(const void *const *)from);
        return;
    case RV_KIND_LIST:
        *(ProtobufCMessage ***)to = list_to_wire(cx, pair->element, *(const char *const *)from,
                                                 rv_field_count_in(pair->field, object));
        set_count(message, pair, rv_field_count_in(pair->field, object));
        return;
    }
}

static ProtobufCMessage *to_wire(struct rv_ctx *cx, const struct rv_pb_plan *plan,
                                 const void *object)
{
    ProtobufCMessage *message = rv_arena_alloc(cx->arena, plan->wire->sizeof_message);

    plan->wire->message_init(message);
    for (size_t i = 0; i < plan->n; i++)
        field_to_wire(cx, &plan->pairs[i], object, message);
    return message;
}

static rv_result pack(struct rv_ctx *cx, const ProtobufCMessage *wire, const uint8_t **bytes,
                      size_t *len)
{
    uint8_t *buffer;

    *len = protobuf_c_message_get_packed_size(wire);
    if (*len > RV_PB_BYTES_MAX)
        return rv_fail_inside(cx, RV_TOO_LARGE, "%s of %zu bytes does not fit in a message",
                              wire->descriptor->short_name, *len);
    buffer = rv_new_array(cx, uint8_t, *len);
    protobuf_c_message_pack(wire, buffer);
    *bytes = buffer;
    return RV_OK;
}

rv_result rv_pb_write(struct rv_ctx *cx, const struct rv_message *message, const void *object,
                      const uint8_t **bytes, size_t *len)
{
    const struct rv_pb_plan *plan;

    RV_TRY(cx, find_plan(cx, message, &plan));
    return pack(cx, to_wire(cx, plan, object), bytes, len);
}

static rv_result from_wire(struct rv_ctx *cx, const struct rv_pb_plan *plan, const void *message,
                           void *object);

/* What is absent on the wire is empty there, and NULL here. */
static rv_result text_from_wire(struct rv_ctx *cx, const char *text, const char **out)
{
    *out = text && *text ? text : NULL;
    if (*out && !rv_utf8_ok(text, strlen(text)))
        return rv_fail_inside(cx, RV_INVALID, "text is not UTF-8");
    return RV_OK;
}

static rv_result texts_from_wire(struct rv_ctx *cx, const char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!rv_utf8_ok(texts[i], strlen(texts[i])))
            return rv_fail_inside(cx, RV_INVALID, "text is not UTF-8");
    return RV_OK;
}

static rv_result list_from_wire(struct rv_ctx *cx, const struct rv_pb_plan *plan,
                                ProtobufCMessage *const *list, size_t n, void **items)
{
    size_t size = plan->record->size;

    if (n > RV_LIST_ITEMS_MAX)
        return rv_fail_inside(cx, RV_TOO_LARGE, "%zu of %s", n, plan->wire->short_name);
    *items = rv_arena_array(cx->arena, size, n);
    for (size_t i = 0; i < n; i++)
        RV_TRY(cx, from_wire(cx, plan, list[i], (char *)*items + i * size));
    return RV_OK;
}

static rv_result field_from_wire(struct rv_ctx *cx, const struct rv_pb_pair *pair,
                                 const void *message, void *object)
{
    const void *from = (const char *)message + pair->offset;
    void *to = rv_field_at(pair->field, object);

    switch (pair->field->kind) {
    case RV_KIND_TEXT:
    case RV_KIND_UUID:
    case RV_KIND_JSON:
        return text_from_wire(cx, *(const char *const *)from, to);
    case RV_KIND_BYTES: {
        const ProtobufCBinaryData *bytes = from;
        *(struct rv_bytes *)to = (struct rv_bytes){ bytes->data, bytes->len };
        return RV_OK;
    }
    case RV_KIND_INT:
        *(int64_t *)to = *(const int64_t *)from;
        return RV_OK;
    case RV_KIND_DOUBLE:
        *(double *)to = *(const double *)from;
        return RV_OK;
    case RV_KIND_BOOL:
        *(bool *)to = *(const protobuf_c_boolean *)from;
        return RV_OK;
    case RV_KIND_ENUM:
        *(int *)to = *(const int *)from;
        return RV_OK;
    case RV_KIND_TEXTS:
        *(const char *const **)to = *(const char *const *const *)from;
        *rv_field_count_at(pair->field, object) = count_of(message, pair);
        return texts_from_wire(cx, *(const char *const *const *)from, count_of(message, pair));
    case RV_KIND_RECORD:
        if (!*(const void *const *)from)
            return RV_OK;
        *(void **)to = rv_arena_alloc(cx->arena, pair->element->record->size);
        return from_wire(cx, pair->element, *(const void *const *)from, *(void **)to);
    case RV_KIND_LIST:
        *rv_field_count_at(pair->field, object) = count_of(message, pair);
        return list_from_wire(cx, pair->element, *(ProtobufCMessage *const *const *)from,
                              count_of(message, pair), to);
    }
    return RV_OK;
}

static rv_result from_wire(struct rv_ctx *cx, const struct rv_pb_plan *plan, const void *message,
                           void *object)
{
    for (size_t i = 0; i < plan->n; i++) {
        enum rv_status status = field_from_wire(cx, &plan->pairs[i], message, object);

        if (status != RV_OK)
            return rv_fail_inside(cx, status, "%s.%s: %s", plan->wire->short_name,
                                  plan->pairs[i].field->name, cx->error.text);
    }
    return RV_OK;
}

static void *pb_alloc(void *arena, size_t size)
{
    return rv_arena_alloc(arena, size);
}

static void pb_free(void *arena, void *memory)
{
    (void)arena, (void)memory; /* the arena frees it with everything else */
}

static rv_result unpack(struct rv_ctx *cx, const ProtobufCMessageDescriptor *wire,
                        const uint8_t *bytes, size_t len, ProtobufCMessage **message)
{
    ProtobufCAllocator allocator = { pb_alloc, pb_free, cx->arena };

    if (len > RV_PB_BYTES_MAX)
        return rv_fail_inside(cx, RV_TOO_LARGE, "%s of %zu bytes", wire->short_name, len);
    *message = protobuf_c_message_unpack(wire, &allocator, len, bytes);
    if (!*message)
        return rv_fail_inside(cx, RV_INVALID, "not a %s", wire->short_name);
    return RV_OK;
}

rv_result rv_pb_read(struct rv_ctx *cx, const struct rv_message *message, const uint8_t *bytes,
                     size_t len, void *object)
{
    const struct rv_pb_plan *plan;
    ProtobufCMessage *wire;

    RV_TRY(cx, find_plan(cx, message, &plan));
    RV_TRY(cx, unpack(cx, message->wire, bytes, len, &wire));
    memset(object, 0, message->record->size);
    return from_wire(cx, plan, wire, object);
}

static rv_result find_items(struct rv_ctx *cx, const struct rv_message *message,
                            struct rv_pb_pair *pair)
{
    const ProtobufCFieldDescriptor *items =
        message->wire_batch
            ? protobuf_c_message_descriptor_get_field_by_name(message->wire_batch, "items")
            : NULL;

    if (!items || items->descriptor != message->wire || items->label != PROTOBUF_C_LABEL_REPEATED)
        return rv_fail(cx, RV_INTERNAL, "%s has no batch", message->wire->short_name);
    *pair = (struct rv_pb_pair){ NULL, items->offset, items->quantifier_offset, NULL };
    return find_plan(cx, message, &pair->element);
}

rv_result rv_pb_write_many(struct rv_ctx *cx, const struct rv_message *message, const void *items,
                           size_t n, const uint8_t **bytes, size_t *len)
{
    struct rv_pb_pair pair;
    ProtobufCMessage *batch;

    RV_TRY(cx, find_items(cx, message, &pair));
    batch = rv_arena_alloc(cx->arena, message->wire_batch->sizeof_message);
    message->wire_batch->message_init(batch);
    *(ProtobufCMessage ***)(void *)((char *)batch + pair.offset) =
        list_to_wire(cx, pair.element, items, n);
    set_count(batch, &pair, n);
    return pack(cx, batch, bytes, len);
}

rv_result rv_pb_read_many(struct rv_ctx *cx, const struct rv_message *message, const uint8_t *bytes,
                          size_t len, void **items, size_t *n)
{
    struct rv_pb_pair pair;
    ProtobufCMessage *batch;

    RV_TRY(cx, find_items(cx, message, &pair));
    RV_TRY(cx, unpack(cx, message->wire_batch, bytes, len, &batch));
    *n = count_of(batch, &pair);
    return list_from_wire(
        cx, pair.element,
        *(ProtobufCMessage *const *const *)(const void *)((const char *)batch + pair.offset), *n,
        items);
}
