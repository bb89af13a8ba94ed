/* The half of type.h that knows what types are called. */

#include <string.h>

#include "base/buf.h"
#include "cel/cel.h"

/* clang-format off */
static const struct row {
    const char *name;
    unsigned n_params;
    bool in_expressions; /* is a value there: type(1) == int */
} rows[CEL_TYPE_KINDS] = {
    [CEL_T_DYN]       = { "dyn",                       0, false },
    [CEL_T_NULL]      = { "null_type",                 0, true },
    [CEL_T_BOOL]      = { "bool",                      0, true },
    [CEL_T_INT]       = { "int",                       0, true },
    [CEL_T_UINT]      = { "uint",                      0, true },
    [CEL_T_DOUBLE]    = { "double",                    0, true },
    [CEL_T_STRING]    = { "string",                    0, true },
    [CEL_T_BYTES]     = { "bytes",                     0, true },
    [CEL_T_TIMESTAMP] = { "google.protobuf.Timestamp", 0, true },
    [CEL_T_DURATION]  = { "google.protobuf.Duration",  0, true },
    [CEL_T_LIST]      = { "list",                      1, true },
    [CEL_T_MAP]       = { "map",                       2, true },
    [CEL_T_OPTIONAL]  = { "optional_type",             1, true },
    [CEL_T_TYPE]      = { "type",                      0, true },
    [CEL_T_WRAPPER]   = { "wrapper",                   1, false },
    [CEL_T_RECORD]    = { "record",                    0, false },
    [CEL_T_ABSTRACT]  = { "abstract",                  0, false },
    [CEL_T_ERROR]     = { "error",                     0, false },
    [CEL_T_VAR]       = { "dyn",                       0, false },
};
/* clang-format on */

const char *cel_type_name(const struct cel_type *type)
{
    if (type->kind == CEL_T_ABSTRACT && type->name)
        return type->name;
    return type->kind == CEL_T_RECORD && type->record ? type->record->name : rows[type->kind].name;
}

const struct cel_type *cel_type_named(const char *name, size_t len)
{
    for (size_t i = 0; i < CEL_TYPE_KINDS; i++)
        if (rows[i].in_expressions && strncmp(rows[i].name, name, len) == 0 && !rows[i].name[len])
            return cel_type((enum cel_type_kind)i);
    return NULL;
}

static void add_text(struct rv_buf *text, const struct cel_type *type, int depth)
{
    unsigned n_params = cel_type_params(type);

    rv_buf_text(text, cel_type_name(type));
    if (n_params == 0 || depth == CEL_DEPTH_MAX)
        return;
    for (unsigned i = 0; i < n_params; i++) {
        rv_buf_text(text, i == 0 ? "(" : ", ");
        add_text(text, type->params[i], depth + 1);
    }
    rv_buf_char(text, ')');
}

const char *cel_type_text(struct rv_ctx *cx, const struct cel_type *type)
{
    struct rv_buf text = { .arena = cx->arena };

    add_text(&text, type, 0);
    return rv_strndup(cx, text.data, text.len);
}

static const struct cel_type *read_type(struct rv_ctx *cx, const char **at, int depth);

static bool took(const char **at, char c)
{
    if (**at != c)
        return false;
    ++*at;
    return true;
}

/* "(list(int), string)" behind a name. */
static bool read_params(struct rv_ctx *cx, const char **at, struct cel_type *type, int depth)
{
    for (unsigned i = 0; i < rows[type->kind].n_params; i++) {
        if (!took(at, i == 0 ? '(' : ','))
            return false;
        *at += strspn(*at, " ");
        type->params[i] = read_type(cx, at, depth + 1);
        if (!type->params[i])
            return false;
        *at += strspn(*at, " ");
    }
    return took(at, ')');
}

static const struct cel_type *read_type(struct rv_ctx *cx, const char **at, int depth)
{
    size_t len = strcspn(*at, "(), ");
    struct cel_type *type;

    for (size_t i = 0; i < CEL_T_RECORD && depth < CEL_DEPTH_MAX; i++) {
        if (strncmp(rows[i].name, *at, len) != 0 || rows[i].name[len])
            continue;
        *at += len;
        if (rows[i].n_params == 0 || **at != '(')
            return cel_type((enum cel_type_kind)i);
        type = rv_new(cx, struct cel_type);
        type->kind = (enum cel_type_kind)i;
        return read_params(cx, at, type, depth) ? type : NULL;
    }
    return NULL;
}

const struct cel_type *cel_type_parse(struct rv_ctx *cx, const char *text)
{
    const struct cel_type *type = read_type(cx, &text, 0);

    return *text ? NULL : type;
}
