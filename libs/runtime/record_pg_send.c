#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "runtime/record_pg_inside.h"

/*
 * Rows as Postgres receives them: an array of a composite type, in its binary form. An array says
 * the oid of its elements and a composite the oid of each column, and both must be as the catalog
 * has them, which is why a session reads its types first.
 */

/* As pg_type.dat has them; they never change. */
enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_TEXT = 25,
    OID_JSON = 114,
    OID_FLOAT8 = 701,
    OID_UUID = 2950,
    OID_JSONB = 3802,
};
enum { COLUMNS_MAX = 64, UUID_BYTES = 16, JSONB_VERSION = 1 };

const char rv_pg_types_question[] =
    "SELECT t.typname, t.oid, a.attname, a.atttypid"
    " FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid JOIN pg_attribute a ON a.attrelid = "
    "c.oid"
    " WHERE c.relkind = 'c' AND a.attnum > 0 AND NOT a.attisdropped AND pg_type_is_visible(t.oid)"
    " ORDER BY t.oid, a.attnum";

static Oid oid_at(const PGresult *result, int row, int column)
{
    return (Oid)strtoul(PQgetvalue(result, row, column), NULL, 10);
}

rv_result rv_pg_types_of(struct rv_ctx *cx, PGresult *result, struct rv_pg_types *types)
{
    size_t n = (size_t)PQntuples(result);
    struct rv_pg_column *columns = calloc(n + 1, sizeof(*columns));

    rv_pg_types_release(types);
    *types =
        (struct rv_pg_types){ .items = calloc(n + 1, sizeof(*types->items)), .result = result };
    if (!columns || !types->items)
        abort();
    types->items[0].columns = columns; /* all of them, of one type after the other */
    for (int row = 0; row < (int)n; row++) {
        struct rv_pg_type *type = types->n ? &types->items[types->n - 1] : NULL;

        if (!type || type->oid != oid_at(result, row, 1)) {
            type = &types->items[types->n++];
            *type = (struct rv_pg_type){ PQgetvalue(result, row, 0), oid_at(result, row, 1), 0,
                                         &columns[row] };
        }
        columns[row] = (struct rv_pg_column){ PQgetvalue(result, row, 2), oid_at(result, row, 3) };
        if (++type->n_columns > COLUMNS_MAX)
            return rv_fail(cx, RV_INTERNAL, "type %s has more than %d columns", type->name,
                           COLUMNS_MAX);
    }
    return RV_OK;
}

void rv_pg_types_release(struct rv_pg_types *types)
{
    free(types->items ? types->items[0].columns : NULL);
    free(types->items);
    PQclear(types->result);
    *types = (struct rv_pg_types){ 0 };
}

static void put_bytes(struct rv_pg_text *out, const void *bytes, size_t len)
{
    memcpy(rv_pg_room(out, len), bytes, len);
    out->len += len;
}

static void put_32(struct rv_pg_text *out, uint32_t value)
{
    uint32_t big = __builtin_bswap32(value);

    put_bytes(out, &big, sizeof(big));
}

static void put_64(struct rv_pg_text *out, uint64_t value)
{
    uint64_t big = __builtin_bswap64(value);

    put_32(out, sizeof(big));
    put_bytes(out, &big, sizeof(big));
}

static void put_value(struct rv_pg_text *out, const void *bytes, size_t len)
{
    put_32(out, (uint32_t)len);
    put_bytes(out, bytes, len);
}

static void put_null(struct rv_pg_text *out)
{
    put_32(out, UINT32_MAX);
}

static rv_result put_uuid(struct rv_ctx *cx, const char *name, const char *text,
                          struct rv_pg_text *out)
{
    uint8_t bytes[UUID_BYTES];

    if (!rv_id_bytes(text, bytes))
        return rv_fail(cx, RV_INVALID, "%s is not a UUID", name);
    put_value(out, bytes, sizeof(bytes));
    return RV_OK;
}

static rv_result put_text(struct rv_ctx *cx, const struct rv_pg_column *column,
                          const struct rv_field *field, const void *object, struct rv_pg_text *out)
{
    struct rv_pg_cell cell;
    size_t len;

    RV_TRY(cx, rv_pg_cell(cx, field, object, &cell));
    if (!cell.text) {
        put_null(out);
        return RV_OK;
    }
    if (column->oid == OID_UUID)
        return put_uuid(cx, column->name, cell.text, out);
    len = strlen(cell.text);
    put_32(out, (uint32_t)len + (column->oid == OID_JSONB));
    if (column->oid == OID_JSONB)
        put_bytes(out, &(char){ JSONB_VERSION }, 1);
    put_bytes(out, cell.text, len);
    return RV_OK;
}

/* What a field of @kind is given as; JSON is what its column says. */
static bool fits(enum rv_kind kind, Oid oid)
{
    static const Oid oids[] = {
        [RV_KIND_TEXT] = OID_TEXT,    [RV_KIND_UUID] = OID_UUID,  [RV_KIND_JSON] = OID_JSONB,
        [RV_KIND_BYTES] = OID_BYTEA,  [RV_KIND_INT] = OID_INT8,   [RV_KIND_DOUBLE] = OID_FLOAT8,
        [RV_KIND_BOOL] = OID_BOOL,    [RV_KIND_ENUM] = OID_TEXT,  [RV_KIND_TEXTS] = OID_TEXT,
        [RV_KIND_RECORD] = OID_JSONB, [RV_KIND_LIST] = OID_JSONB,
    };

    return oids[kind] == oid || (oids[kind] == OID_JSONB && oid == OID_JSON);
}

static rv_result put_column(struct rv_ctx *cx, const struct rv_pg_column *column,
                            const struct rv_field *field, const void *object,
                            struct rv_pg_text *out)
{
    const void *place = rv_field_in(field, object);
    const struct rv_bytes *bytes = place;
    uint64_t bits;

    put_32(out, column->oid);
    switch (field->kind) {
    case RV_KIND_INT:
    case RV_KIND_DOUBLE:
        memcpy(&bits, place, sizeof(bits));
        put_64(out, bits);
        return RV_OK;
    case RV_KIND_BOOL:
        put_value(out, &(char){ *(const bool *)place }, 1);
        return RV_OK;
    case RV_KIND_BYTES:
        if (bytes->data)
            put_value(out, bytes->data, bytes->len);
        else
            put_null(out);
        return RV_OK;
    default:
        return put_text(cx, column, field, object, out);
    }
}

static rv_result find_fields(struct rv_ctx *cx, const struct rv_pg_type *type,
                             const struct rv_record *record, const struct rv_field **fields)
{
    for (size_t i = 0; i < type->n_columns; i++) {
        fields[i] = rv_record_field(record, type->columns[i].name);
        if (!fields[i])
            return rv_fail(cx, RV_INTERNAL, "%s has a column %s and %s has none", type->name,
                           type->columns[i].name, record->name);
        if (!fits(fields[i]->kind, type->columns[i].oid))
            return rv_fail(cx, RV_INTERNAL, "%s.%s is of another type than %s.%s", type->name,
                           type->columns[i].name, record->name, fields[i]->name);
    }
    return RV_OK;
}

static rv_result put_row(struct rv_ctx *cx, const struct rv_pg_type *type,
                         const struct rv_field *const *fields, const void *object,
                         struct rv_pg_text *out)
{
    size_t start = out->len;
    uint32_t len;

    put_32(out, 0);
    put_32(out, (uint32_t)type->n_columns);
    for (size_t i = 0; i < type->n_columns; i++)
        RV_TRY(cx, put_column(cx, &type->columns[i], fields[i], object, out));
    len = __builtin_bswap32((uint32_t)(out->len - start - sizeof(len)));
    memcpy(out->data + start, &len, sizeof(len)); /* its length is known only now */
    return RV_OK;
}

rv_result rv_pg_put_rows(struct rv_ctx *cx, const struct rv_pg_type *type, struct rv_in in,
                         struct rv_pg_text *out)
{
    const struct rv_field *fields[COLUMNS_MAX];

    RV_TRY(cx, find_fields(cx, type, in.record, fields));
    put_32(out, in.n > 0); /* dimensions */
    put_32(out, 0);        /* whether an element is NULL */
    put_32(out, type->oid);
    if (in.n > 0) {
        put_32(out, (uint32_t)in.n);
        put_32(out, 1); /* the number of the first */
    }
    for (size_t i = 0; i < in.n; i++)
        RV_TRY(cx, put_row(cx, type, fields, (const char *)in.object + i * in.record->size, out));
    return RV_OK;
}
