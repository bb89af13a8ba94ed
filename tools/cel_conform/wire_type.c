#include "wire.h"

#include <string.h>

#include "wire_message.h"

static const struct wire_message messages[] = {
    { "google.protobuf.Timestamp", "timestamp(value)", CEL_T_TIMESTAMP },
    { "google.protobuf.Duration", "duration(value)", CEL_T_DURATION },
    { "google.protobuf.BoolValue", "value", CEL_T_BOOL },
    { "google.protobuf.StringValue", "value", CEL_T_STRING },
    { "google.protobuf.BytesValue", "base64.decode(value)", CEL_T_BYTES },
    { "google.protobuf.Int32Value", "int(value)", CEL_T_INT },
    { "google.protobuf.Int64Value", "int(value)", CEL_T_INT },
    { "google.protobuf.UInt32Value", "uint(value)", CEL_T_UINT },
    { "google.protobuf.UInt64Value", "uint(value)", CEL_T_UINT },
    { "google.protobuf.FloatValue", "double(value)", CEL_T_DOUBLE },
    { "google.protobuf.DoubleValue", "double(value)", CEL_T_DOUBLE },
    { "google.protobuf.Value", NULL, CEL_T_DYN },
    { "google.protobuf.Struct", NULL, CEL_T_DYN },
    { "google.protobuf.ListValue", NULL, CEL_T_DYN },
};

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

static const struct cel_type *word_type(const char *form, const char *word)
{
    for (size_t i = 0; word && i < sizeof(type_words) / sizeof(type_words[0]); i++)
        if (strcmp(type_words[i].form, form) == 0 && strcmp(type_words[i].word, word) == 0)
            return cel_type(type_words[i].kind);
    return cel_type(CEL_T_DYN);
}

static const struct cel_type *part(struct rv_ctx *cx, json_t *json, const char *key)
{
    json_t *of = json_object_get(json, key);

    return of ? wire_read_type(cx, of) : cel_type(CEL_T_DYN);
}

static const struct cel_type *read_abstract(struct rv_ctx *cx, json_t *json)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    json_t *params = json_object_get(json, "parameterTypes");

    if (!name || strcmp(name, "optional_type") != 0)
        return NULL;
    return cel_type_optional(cx, json_array_size(params)
                                     ? wire_read_type(cx, json_array_get(params, 0))
                                     : cel_type(CEL_T_DYN));
}

static const struct cel_type *message_type(const char *name)
{
    const struct wire_message *message = wire_message(name ? name : "");

    return message ? cel_type(message->type) : NULL;
}

const struct cel_type *wire_read_type(struct rv_ctx *cx, json_t *json)
{
    const char *form = "", *text = json_string_value(json);
    const struct cel_type *type;
    json_t *of = NULL;
    void *iter = json_object_iter(json);

    if (text) {
        type = cel_type_parse(cx, text);
        return type ? type : cel_type(CEL_T_DYN);
    }
    if (iter) {
        form = json_object_iter_key(iter);
        of = json_object_iter_value(iter);
    }
    if (strcmp(form, "listType") == 0)
        return cel_type_list(cx, part(cx, of, "elemType"));
    if (strcmp(form, "mapType") == 0)
        return cel_type_map(cx, part(cx, of, "keyType"), part(cx, of, "valueType"));
    if (strcmp(form, "wrapper") == 0)
        return cel_type_wrapper(cx, word_type("primitive", json_string_value(of)));
    if (strcmp(form, "null") == 0)
        return cel_type(CEL_T_NULL);
    if (strcmp(form, "type") == 0)
        return cel_type(CEL_T_TYPE);
    if (strcmp(form, "abstractType") == 0)
        return read_abstract(cx, of);
    if (strcmp(form, "messageType") == 0)
        return message_type(json_string_value(of));
    return word_type(form, json_string_value(of));
}
