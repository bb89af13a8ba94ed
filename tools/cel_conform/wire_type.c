#include "wire.h"

#include <string.h>

#include "wire_message.h"

/* clang-format off */
static const struct wire_message messages[] = {
    { "google.protobuf.Timestamp",   CEL_T_TIMESTAMP, CEL_NONE, 0 },
    { "google.protobuf.Duration",    CEL_T_DURATION,  CEL_NONE, 0 },
    { "google.protobuf.BoolValue",   CEL_T_BOOL,      CEL_NONE, 0 },
    { "google.protobuf.StringValue", CEL_T_STRING,    CEL_NONE, 0 },
    { "google.protobuf.BytesValue",  CEL_T_BYTES,     CEL_NONE, 0 },
    { "google.protobuf.Int32Value",  CEL_T_INT,       CEL_NONE, 32 },
    { "google.protobuf.Int64Value",  CEL_T_INT,       CEL_NONE, 0 },
    { "google.protobuf.UInt32Value", CEL_T_UINT,      CEL_NONE, 32 },
    { "google.protobuf.UInt64Value", CEL_T_UINT,      CEL_NONE, 0 },
    { "google.protobuf.FloatValue",  CEL_T_DOUBLE,    CEL_NONE, 0 },
    { "google.protobuf.DoubleValue", CEL_T_DOUBLE,    CEL_NONE, 0 },
    { "google.protobuf.Value",       CEL_T_DYN,       CEL_NONE, 0 },
    { "google.protobuf.Struct",      CEL_T_DYN,       CEL_MAP,  0 },
    { "google.protobuf.ListValue",   CEL_T_DYN,       CEL_LIST, 0 },
};
/* clang-format on */

const struct wire_message *wire_message(const char *name)
{
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
        if (strcmp(name, messages[i].name) == 0)
            return &messages[i];
    return NULL;
}

static const struct {
    const char *form, *word; /* {"primitive": "INT64"} */
    enum cel_type_kind kind;
} type_words[] = {
    { "primitive", "BOOL", CEL_T_BOOL },
    { "primitive", "INT64", CEL_T_INT },
    { "primitive", "UINT64", CEL_T_UINT },
    { "primitive", "DOUBLE", CEL_T_DOUBLE },
    { "primitive", "STRING", CEL_T_STRING },
    { "primitive", "BYTES", CEL_T_BYTES },
    { "wellKnown", "TIMESTAMP", CEL_T_TIMESTAMP },
    { "wellKnown", "DURATION", CEL_T_DURATION },
    { "wellKnown", "ANY", CEL_T_DYN },
};

/* NULL: no such word. */
static const struct cel_type *word_type(const char *form, const char *word)
{
    for (size_t i = 0; word && i < sizeof(type_words) / sizeof(type_words[0]); i++)
        if (strcmp(type_words[i].form, form) == 0 && strcmp(type_words[i].word, word) == 0)
            return cel_type(type_words[i].kind);
    return NULL;
}

static rv_result no_type(struct rv_ctx *cx, const json_t *json)
{
    return rv_fail(cx, RV_INVALID, "this is no type: %.80s", json ? rv_json_text(cx, json) : "");
}

/* A part that is left out is dyn. */
static rv_result read_part(struct rv_ctx *cx, json_t *json, const struct cel_type **type)
{
    *type = cel_type(CEL_T_DYN);
    return json ? wire_read_type(cx, json, type) : RV_OK;
}

static rv_result read_list(struct rv_ctx *cx, json_t *of, const struct cel_type **type)
{
    const struct cel_type *element;

    RV_TRY(cx, read_part(cx, json_object_get(of, "elemType"), &element));
    *type = cel_type_list(cx, element);
    return RV_OK;
}

static rv_result read_map(struct rv_ctx *cx, json_t *of, const struct cel_type **type)
{
    const struct cel_type *key, *value;

    RV_TRY(cx, read_part(cx, json_object_get(of, "keyType"), &key));
    RV_TRY(cx, read_part(cx, json_object_get(of, "valueType"), &value));
    *type = cel_type_map(cx, key, value);
    return RV_OK;
}

static rv_result read_abstract(struct rv_ctx *cx, json_t *of, const struct cel_type **type)
{
    const char *name = json_string_value(json_object_get(of, "name"));
    const struct cel_type *held;

    if (!name)
        return no_type(cx, of);
    if (strcmp(name, "optional_type") != 0)
        return rv_fail(cx, RV_NOT_FOUND, "a user's type");
    RV_TRY(cx, read_part(cx, json_array_get(json_object_get(of, "parameterTypes"), 0), &held));
    *type = cel_type_optional(cx, held);
    return RV_OK;
}

static rv_result read_message(struct rv_ctx *cx, json_t *of, const struct cel_type **type)
{
    const char *name = json_string_value(of);
    const struct wire_message *message = wire_message(name ? name : "");

    if (!name || !*name)
        return no_type(cx, of);
    if (!message)
        return rv_fail(cx, RV_NOT_FOUND, "a user's message type");
    *type = cel_type(message->type);
    return RV_OK;
}

static rv_result read_wrapper(struct rv_ctx *cx, json_t *of, const struct cel_type **type)
{
    const struct cel_type *wrapped = word_type("primitive", json_string_value(of));

    if (!wrapped)
        return no_type(cx, of);
    *type = cel_type_wrapper(cx, wrapped);
    return RV_OK;
}

/* What is inside these says nothing to the checker. */
static const struct {
    const char *form;
    enum cel_type_kind kind;
} whole_forms[] = {
    { "null", CEL_T_NULL },
    { "type", CEL_T_TYPE },
    { "dyn", CEL_T_DYN },
    { "typeParam", CEL_T_DYN },
};

static const struct {
    const char *form;
    rv_result (*read)(struct rv_ctx *cx, json_t *of, const struct cel_type **type);
} forms[] = {
    { "listType", read_list },       { "mapType", read_map },     { "abstractType", read_abstract },
    { "messageType", read_message }, { "wrapper", read_wrapper },
};

static rv_result read_form(struct rv_ctx *cx, json_t *json, const struct cel_type **type)
{
    const char *form = json_object_iter_key(json_object_iter(json));
    json_t *of = json_object_get(json, form);

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (strcmp(forms[i].form, form) == 0)
            return forms[i].read(cx, of, type);
    *type = word_type(form, json_string_value(of));
    for (size_t i = 0; i < sizeof(whole_forms) / sizeof(whole_forms[0]); i++)
        if (strcmp(whole_forms[i].form, form) == 0)
            *type = cel_type(whole_forms[i].kind);
    return *type ? RV_OK : no_type(cx, json);
}

rv_result wire_read_type(struct rv_ctx *cx, json_t *json, const struct cel_type **type)
{
    *type = cel_type(CEL_T_DYN);
    if (json_is_object(json) && json_object_size(json) == 0)
        return RV_OK;
    if (json_is_object(json) && json_object_size(json) == 1)
        return read_form(cx, json, type);
    *type = json_is_string(json) ? cel_type_parse(cx, json_string_value(json)) : NULL;
    return *type ? RV_OK : no_type(cx, json);
}
