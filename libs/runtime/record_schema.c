#include "base/buf.h"
#include "runtime/codec.h"

/* "string", or with null beside it for what need not be there. */
static void add_type(struct rv_buf *into, const char *type, bool optional)
{
    rv_buf_printf(into, optional ? "\"type\":[\"%s\",\"null\"]" : "\"type\":\"%s\"", type);
}

static void add_words(struct rv_buf *into, const struct rv_enum *values, bool optional)
{
    rv_buf_text(into, "\"enum\":[");
    for (size_t i = 0; i < values->count; i++)
        rv_buf_printf(into, "%s\"%s\"", i ? "," : "", values->rows[i].word);
    rv_buf_text(into, optional ? ",null]" : "]");
}

static void add_reference(struct rv_buf *into, const struct rv_record *record)
{
    rv_buf_printf(into, "\"$ref\":\"#/components/schemas/%s\"", record->name);
}

static void add_object(struct rv_buf *into, const struct rv_record *record, bool optional)
{
    rv_buf_text(into, optional ? "\"anyOf\":[{" : "");
    add_reference(into, record);
    rv_buf_text(into, optional ? "},{\"type\":\"null\"}]" : "");
}

static void add_list(struct rv_buf *into, const struct rv_field *field)
{
    rv_buf_text(into, "\"type\":\"array\",\"items\":{");
    if (field->kind == RV_KIND_LIST)
        add_reference(into, field->element);
    else
        add_type(into, "string", false);
    rv_buf_char(into, '}');
    if (field->flags & RV_REQUIRED)
        rv_buf_text(into, ",\"minItems\":1");
}

static void add_kind(struct rv_buf *into, const struct rv_field *field)
{
    bool optional = !(field->flags & RV_REQUIRED);

    switch (field->kind) {
    case RV_KIND_TEXT:
        add_type(into, "string", optional);
        rv_buf_text(into, optional ? "" : ",\"minLength\":1");
        return;
    case RV_KIND_UUID:
        add_type(into, "string", optional);
        rv_buf_text(into, ",\"format\":\"uuid\"");
        return;
    case RV_KIND_JSON: /* anything */
        return;
    case RV_KIND_BYTES:
        add_type(into, "string", optional);
        rv_buf_text(into, ",\"contentEncoding\":\"base64\"");
        return;
    case RV_KIND_INT:
        rv_buf_text(into, "\"type\":\"integer\",\"format\":\"int64\"");
        return;
    case RV_KIND_DOUBLE:
        add_type(into, "number", false);
        return;
    case RV_KIND_BOOL:
        add_type(into, "boolean", false);
        return;
    case RV_KIND_ENUM:
        add_words(into, field->values, optional);
        return;
    case RV_KIND_RECORD:
        add_object(into, field->element, optional);
        return;
    case RV_KIND_TEXTS:
    case RV_KIND_LIST:
        add_list(into, field);
        return;
    }
}

static void add_field(struct rv_buf *into, const struct rv_field *field)
{
    size_t start;

    rv_buf_printf(into, "\"%s\":{", field->name);
    start = into->len;
    add_kind(into, field);
    if (field->flags & RV_READONLY)
        rv_buf_printf(into, "%s\"readOnly\":true", into->len > start ? "," : "");
    if (field->flags & RV_SECRET)
        rv_buf_printf(into, "%s\"writeOnly\":true", into->len > start ? "," : "");
    rv_buf_char(into, '}');
}

static void add_required(struct rv_buf *into, const struct rv_record *record)
{
    const char *before = ",\"required\":[";

    for (size_t i = 0; i < record->field_count; i++)
        if (record->fields[i].flags & RV_REQUIRED) {
            rv_buf_printf(into, "%s\"%s\"", before, record->fields[i].name);
            before = ",";
        }
    if (before[1] == '\0')
        rv_buf_char(into, ']');
}

rv_result rv_json_schema(struct rv_ctx *cx, const struct rv_record *record, const char **text)
{
    auto_buf schema = { 0 };

    rv_buf_text(&schema, "{\"type\":\"object\",\"properties\":{");
    for (size_t i = 0; i < record->field_count; i++) {
        if (i > 0)
            rv_buf_char(&schema, ',');
        add_field(&schema, &record->fields[i]);
    }
    rv_buf_char(&schema, '}');
    add_required(&schema, record);
    rv_buf_text(&schema, ",\"additionalProperties\":false}");
    *text = rv_strndup(cx, schema.data, schema.len);
    return RV_OK;
}
