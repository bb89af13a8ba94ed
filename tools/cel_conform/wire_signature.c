#include "wire.h"

#include <string.h>

#include "base/buf.h"

enum { PARAMS = 3 };

/* A signature on its way, and the names that A, B and C stand for. */
struct writing {
    struct rv_buf text;
    const char *params[PARAMS];
};

static bool add_type(struct writing *writing, json_t *type);

static bool add_param(struct writing *writing, const char *name)
{
    for (int i = 0; name && i < PARAMS; i++) {
        if (!writing->params[i])
            writing->params[i] = name;
        if (strcmp(writing->params[i], name) == 0) {
            rv_buf_char(&writing->text, (char)('A' + i));
            return true;
        }
    }
    return false;
}

static bool add_types(struct writing *writing, json_t *types)
{
    json_t *type;
    size_t i;

    json_array_foreach(types, i, type)
    {
        if (!add_type(writing, type))
            return false;
    }
    return true;
}

static bool add_abstract(struct writing *writing, json_t *type)
{
    const char *name = json_string_value(json_object_get(type, "name"));
    bool optional = name && strcmp(name, "optional_type") == 0;

    if (!name)
        return false;
    rv_buf_printf(&writing->text, optional ? "O" : "<%s ", name);
    if (!add_types(writing, json_object_get(type, "parameterTypes")))
        return false;
    rv_buf_text(&writing->text, optional ? "" : ">");
    return true;
}

/* Types without parts: those that the JSON form and the letters both have a word for. */
static bool add_plain(struct writing *writing, const char *form, const char *word)
{
    static const struct {
        const char *form, *word;
        char letter;
    } rows[] = {
        { "primitive", "BOOL", 'b' },
        { "primitive", "INT64", 'i' },
        { "primitive", "UINT64", 'u' },
        { "primitive", "DOUBLE", 'd' },
        { "primitive", "STRING", 's' },
        { "primitive", "BYTES", 'y' },
        { "wellKnown", "TIMESTAMP", 't' },
        { "wellKnown", "DURATION", 'D' },
        { "wellKnown", "ANY", '*' },
        { "dyn", "", '*' },
        { "null", "", 'n' },
        { "type", "", 'T' },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].form, form) == 0 && strcmp(rows[i].word, word ? word : "") == 0) {
            rv_buf_char(&writing->text, rows[i].letter);
            return true;
        }
    }
    return false;
}

static bool add_type(struct writing *writing, json_t *type)
{
    void *iter = json_object_iter(type);
    const char *form = iter ? json_object_iter_key(iter) : "";
    json_t *of = iter ? json_object_iter_value(iter) : NULL;

    if (strcmp(form, "typeParam") == 0)
        return add_param(writing, json_string_value(of));
    if (strcmp(form, "abstractType") == 0)
        return add_abstract(writing, of);
    if (strcmp(form, "listType") == 0) {
        rv_buf_char(&writing->text, 'L');
        return add_type(writing, json_object_get(of, "elemType"));
    }
    if (strcmp(form, "mapType") == 0) {
        rv_buf_char(&writing->text, 'M');
        return add_type(writing, json_object_get(of, "keyType")) &&
               add_type(writing, json_object_get(of, "valueType"));
    }
    return add_plain(writing, form, json_string_value(of));
}

const char *wire_read_signature(struct rv_ctx *cx, json_t *overload)
{
    struct writing writing = { 0 };
    const char *text = NULL;
    bool good = add_types(&writing, json_object_get(overload, "params"));

    rv_buf_char(&writing.text, ':');
    if (good && add_type(&writing, json_object_get(overload, "result")))
        text = rv_strndup(cx, writing.text.data, writing.text.len);
    rv_buf_release(&writing.text);
    return text;
}
