#include "runtime/record_pg_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *rv_pg_room(struct rv_pg_text *out, size_t more)
{
    if (out->size - out->len < more) {
        out->size = 2 * out->size + more + 4096;
        out->data = realloc(out->data, out->size);
        if (!out->data)
            abort();
    }
    return out->data + out->len;
}

void rv_pg_text_release(struct rv_pg_text *text)
{
    free(text->data);
    *text = (struct rv_pg_text){ 0 };
}

static void put(struct rv_pg_text *out, const char *text, size_t len)
{
    memcpy(rv_pg_room(out, len), text, len);
    out->len += len;
}

/* An array's element: in quotes, so that no comma, brace, space or NULL in it means anything. */
static void put_quoted(struct rv_pg_text *out, const char *text)
{
    size_t len = strlen(text);
    char *at = rv_pg_room(out, 2 * len + 2);

    *at++ = '"';
    if (!memchr(text, '"', len) && !memchr(text, '\\', len)) {
        at = (char *)memcpy(at, text, len) + len;
    } else {
        for (; *text; *at++ = *text++)
            if (*text == '"' || *text == '\\')
                *at++ = '\\';
    }
    *at++ = '"';
    out->len = (size_t)(at - out->data);
}

static const char *write_int(char *end, int64_t value)
{
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

    *--end = '\0';
    do
        *--end = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--end = '-';
    return end;
}

static const char *bytes_text(struct rv_ctx *cx, const struct rv_bytes *bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *text, *at;

    if (!bytes->data)
        return NULL;
    at = text = rv_new_array(cx, char, 2 * bytes->len + 3);
    *at++ = '\\';
    *at++ = 'x';
    for (size_t i = 0; i < bytes->len; i++) {
        *at++ = digits[bytes->data[i] >> 4];
        *at++ = digits[bytes->data[i] & 15];
    }
    return text;
}

static const char *texts_text(struct rv_ctx *cx, const char *const *items, size_t n)
{
    struct rv_pg_text out = { 0 };
    const char *text;

    put(&out, "{", 1);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            put(&out, ",", 1);
        if (items[i])
            put_quoted(&out, items[i]);
        else
            put(&out, "NULL", 4);
    }
    put(&out, "}", 2);
    text = rv_strdup(cx, out.data);
    rv_pg_text_release(&out);
    return text;
}

static rv_result enum_text(struct rv_ctx *cx, const struct rv_field *field, int value,
                           const char **text)
{
    if (value == 0)
        return RV_OK;
    *text = rv_enum_word(field->values, value);
    if (!**text)
        return rv_fail(cx, RV_INTERNAL, "%s: %d is no %s", field->name, value, field->values->name);
    return RV_OK;
}

static rv_result json_text(struct rv_ctx *cx, const struct rv_field *field, const void *object,
                           const char **text)
{
    const void *value = *(const void *const *)rv_field_in(field, object);

    if (field->kind == RV_KIND_LIST)
        return rv_json_write_list(
            cx, (struct rv_in){ field->element, value, rv_field_count_in(field, object) }, text);
    if (value)
        return rv_json_write(cx, (struct rv_in){ field->element, value, 1 }, text);
    return RV_OK;
}

rv_result rv_pg_cell(struct rv_ctx *cx, const struct rv_field *field, const void *object,
                     struct rv_pg_cell *cell)
{
    const void *place = rv_field_in(field, object);

    cell->text = NULL;
    switch (field->kind) {
    case RV_KIND_TEXT:
    case RV_KIND_UUID:
    case RV_KIND_JSON:
        cell->text = *(const char *const *)place;
        return RV_OK;
    case RV_KIND_INT:
        cell->text = write_int(cell->number + sizeof(cell->number), *(const int64_t *)place);
        return RV_OK;
    case RV_KIND_DOUBLE:
        snprintf(cell->number, sizeof(cell->number), "%.17g", *(const double *)place);
        cell->text = cell->number;
        return RV_OK;
    case RV_KIND_BOOL:
        cell->text = *(const bool *)place ? "t" : "f";
        return RV_OK;
    case RV_KIND_ENUM:
        return enum_text(cx, field, *(const int *)place, &cell->text);
    case RV_KIND_BYTES:
        cell->text = bytes_text(cx, place);
        return RV_OK;
    case RV_KIND_TEXTS:
        cell->text =
            texts_text(cx, *(const char *const *const *)place, rv_field_count_in(field, object));
        return RV_OK;
    case RV_KIND_RECORD:
    case RV_KIND_LIST:
        return json_text(cx, field, object, &cell->text);
    }
    return RV_OK;
}

static rv_result array_of(struct rv_ctx *cx, const struct rv_field *field, struct rv_in in,
                          struct rv_pg_text *out)
{
    bool bare =
        field->kind == RV_KIND_INT || field->kind == RV_KIND_DOUBLE || field->kind == RV_KIND_BOOL;

    put(out, "{", 1);
    for (size_t i = 0; i < in.n; i++) {
        struct rv_pg_cell cell;

        RV_TRY(cx, rv_pg_cell(cx, field, (const char *)in.object + i * in.record->size, &cell));
        if (i > 0)
            put(out, ",", 1);
        if (!cell.text)
            put(out, "NULL", 4);
        else if (bare)
            put(out, cell.text, strlen(cell.text));
        else
            put_quoted(out, cell.text);
    }
    put(out, "}", 2);
    return RV_OK;
}

static rv_result scalar_of(struct rv_ctx *cx, const struct rv_field *field, struct rv_in in,
                           const char **value)
{
    bool number = field->kind == RV_KIND_INT || field->kind == RV_KIND_DOUBLE;
    struct rv_pg_cell cell = { 0 };

    if (in.n > 0)
        RV_TRY(cx, rv_pg_cell(cx, field, in.object, &cell));
    *value = cell.text && number ? rv_strdup(cx, cell.text) : cell.text;
    return RV_OK;
}

static rv_result param_of(struct rv_ctx *cx, const struct rv_sql *sql, size_t i, struct rv_in in,
                          struct rv_pg_text *text, const char **value)
{
    const struct rv_sql_param *param = &sql->params[i];
    const struct rv_field *field = in.record ? rv_record_field(in.record, param->name) : NULL;

    if (!field)
        return rv_fail(cx, RV_INTERNAL, "%s wants :%s and %s has none", sql->name, param->name,
                       in.record ? in.record->name : "nothing");
    return param->form == RV_SQL_ARRAY ? array_of(cx, field, in, text)
                                       : scalar_of(cx, field, in, value);
}

static rv_result rows_of(struct rv_ctx *cx, const struct rv_sql *sql, size_t i, struct rv_in in,
                         const struct rv_pg_types *types, struct rv_pg_text *text)
{
    for (size_t t = 0; in.record && types && t < types->n; t++)
        if (strcmp(types->items[t].name, sql->params[i].name) == 0)
            return rv_pg_put_rows(cx, &types->items[t], in, text);
    return rv_fail(cx, RV_INTERNAL, "%s wants rows of %s, which the database does not have",
                   sql->name, sql->params[i].name);
}

rv_result rv_pg_params(struct rv_ctx *cx, const struct rv_sql *sql, struct rv_in in,
                       const struct rv_pg_types *types, struct rv_pg_text *text,
                       struct rv_pg_params *params)
{
    size_t n = (size_t)sql->param_count, at[RV_SQL_PARAMS_MAX];

    text->len = 0;
    for (size_t i = 0; i < n; i++) {
        at[i] = text->len;
        params->formats[i] = sql->params[i].form == RV_SQL_ROWS;
        if (params->formats[i])
            RV_TRY(cx, rows_of(cx, sql, i, in, types, text));
        else
            RV_TRY(cx, param_of(cx, sql, i, in, text, &params->values[i]));
        params->lengths[i] = (int)(text->len - at[i]);
    }
    for (size_t i = 0; i < n; i++) /* only now: the text no longer moves */
        if (sql->params[i].form != RV_SQL_ONE)
            params->values[i] = text->data + at[i];
    return RV_OK;
}
