/* Writing: record → JSON text, straight into a buffer: events pass here by the thousand. */

#include "base/buf.h"
#include "runtime/codec.h"

static void add_record(struct rv_buf *into, const struct rv_record *record, const void *object);

static void add_text(struct rv_buf *into, const char *text)
{
    if (text)
        rv_buf_json(into, text);
    else
        rv_buf_text(into, "null");
}

static void add_texts(struct rv_buf *into, const char *const *texts, size_t n)
{
    rv_buf_char(into, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            rv_buf_char(into, ',');
        add_text(into, texts[i]);
    }
    rv_buf_char(into, ']');
}

static void add_list(struct rv_buf *into, const struct rv_record *record, const void *items,
                     size_t n)
{
    const char *item = items;

    rv_buf_char(into, '[');
    for (size_t i = 0; i < n; i++, item += record->size) {
        if (i > 0)
            rv_buf_char(into, ',');
        add_record(into, record, item);
    }
    rv_buf_char(into, ']');
}

static void add_bytes(struct rv_buf *into, const struct rv_bytes *bytes)
{
    rv_buf_char(into, '"');
    rv_buf_base64(into, bytes->data, bytes->len);
    rv_buf_char(into, '"');
}

static void add_value(struct rv_buf *into, const struct rv_field *field, const void *object)
{
    const void *place = rv_field_in(field, object);

    switch (field->kind) {
    case RV_KIND_TEXT:
    case RV_KIND_UUID:
        add_text(into, *(const char *const *)place);
        return;
    case RV_KIND_JSON: /* is JSON already */
        rv_buf_text(into, rv_field_is_set(field, object) ? *(const char *const *)place : "null");
        return;
    case RV_KIND_BYTES:
        add_bytes(into, place);
        return;
    case RV_KIND_INT:
        rv_buf_int(into, *(const int64_t *)place);
        return;
    case RV_KIND_DOUBLE:
        rv_buf_double(into, *(const double *)place);
        return;
    case RV_KIND_BOOL:
        rv_buf_text(into, *(const bool *)place ? "true" : "false");
        return;
    case RV_KIND_ENUM:
        add_text(into,
                 *(const int *)place ? rv_enum_word(field->values, *(const int *)place) : NULL);
        return;
    case RV_KIND_TEXTS:
        add_texts(into, *(const char *const *const *)place, rv_field_count_in(field, object));
        return;
    case RV_KIND_RECORD:
        if (rv_field_is_set(field, object))
            add_record(into, field->element, *(const void *const *)place);
        else
            rv_buf_text(into, "null");
        return;
    case RV_KIND_LIST:
        add_list(into, field->element, *(const void *const *)place,
                 rv_field_count_in(field, object));
        return;
    }
}

static void add_record(struct rv_buf *into, const struct rv_record *record, const void *object)
{
    char before = '{';

    for (size_t i = 0; i < record->field_count; i++) {
        const struct rv_field *field = &record->fields[i];

        if ((field->flags & RV_SECRET) ||
            ((field->flags & RV_UNSET) && !rv_field_is_set(field, object)))
            continue;
        rv_buf_char(into, before);
        rv_buf_char(into, '"');
        rv_buf_text(into, field->name);
        rv_buf_add(into, "\":", 2);
        add_value(into, field, object);
        before = ',';
    }
    rv_buf_text(into, before == '{' ? "{}" : "}");
}

rv_result rv_json_write(struct rv_ctx *cx, struct rv_in in, const char **text)
{
    auto_buf buf = { 0 };

    add_record(&buf, in.record, in.object);
    *text = rv_strndup(cx, buf.data, buf.len);
    return RV_OK;
}

rv_result rv_json_write_list(struct rv_ctx *cx, struct rv_in in, const char **text)
{
    auto_buf buf = { 0 };

    add_list(&buf, in.record, in.object, in.n);
    *text = rv_strndup(cx, buf.data, buf.len);
    return RV_OK;
}
