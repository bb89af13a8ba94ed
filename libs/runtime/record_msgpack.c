#include <msgpack.h>
#include <string.h>

#include "base/text.h"
#include "runtime/codec.h"

enum { DEPTH_MAX = 64 };

static void put_text(msgpack_packer *to, const char *text)
{
    msgpack_pack_str(to, strlen(text));
    msgpack_pack_str_body(to, text, strlen(text));
}

static void put_record(msgpack_packer *to, const struct rv_record *record, const void *object);

static void put_list(msgpack_packer *to, const struct rv_field *field, const void *object)
{
    const char *item = *(const char *const *)rv_field_in(field, object);
    size_t n = rv_field_count_in(field, object);

    msgpack_pack_array(to, n);
    for (size_t i = 0; i < n; i++, item += field->element->size)
        put_record(to, field->element, item);
}

static void put_texts(msgpack_packer *to, const struct rv_field *field, const void *object)
{
    const char *const *texts = *(const char *const *const *)rv_field_in(field, object);
    size_t n = rv_field_count_in(field, object);

    msgpack_pack_array(to, n);
    for (size_t i = 0; i < n; i++)
        put_text(to, texts[i] ? texts[i] : "");
}

static void put_value(msgpack_packer *to, const struct rv_field *field, const void *object)
{
    const void *place = rv_field_in(field, object);

    switch (field->kind) {
    case RV_KIND_TEXT:
    case RV_KIND_UUID:
    case RV_KIND_JSON:
        put_text(to, *(const char *const *)place);
        return;
    case RV_KIND_BYTES: {
        const struct rv_bytes *bytes = place;
        msgpack_pack_bin(to, bytes->len);
        msgpack_pack_bin_body(to, bytes->data, bytes->len);
        return;
    }
    case RV_KIND_INT:
        msgpack_pack_int64(to, *(const int64_t *)place);
        return;
    case RV_KIND_DOUBLE:
        msgpack_pack_double(to, *(const double *)place);
        return;
    case RV_KIND_BOOL: /* false is not set, and left out */
        msgpack_pack_true(to);
        return;
    case RV_KIND_ENUM:
        msgpack_pack_int(to, *(const int *)place);
        return;
    case RV_KIND_TEXTS:
        put_texts(to, field, object);
        return;
    case RV_KIND_RECORD:
        put_record(to, field->element, *(const void *const *)place);
        return;
    case RV_KIND_LIST:
        put_list(to, field, object);
        return;
    }
}

/* What is not set is left out. */
static void put_record(msgpack_packer *to, const struct rv_record *record, const void *object)
{
    size_t n = 0;

    for (size_t i = 0; i < record->field_count; i++)
        n += rv_field_is_set(&record->fields[i], object);
    msgpack_pack_map(to, n);
    for (size_t i = 0; i < record->field_count; i++) {
        const struct rv_field *field = &record->fields[i];

        if (rv_field_is_set(field, object)) {
            put_text(to, field->name);
            put_value(to, field, object);
        }
    }
}

rv_result rv_msgpack_write(struct rv_ctx *cx, struct rv_in in, struct rv_bytes *bytes)
{
    msgpack_sbuffer buffer;
    msgpack_packer packer;

    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    put_record(&packer, in.record, in.object);
    *bytes =
        (struct rv_bytes){ (const uint8_t *)rv_strndup(cx, buffer.data, buffer.size), buffer.size };
    msgpack_sbuffer_destroy(&buffer);
    return RV_OK;
}

/* How many bytes follow a head byte: its number (a count or the value), then its body. */
struct head {
    size_t number_bytes; /* of the big-endian count behind the head; 0: none */
    size_t body;         /* bytes that follow, or items when it opens */
    int opens;           /* 1: an array, 2: a map */
};

static bool head_of(uint8_t byte, struct head *head)
{
    static const uint8_t fixed[] = { /* 0xca … 0xd3, 0xd4 … 0xd8: bytes without a count */
                                     4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17
    };

    *head = (struct head){ 0 };
    if (byte <= 0x7f || byte >= 0xe0 || byte == 0xc0 || byte == 0xc2 || byte == 0xc3)
        return true;
    if (byte <= 0x8f)
        *head = (struct head){ 0, byte & 15, 2 };
    else if (byte <= 0x9f)
        *head = (struct head){ 0, byte & 15, 1 };
    else if (byte <= 0xbf)
        head->body = byte & 31;
    else if (byte >= 0xc4 && byte <= 0xc6)
        head->number_bytes = (size_t)1 << (byte - 0xc4);
    else if (byte >= 0xca && byte <= 0xd8)
        head->body = fixed[byte - 0xca];
    else if (byte >= 0xd9 && byte <= 0xdb)
        head->number_bytes = (size_t)1 << (byte - 0xd9);
    else if (byte >= 0xdc)
        *head = (struct head){ byte & 1 ? 4 : 2, 0, byte >= 0xde ? 2 : 1 };
    else
        return false; /* never used, or an extension of a length that we never write */
    return true;
}

/*
 * Whether @bytes are one whole value whose counts could be true. msgpack_unpack believes them and
 * reserves memory first: six bytes would claim 240 MB.
 */
static bool is_sound(const uint8_t *at, size_t left)
{
    size_t items[DEPTH_MAX + 1] = { 1 }; /* still to come, by depth */
    int depth = 0;

    while (depth >= 0) {
        struct head head;

        if (items[depth] == 0) {
            depth--;
            continue;
        }
        items[depth]--;
        if (left == 0 || !head_of(*at, &head) || left - 1 < head.number_bytes)
            return false;
        at++, left--;
        for (size_t i = 0; i < head.number_bytes; i++, at++, left--)
            head.body = head.body << 8 | *at;
        if (head.body > left || (head.opens && ++depth > DEPTH_MAX))
            return false;
        if (head.opens) {
            items[depth] = head.body * (size_t)head.opens;
        } else {
            at += head.body;
            left -= head.body;
        }
    }
    return left == 0;
}

static rv_result get_record(struct rv_ctx *cx, const msgpack_object *from, struct rv_out out);

static bool is_key(const msgpack_object *object, const char *name)
{
    return object->type == MSGPACK_OBJECT_STR && object->via.str.size == strlen(name) &&
           memcmp(object->via.str.ptr, name, object->via.str.size) == 0;
}

static bool get_text(struct rv_ctx *cx, const msgpack_object *from, const char **out)
{
    const msgpack_object_str *text = &from->via.str;

    if (from->type != MSGPACK_OBJECT_STR || !rv_utf8_ok(text->ptr, text->size) ||
        memchr(text->ptr, '\0', text->size))
        return false;
    *out = rv_strndup(cx, text->ptr, text->size);
    return true;
}

static bool get_int(const msgpack_object *from, int64_t *out)
{
    if (from->type != MSGPACK_OBJECT_NEGATIVE_INTEGER &&
        (from->type != MSGPACK_OBJECT_POSITIVE_INTEGER || from->via.u64 > INT64_MAX))
        return false;
    *out = from->via.i64;
    return true;
}

static bool get_bytes(struct rv_ctx *cx, const msgpack_object *from, struct rv_bytes *out)
{
    if (from->type != MSGPACK_OBJECT_BIN)
        return false;
    out->len = from->via.bin.size;
    out->data = (const uint8_t *)rv_strndup(cx, from->via.bin.ptr, out->len);
    return true;
}

static bool get_texts(struct rv_ctx *cx, const msgpack_object *from, const struct rv_field *field,
                      void *object)
{
    size_t n = from->type == MSGPACK_OBJECT_ARRAY ? from->via.array.size : 0;
    const char **texts = rv_new_array(cx, const char *, n);

    for (size_t i = 0; i < n; i++)
        if (!get_text(cx, &from->via.array.ptr[i], &texts[i]))
            return false;
    *(const char ***)rv_field_at(field, object) = texts;
    *rv_field_count_at(field, object) = n;
    return from->type == MSGPACK_OBJECT_ARRAY;
}

static bool get_list(struct rv_ctx *cx, const msgpack_object *from, const struct rv_field *field,
                     void *object)
{
    size_t n = from->type == MSGPACK_OBJECT_ARRAY ? from->via.array.size : 0;
    size_t size = field->element->size;
    char *items;

    if (from->type != MSGPACK_OBJECT_ARRAY || n > RV_LIST_ITEMS_MAX)
        return false;
    items = rv_arena_array(cx->arena, size, n);
    for (size_t i = 0; i < n; i++)
        if (get_record(cx, &from->via.array.ptr[i],
                       (struct rv_out){ field->element, items + i * size }) != RV_OK)
            return false;
    *(void **)rv_field_at(field, object) = items;
    *rv_field_count_at(field, object) = n;
    return true;
}

static bool get_value(struct rv_ctx *cx, const msgpack_object *from, const struct rv_field *field,
                      void *object)
{
    void *place = rv_field_at(field, object);
    int64_t number;

    switch (field->kind) {
    case RV_KIND_TEXT:
    case RV_KIND_UUID:
    case RV_KIND_JSON:
        return get_text(cx, from, place);
    case RV_KIND_BYTES:
        return get_bytes(cx, from, place);
    case RV_KIND_INT:
        return get_int(from, place);
    case RV_KIND_DOUBLE:
        *(double *)place = from->via.f64;
        return from->type == MSGPACK_OBJECT_FLOAT64;
    case RV_KIND_BOOL:
        *(bool *)place = from->type == MSGPACK_OBJECT_BOOLEAN && from->via.boolean;
        return from->type == MSGPACK_OBJECT_BOOLEAN;
    case RV_KIND_ENUM:
        if (!get_int(from, &number) || number != (int)number)
            return false;
        *(int *)place = (int)number;
        return *rv_enum_word(field->values, (int)number) != '\0';
    case RV_KIND_TEXTS:
        return get_texts(cx, from, field, object);
    case RV_KIND_RECORD:
        *(void **)place = rv_arena_alloc(cx->arena, field->element->size);
        return get_record(cx, from, (struct rv_out){ field->element, *(void **)place }) == RV_OK;
    case RV_KIND_LIST:
        return get_list(cx, from, field, object);
    }
    return false;
}

/* Names that this version does not know are passed over: another one wrote them. */
static rv_result get_record(struct rv_ctx *cx, const msgpack_object *from, struct rv_out out)
{
    const msgpack_object_map *map = &from->via.map;

    memset(out.object, 0, out.record->size);
    if (from->type != MSGPACK_OBJECT_MAP)
        return rv_fail(cx, RV_INVALID, "%s is not a map", out.record->name);
    for (uint32_t i = 0; i < map->size; i++)
        for (size_t f = 0; f < out.record->field_count; f++) {
            const struct rv_field *field = &out.record->fields[f];

            if (is_key(&map->ptr[i].key, field->name) &&
                !get_value(cx, &map->ptr[i].val, field, out.object))
                return rv_fail(cx, RV_INVALID, "%s.%s is of another kind", out.record->name,
                               field->name);
        }
    return RV_OK;
}

rv_result rv_msgpack_read(struct rv_ctx *cx, struct rv_bytes bytes, struct rv_out out)
{
    __attribute__((cleanup(msgpack_unpacked_destroy))) msgpack_unpacked unpacked;
    size_t at = 0;

    msgpack_unpacked_init(&unpacked);
    if (!is_sound(bytes.data, bytes.len) ||
        msgpack_unpack_next(&unpacked, (const char *)bytes.data, bytes.len, &at) !=
            MSGPACK_UNPACK_SUCCESS)
        return rv_fail(cx, RV_INVALID, "%s is not msgpack", out.record->name);
    return get_record(cx, &unpacked.data, out);
}
