#include <stdlib.h>
#include <string.h>

#include "runtime/record_pg.h"

/* One column of a result, found once for all its rows. */
struct column {
    const struct rv_field *field;
    const char *what; /* the statement, for words */
};

static rv_result unreadable(struct rv_ctx *cx, const struct column *column, const char *why)
{
    return rv_fail(cx, RV_INTERNAL, "%s: column %s is %s", column->what, column->field->name, why);
}

static rv_result read_int(struct rv_ctx *cx, const struct column *column, const char *text,
                          int64_t *out)
{
    char *end;

    *out = strtoll(text, &end, 10);
    return *end ? unreadable(cx, column, "not a whole number") : RV_OK;
}

static rv_result read_double(struct rv_ctx *cx, const struct column *column, const char *text,
                             double *out)
{
    char *end;

    *out = strtod(text, &end);
    return *end ? unreadable(cx, column, "not a number") : RV_OK;
}

static rv_result read_enum(struct rv_ctx *cx, const struct column *column, const char *text,
                           int *out)
{
    *out = rv_enum_parse(column->field->values, text);
    return *out == 0 ? unreadable(cx, column, "not a word of its enum") : RV_OK;
}

static int digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

static rv_result read_bytes(struct rv_ctx *cx, const struct column *column, const char *text,
                            size_t len, struct rv_bytes *out)
{
    uint8_t *bytes;

    if (len < 2 || text[0] != '\\' || text[1] != 'x')
        return unreadable(cx, column, "not a bytea");
    bytes = rv_new_array(cx, uint8_t, len / 2);
    for (size_t i = 2; i + 1 < len; i += 2)
        bytes[i / 2 - 1] = (uint8_t)(digit(text[i]) << 4 | digit(text[i + 1]));
    *out = (struct rv_bytes){ bytes, len / 2 - 1 };
    return RV_OK;
}

/* Takes one element of '{a,"b \"c\"",NULL}' at *@at, writing its text to *@to. */
static const char *take_element(const char **at, char **to)
{
    const char *p = *at, *start = *to;
    bool quoted = *p == '"';
    char *out = *to;

    p += quoted;
    while (*p && (quoted ? *p != '"' : *p != ',' && *p != '}')) {
        p += *p == '\\' && p[1];
        *out++ = *p++;
    }
    *out++ = '\0';
    *at = p + (quoted && *p);
    *to = out;
    return !quoted && strcmp(start, "NULL") == 0 ? NULL : start;
}

static rv_result read_texts(struct rv_ctx *cx, const struct column *column, const char *text,
                            size_t len, const char ***items, size_t *n)
{
    size_t most = 1;
    char *copy = rv_new_array(cx, char, len + 1);

    if (text[0] != '{')
        return unreadable(cx, column, "not a text[]");
    for (const char *p = text; *p; p++)
        most += *p == ',';
    *items = rv_new_array(cx, const char *, most);
    for (const char *p = text + 1; *p && *p != '}'; p += *p == ',') {
        if (*p == '{')
            return unreadable(cx, column, "an array of arrays");
        (*items)[(*n)++] = take_element(&p, &copy);
    }
    return RV_OK;
}

/* Reads {"<field>": <text>} as a record of that one field, the only form the reader takes. */
static rv_result read_json(struct rv_ctx *cx, const struct column *column, const char *text,
                           void *place, size_t *n)
{
    struct holder {
        void *items;
        size_t n;
    } holder = { 0 };
    struct rv_field field = *column->field;
    struct rv_record record = { column->what, sizeof(holder), &field, 1 };
    const char *whole = rv_printf(cx, "{\"%s\":%s}", field.name, text);

    field.offset = offsetof(struct holder, items);
    field.count_offset = offsetof(struct holder, n);
    field.flags = 0;
    RV_TRY(cx, rv_json_read(cx, whole, strlen(whole), RV_JSON_STRICT,
                            (struct rv_out){ &record, &holder }));
    *(void **)place = holder.items;
    if (n)
        *n = holder.n;
    return RV_OK;
}

static rv_result read_cell(struct rv_ctx *cx, const struct column *column, const char *text,
                           size_t len, void *object)
{
    const struct rv_field *field = column->field;
    void *place = rv_field_at(field, object);

    switch (field->kind) {
    case RV_KIND_TEXT:
    case RV_KIND_UUID:
    case RV_KIND_JSON:
        *(const char **)place = text;
        return RV_OK;
    case RV_KIND_INT:
        return read_int(cx, column, text, place);
    case RV_KIND_DOUBLE:
        return read_double(cx, column, text, place);
    case RV_KIND_BOOL:
        *(bool *)place = text[0] == 't';
        return RV_OK;
    case RV_KIND_ENUM:
        return read_enum(cx, column, text, place);
    case RV_KIND_BYTES:
        return read_bytes(cx, column, text, len, place);
    case RV_KIND_TEXTS:
        return read_texts(cx, column, text, len, place, rv_field_count_at(field, object));
    case RV_KIND_RECORD:
        return read_json(cx, column, text, place, NULL);
    case RV_KIND_LIST:
        return read_json(cx, column, text, place, rv_field_count_at(field, object));
    }
    return RV_OK;
}

static rv_result find_columns(struct rv_ctx *cx, const char *what, const PGresult *result,
                              const struct rv_record *record, struct column *columns)
{
    for (int i = 0; i < PQnfields(result); i++) {
        columns[i] = (struct column){ rv_record_field(record, PQfname(result, i)), what };
        if (!columns[i].field)
            return rv_fail(cx, RV_INTERNAL, "%s: column %s is not a field of %s", what,
                           PQfname(result, i), record->name);
    }
    return RV_OK;
}

rv_result rv_pg_rows(struct rv_ctx *cx, const char *what, const PGresult *result,
                     const struct rv_record *record, struct rv_rows *rows)
{
    int n = PQntuples(result), n_columns = PQnfields(result);
    struct column *columns = rv_new_array(cx, struct column, (size_t)n_columns);
    char *objects = rv_arena_array(cx->arena, record->size, (size_t)n);

    RV_TRY(cx, find_columns(cx, what, result, record, columns));
    for (int row = 0; row < n; row++)
        for (int i = 0; i < n_columns; i++)
            if (!PQgetisnull(result, row, i))
                RV_TRY(cx, read_cell(cx, &columns[i], PQgetvalue(result, row, i),
                                     (size_t)PQgetlength(result, row, i),
                                     objects + (size_t)row * record->size));
    *rows = (struct rv_rows){ objects, (size_t)n };
    return RV_OK;
}
