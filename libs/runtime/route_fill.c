/* One record from path, query and body: rv_route_fill of route.h. */

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/id.h"
#include "base/text.h"
#include "runtime/codec.h"
#include "runtime/route.h"

struct filling {
    struct rv_ctx *cx;
    const struct rv_path *found;
    const struct rv_http_request *request;
    struct rv_out out;
    char *given; /* for each field: who has said it */
};

enum { IN_PATH = 1, IN_QUERY = 2 };

static char *given(const struct filling *filling, const struct rv_field *field)
{
    return &filling->given[field - filling->out.record->fields];
}

static const char *read_uuid(struct rv_ctx *cx, const char *text)
{
    char *id = rv_strdup(cx, text);

    for (char *c = id; *c; c++)
        if (*c >= 'A' && *c <= 'F')
            *c = (char)(*c + ('a' - 'A'));
    return id;
}

static void wrong_word(struct rv_ctx *cx, const struct rv_field *field)
{
    auto_buf words = { 0 };

    for (size_t i = 0; i < field->values->count; i++)
        rv_buf_printf(&words, "%s%s", i ? ", " : "", field->values->rows[i].word);
    rv_wrong(cx, field->name, "is not one of: %s", words.data ? words.data : "");
}

/* "a,b,c" */
static void read_texts(struct rv_ctx *cx, const struct rv_field *field, const char *text,
                       void *object)
{
    char *rest = rv_strdup(cx, text);
    size_t n = 0;
    const char **items;

    for (const char *c = text; *c; c++)
        n += *c == ',';
    items = rv_new_array(cx, const char *, n + 1);
    for (n = 0; rest && *text; n++)
        items[n] = strsep(&rest, ",");
    *(const char ***)rv_field_at(field, object) = items;
    *rv_field_count_at(field, object) = n;
}

static bool read_bool(const char *text, bool *value)
{
    *value = strcmp(text, "true") == 0;
    return *value || strcmp(text, "false") == 0;
}

/* Puts @text into the field; says what is wrong with it. */
static void read_value(struct rv_ctx *cx, const struct rv_field *field, const char *text,
                       void *object)
{
    void *place = rv_field_at(field, object);

    switch (field->kind) {
    case RV_KIND_TEXT:
        *(const char **)place = rv_strdup(cx, text);
        if (!*text && (field->flags & RV_REQUIRED))
            rv_wrong(cx, field->name, "is empty");
        return;
    case RV_KIND_UUID:
        *(const char **)place = read_uuid(cx, text);
        if (!rv_id_is(text))
            rv_wrong(cx, field->name, "is not a UUID");
        return;
    case RV_KIND_INT:
        if (!rv_text_int(text, place))
            rv_wrong(cx, field->name, "is not a whole number");
        return;
    case RV_KIND_DOUBLE:
        if (!rv_text_double(text, place))
            rv_wrong(cx, field->name, "is not a number");
        return;
    case RV_KIND_BOOL:
        if (!read_bool(text, place))
            rv_wrong(cx, field->name, "is not true or false");
        return;
    case RV_KIND_ENUM:
        *(int *)place = rv_enum_parse(field->values, text);
        if (*(int *)place == 0)
            wrong_word(cx, field);
        return;
    case RV_KIND_TEXTS:
        read_texts(cx, field, text, object);
        return;
    case RV_KIND_JSON:
    case RV_KIND_BYTES:
    case RV_KIND_RECORD:
    case RV_KIND_LIST:
        rv_wrong(cx, field->name, "belongs into the body");
        return;
    }
}

static const struct rv_field *path_field(const struct filling *filling, unsigned i)
{
    const char *name =
        rv_strndup(filling->cx, filling->found->params[i].name, filling->found->params[i].name_len);

    return filling->out.record ? rv_record_field(filling->out.record, name) : NULL;
}

static rv_result mark_path(struct filling *filling)
{
    for (unsigned i = 0; filling->out.record && i < filling->found->param_count; i++) {
        const struct rv_field *field = path_field(filling, i);

        if (!field)
            return rv_fail(filling->cx, RV_INTERNAL, "%s has no field for {%.*s}",
                           filling->out.record->name, (int)filling->found->params[i].name_len,
                           filling->found->params[i].name);
        *given(filling, field) = IN_PATH;
    }
    return RV_OK;
}

/* What is wrong with the name of a query argument is noted here, its value later. */
static bool mark_arg(void *arg, const char *name, const char *value)
{
    struct filling *filling = arg;
    const struct rv_record *record = filling->out.record;
    const struct rv_field *field = record ? rv_record_field(record, name) : NULL;

    (void)value;
    if (!field)
        rv_wrong(filling->cx, name, "is unknown in the query");
    else if (*given(filling, field) == IN_PATH)
        rv_wrong(filling->cx, name, "is in the path already");
    else if (*given(filling, field) == IN_QUERY)
        rv_wrong(filling->cx, name, "is in the query twice");
    else if (field->flags & RV_READONLY)
        rv_wrong(filling->cx, name, "is not yours to set");
    else
        *given(filling, field) = IN_QUERY;
    return true;
}

static bool read_arg(void *arg, const char *name, const char *value)
{
    struct filling *filling = arg;
    const struct rv_record *record = filling->out.record;
    const struct rv_field *field = record ? rv_record_field(record, name) : NULL;

    if (field && *given(filling, field) == IN_QUERY)
        read_value(filling->cx, field, value, filling->out.object);
    return true;
}

static bool same(const struct rv_field *field, const void *a, const void *b)
{
    const void *x = rv_field_in(field, a), *y = rv_field_in(field, b);

    switch (field->kind) {
    case RV_KIND_TEXT:
    case RV_KIND_UUID:
        return rv_text_same(*(const char *const *)x, *(const char *const *)y);
    case RV_KIND_INT:
    case RV_KIND_DOUBLE:
        return memcmp(x, y, sizeof(int64_t)) == 0;
    case RV_KIND_ENUM:
        return memcmp(x, y, sizeof(int)) == 0;
    default:
        return memcmp(x, y, sizeof(bool)) == 0;
    }
}

/* The path has the last word; a body that says otherwise was meant for something else. */
static void read_path(struct filling *filling)
{
    void *object = filling->out.object, *before;

    if (!filling->out.record)
        return;
    before = rv_arena_alloc(filling->cx->arena, filling->out.record->size);
    memcpy(before, object, filling->out.record->size);
    for (unsigned i = 0; i < filling->found->param_count; i++) {
        const struct rv_field *field = path_field(filling, i);

        read_value(filling->cx, field,
                   rv_strndup(filling->cx, filling->found->params[i].value,
                              filling->found->params[i].value_len),
                   object);
        if (rv_field_is_set(field, before) && !same(field, before, object))
            rv_wrong(filling->cx, field->name, "is another one than in the path");
    }
}

/* The record as the body has to fill it: what path and query say is not missing in it. */
static const struct rv_record *body_record(const struct filling *filling)
{
    const struct rv_record *whole = filling->out.record;
    struct rv_record *rest = rv_new(filling->cx, struct rv_record);
    struct rv_field *fields = rv_new_array(filling->cx, struct rv_field, whole->field_count);

    for (size_t i = 0; i < whole->field_count; i++) {
        fields[i] = whole->fields[i];
        if (filling->given[i])
            fields[i].flags &= ~(unsigned)RV_REQUIRED;
        if (filling->given[i] == IN_PATH)
            fields[i].flags &= ~(unsigned)RV_READONLY;
    }
    *rest = *whole;
    rest->fields = fields;
    return rest;
}

static void note_missing(const struct filling *filling)
{
    const struct rv_record *record = filling->out.record;

    for (size_t i = 0; record && i < record->field_count; i++)
        if ((record->fields[i].flags & RV_REQUIRED) && !(record->fields[i].flags & RV_READONLY) &&
            !filling->given[i])
            rv_wrong(filling->cx, record->fields[i].name, "is missing");
}

static bool is_json(const char *type)
{
    size_t len = strlen("application/json");

    return type && strncasecmp(type, "application/json", len) == 0 &&
           (!type[len] || type[len] == ';' || type[len] == ' ');
}

static bool has_no_body(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
           strcmp(method, "DELETE") == 0;
}

/* What is wrong in the JSON is only noted: path and query are to be heard too. */
static rv_result read_body(struct filling *filling)
{
    struct rv_bytes body = rv_http_body(filling->request);
    const char *method = rv_http_method(filling->request);
    struct rv_out into = filling->out;

    if (body.len == 0) {
        note_missing(filling);
        return RV_OK;
    }
    if (has_no_body(method) || !filling->out.record)
        return rv_fail(filling->cx, RV_INVALID, "%s takes no body here", method);
    if (!is_json(rv_http_header(filling->request, "Content-Type")))
        return rv_fail(filling->cx, RV_UNSUPPORTED, "the body is not application/json");
    into.record = body_record(filling);
    if (rv_json_read(filling->cx, (const char *)body.data, body.len, RV_JSON_CLIENT, into) !=
            RV_OK &&
        filling->cx->error.status != RV_INVALID)
        return rv_trace_at(filling->cx, filling->cx->error.status, RV_HERE);
    return RV_OK;
}

rv_result rv_route_fill(struct rv_ctx *cx, const struct rv_path *found,
                        const struct rv_http_request *request, struct rv_out out)
{
    struct filling filling = { cx, found, request, out, NULL };

    if (out.record) {
        memset(out.object, 0, out.record->size);
        filling.given = rv_new_array(cx, char, out.record->field_count);
    }
    RV_TRY(cx, mark_path(&filling));
    rv_http_query(request, mark_arg, &filling);
    RV_TRY(cx, read_body(&filling));
    rv_http_query(request, read_arg, &filling);
    read_path(&filling);
    return rv_refuse(cx);
}
