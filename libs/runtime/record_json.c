/* Reading: JSON → record. Writing is in record_json_write.c. */

#include <math.h>
#include <string.h>

#include "base/id.h"
#include "base/place.h"
#include "base/text.h"
#include "runtime/json.h"

/* Where we are, as a chain on the stack: it becomes text only when something is wrong there. */
struct spot {
    const struct spot *up;
    const char *key; /* NULL: an index */
    size_t index;
};

struct reading {
    struct rv_ctx *cx;
    const char *place;
    enum rv_json_mode mode;
};

static void add_spot(struct rv_buf *place, const struct spot *spot)
{
    if (!spot)
        return;
    add_spot(place, spot->up);
    if (spot->key)
        rv_place_key(place, spot->key);
    else
        rv_place_index(place, spot->index);
}

/* Beyond the limit mistakes are only counted: a hostile document gets no work out of us. */
static void wrong(const struct reading *reading, const struct spot *spot, const char *what)
{
    auto_buf place = { 0 };

    if (reading->cx->error.n_details < RV_DETAILS_MAX) {
        rv_buf_text(&place, reading->place);
        add_spot(&place, spot);
    }
    rv_wrong(reading->cx, place.data ? place.data : "", "%s", what);
}

static bool is_given(const json_t *json)
{
    return json && !json_is_null(json);
}

static void read_record(const struct reading *reading, const struct spot *spot, json_t *json,
                        struct rv_out out);

static void read_text(const struct reading *reading, const struct spot *spot,
                      const struct rv_field *field, const json_t *json, const char **out)
{
    const char *text = json_string_value(json);

    if (!text)
        wrong(reading, spot, "is not a string");
    else if (!*text && (field->flags & RV_REQUIRED))
        wrong(reading, spot, "is empty");
    else
        *out = rv_strndup(reading->cx, text, json_string_length(json));
}

/* Postgres writes UUIDs in small letters, so we compare them in small letters. */
static void read_uuid(const struct reading *reading, const struct spot *spot, const json_t *json,
                      const char **out)
{
    const char *text = json_string_value(json);
    char *id;

    if (!text || !rv_id_is(text)) {
        wrong(reading, spot, text ? "is not a UUID" : "is not a string");
        return;
    }
    id = rv_strdup(reading->cx, text);
    for (char *c = id; *c; c++)
        if (*c >= 'A' && *c <= 'F')
            *c = (char)(*c + ('a' - 'A'));
    *out = id;
}

static void read_bytes(const struct reading *reading, const struct spot *spot, const json_t *json,
                       struct rv_bytes *out)
{
    const char *text = json_string_value(json);

    if (!text) {
        wrong(reading, spot, "is not a string");
        return;
    }
    out->data = rv_text_base64(reading->cx, text, &out->len);
    if (!out->data)
        wrong(reading, spot, "is not base64");
}

/* 5.0 is a whole number, however it is written. */
static void read_int(const struct reading *reading, const struct spot *spot, const json_t *json,
                     int64_t *out)
{
    static const double exact_max = 9007199254740992.0; /* 2^53 */
    double real = json_real_value(json);

    if (json_is_integer(json))
        *out = json_integer_value(json);
    else if (json_is_real(json) && fabs(real) <= exact_max && !(floor(real) < real))
        *out = (int64_t)real;
    else
        wrong(reading, spot, "is not a whole number");
}

static void read_enum(const struct reading *reading, const struct spot *spot,
                      const struct rv_enum *values, const json_t *json, int *out)
{
    const char *word = json_string_value(json);
    auto_buf what = { 0 };

    *out = word ? rv_enum_parse(values, word) : 0;
    if (*out)
        return;
    rv_buf_text(&what, "is not one of: ");
    for (size_t i = 0; i < values->count; i++)
        rv_buf_printf(&what, "%s%s", i ? ", " : "", values->rows[i].word);
    wrong(reading, spot, what.data);
}

static void read_texts(const struct reading *reading, const struct spot *spot, json_t *json,
                       const struct rv_field *field, void *object)
{
    size_t n = json_array_size(json);
    const char **texts = rv_new_array(reading->cx, const char *, n);

    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(json, i);
        struct spot here = { .up = spot, .index = i };

        if (json_is_string(item))
            texts[i] = rv_strdup(reading->cx, json_string_value(item));
        else
            wrong(reading, &here, "is not a string");
    }
    *(const char ***)rv_field_at(field, object) = texts;
    *rv_field_count_at(field, object) = n;
}

static void read_list(const struct reading *reading, const struct spot *spot, json_t *json,
                      const struct rv_field *field, void *object)
{
    size_t n = json_array_size(json);
    char *items = rv_arena_array(reading->cx->arena, field->element->size, n);

    for (size_t i = 0; i < n; i++) {
        struct spot here = { .up = spot, .index = i };

        read_record(reading, &here, json_array_get(json, i),
                    (struct rv_out){ field->element, items + i * field->element->size });
    }
    *(void **)rv_field_at(field, object) = items;
    *rv_field_count_at(field, object) = n;
}

static void read_array(const struct reading *reading, const struct spot *spot, json_t *json,
                       const struct rv_field *field, void *object)
{
    if (!json_is_array(json))
        wrong(reading, spot, "is not a list");
    else if ((field->flags & RV_REQUIRED) && json_array_size(json) == 0)
        wrong(reading, spot, "is empty");
    else if (json_array_size(json) > RV_LIST_ITEMS_MAX)
        wrong(reading, spot, "has too many items");
    else
        (field->kind == RV_KIND_LIST ? read_list : read_texts)(reading, spot, json, field, object);
}

static void read_field(const struct reading *reading, const struct spot *spot, json_t *json,
                       const struct rv_field *field, void *object)
{
    void *place = rv_field_at(field, object);

    switch (field->kind) {
    case RV_KIND_TEXT:
        read_text(reading, spot, field, json, place);
        return;
    case RV_KIND_UUID:
        read_uuid(reading, spot, json, place);
        return;
    case RV_KIND_JSON:
        *(const char **)place = rv_json_text(reading->cx, json);
        return;
    case RV_KIND_BYTES:
        read_bytes(reading, spot, json, place);
        return;
    case RV_KIND_INT:
        read_int(reading, spot, json, place);
        return;
    case RV_KIND_DOUBLE:
        *(double *)place = json_number_value(json);
        if (!json_is_number(json))
            wrong(reading, spot, "is not a number");
        return;
    case RV_KIND_BOOL:
        *(bool *)place = json_is_true(json);
        if (!json_is_boolean(json))
            wrong(reading, spot, "is not true or false");
        return;
    case RV_KIND_ENUM:
        read_enum(reading, spot, field->values, json, place);
        return;
    case RV_KIND_RECORD:
        *(void **)place = rv_arena_alloc(reading->cx->arena, field->element->size);
        read_record(reading, spot, json, (struct rv_out){ field->element, *(void **)place });
        return;
    case RV_KIND_TEXTS:
    case RV_KIND_LIST:
        read_array(reading, spot, json, field, object);
        return;
    }
}

/* The field that @key was meant to be, if only a letter or two are wrong. */
static const char *meant(const struct rv_record *record, const char *key, bool client)
{
    size_t least = strlen(key) < 5 ? 2 : 3;
    const char *name = NULL;

    for (size_t i = 0; i < record->field_count; i++) {
        const struct rv_field *field = &record->fields[i];
        size_t far = rv_text_distance(key, field->name);

        if (far < least && !(client && (field->flags & RV_READONLY))) {
            least = far;
            name = field->name;
        }
    }
    return name;
}

static void unknown(const struct reading *reading, const struct spot *spot,
                    const struct rv_record *record)
{
    bool client = reading->mode == RV_JSON_CLIENT;
    const char *name = NULL;
    auto_buf what = { 0 };

    if (reading->cx->error.n_details < RV_DETAILS_MAX)
        name = meant(record, spot->key, client);
    rv_buf_text(&what, "is unknown");
    if (name)
        rv_buf_printf(&what, " (did you mean \"%s\"?)", name);
    wrong(reading, spot, what.data);
}

static void read_fields(const struct reading *reading, const struct spot *spot, json_t *json,
                        struct rv_out out, size_t *known)
{
    for (size_t i = 0; i < out.record->field_count; i++) {
        const struct rv_field *field = &out.record->fields[i];
        json_t *value = json_object_get(json, field->name);
        struct spot here = { .up = spot, .key = field->name };

        *known += value != NULL;
        if (value && (field->flags & RV_READONLY) && reading->mode == RV_JSON_CLIENT)
            wrong(reading, &here, "is not yours to set");
        else if (is_given(value))
            read_field(reading, &here, value, field, out.object);
        else if ((field->flags & RV_REQUIRED) &&
                 !((field->flags & RV_READONLY) && reading->mode == RV_JSON_CLIENT))
            wrong(reading, &here, "is missing");
    }
}

static void read_record(const struct reading *reading, const struct spot *spot, json_t *json,
                        struct rv_out out)
{
    size_t known = 0;
    const char *key;
    json_t *value;

    if (!json_is_object(json)) {
        wrong(reading, spot, "is not an object");
        return;
    }
    memset(out.object, 0, out.record->size);
    read_fields(reading, spot, json, out, &known);
    if (reading->mode == RV_JSON_LENIENT || known == json_object_size(json))
        return;
    json_object_foreach(json, key, value)
    {
        struct spot here = { .up = spot, .key = key };

        if (!rv_record_field(out.record, key))
            unknown(reading, &here, out.record);
    }
}

rv_result rv_json_into_record(struct rv_ctx *cx, json_t *json, const char *place,
                              enum rv_json_mode mode, struct rv_out out)
{
    struct reading reading = { cx, place, mode };

    read_record(&reading, NULL, json, out);
    return rv_refuse(cx);
}

static void drop_json(json_t **json)
{
    json_decref(*json);
}

rv_result rv_json_read(struct rv_ctx *cx, const char *text, size_t len, enum rv_json_mode mode,
                       struct rv_out out)
{
    json_error_t error;
    __attribute__((cleanup(drop_json))) json_t *json = rv_json_load(text, len, &error);

    if (!json) {
        rv_wrong(cx, "", "not JSON at line %d, column %d: %s", error.line, error.column,
                 error.text);
        return rv_refuse(cx);
    }
    return rv_json_into_record(cx, json, "", mode, out);
}
