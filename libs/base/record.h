#pragma once

/*
 * Records: a struct described once, as a table of its fields.
 *
 * JSON, protobuf, SQL parameters, SQL rows, msgpack and OpenAPI are all read and written from
 * this one table, so a field has one name everywhere and nobody writes mapping code.
 *
 * Text in a record is borrowed: it lives as long as the ctx it was read with.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/enum.h"

/* What a field is: in C, on the wire (protobuf), in SQL, in JSON. */
enum rv_kind {
    RV_KIND_TEXT,   /* const char *, NULL: not set      string    text     string */
    RV_KIND_UUID,   /* const char *, NULL: not set      string    uuid     string, checked */
    RV_KIND_JSON,   /* const char *, JSON as text       string    jsonb    any value, as it is */
    RV_KIND_BYTES,  /* struct rv_bytes                  bytes     bytea    base64 string */
    RV_KIND_INT,    /* int64_t                          int64     bigint   whole number */
    RV_KIND_DOUBLE, /* double                           double    float8   number */
    RV_KIND_BOOL,   /* bool                             bool      boolean  true, false */
    RV_KIND_ENUM,   /* enum of RV_ENUM_DECLARE          enum      text     its word */
    RV_KIND_TEXTS,  /* const char **items, n_items      string[]  text[]   list of strings */
    RV_KIND_RECORD, /* struct x *, NULL: not set        message   -        object */
    RV_KIND_LIST,   /* struct x *items, size_t n_items  message[] -        list of objects */
};

struct rv_bytes {
    const uint8_t *data;
    size_t len;
};

enum rv_field_flags {
    RV_REQUIRED = 1 << 0,  /* input without it is RV_INVALID */
    RV_SECRET = 1 << 1,    /* never logged, never sent back as JSON */
    RV_READONLY = 1 << 2,  /* ours to say: refused in JSON from a client (RV_JSON_CLIENT) */
    RV_UNSET = 1 << 3,     /* left out of JSON while it is not set (NULL, 0, false, empty) */
    RV_TEMPLATE = 1 << 4,  /* a text, or JSON with texts, that may hold ${{ expressions }} */
    RV_CONDITION = 1 << 5, /* a text that is an expression, true or false */
};

struct rv_record;

struct rv_field {
    const char *name;
    enum rv_kind kind;
    unsigned flags;
    size_t offset;
    size_t count_offset;             /* RV_KIND_LIST, RV_KIND_TEXTS: where n_<name> is */
    const struct rv_enum *values;    /* RV_KIND_ENUM */
    const struct rv_record *element; /* RV_KIND_LIST, RV_KIND_RECORD */
};

struct rv_record {
    const char *name;
    size_t size;
    const struct rv_field *fields;
    size_t field_count;
};

#define RV_RECORD(tag, table)                                                                      \
    const struct rv_record tag##_record = { #tag, sizeof(struct tag), table,                       \
                                            sizeof(table) / sizeof(table[0]) }

/* Rows of a field table. A row whose C type is another one does not compile. */
#define RV_TEXT(tag, member, flags_)   RV_FIELD_(RV_KIND_TEXT, const char *, tag, member, flags_)
#define RV_UUID(tag, member, flags_)   RV_FIELD_(RV_KIND_UUID, const char *, tag, member, flags_)
#define RV_JSON(tag, member, flags_)   RV_FIELD_(RV_KIND_JSON, const char *, tag, member, flags_)
#define RV_BYTES(tag, member, flags_)  RV_FIELD_(RV_KIND_BYTES, struct rv_bytes, tag, member, flags_)
#define RV_INT(tag, member, flags_)    RV_FIELD_(RV_KIND_INT, int64_t, tag, member, flags_)
#define RV_DOUBLE(tag, member, flags_) RV_FIELD_(RV_KIND_DOUBLE, double, tag, member, flags_)
#define RV_BOOL(tag, member, flags_)   RV_FIELD_(RV_KIND_BOOL, bool, tag, member, flags_)

#define RV_FIELD_(kind_, type, tag, member, flags_)                                                \
    {                                                                                              \
        .name = #member, .kind = kind_, .flags = (flags_), .offset = RV_OFFSET_(type, tag, member) \
    }
#define RV_ENUM(tag, member, etag, flags_)                                                         \
    {                                                                                              \
        .name = #member, .kind = RV_KIND_ENUM, .flags = (flags_),                                  \
        .offset = RV_OFFSET_(enum etag, tag, member), .values = &etag##_enum                       \
    }
#define RV_TEXTS(tag, member, flags_)                                                              \
    {                                                                                              \
        .name = #member, .kind = RV_KIND_TEXTS, .flags = (flags_),                                 \
        .offset = RV_OFFSET_(const char **, tag, member),                                          \
        .count_offset = RV_OFFSET_(size_t, tag, n_##member)                                        \
    }
#define RV_SUB(tag, member, etag, flags_)                                                          \
    {                                                                                              \
        .name = #member, .kind = RV_KIND_RECORD, .flags = (flags_),                                \
        .offset = RV_OFFSET_(struct etag *, tag, member), .element = &etag##_record                \
    }
#define RV_LIST(tag, member, etag, flags_)                                                         \
    {                                                                                              \
        .name = #member, .kind = RV_KIND_LIST, .flags = (flags_),                                  \
        .offset = RV_OFFSET_(struct etag *, tag, member),                                          \
        .count_offset = RV_OFFSET_(size_t, tag, n_##member), .element = &etag##_record             \
    }

#define RV_OFFSET_(type, tag, member)                                                              \
    (offsetof(struct tag, member) +                                                                \
     0 * sizeof(char[_Generic(&((struct tag *)0)->member, type * : 1)]))

const struct rv_field *rv_record_field(const struct rv_record *record, const char *name);

/* The place of @field in the struct at @object, and the count that belongs to a list or texts. */
void *rv_field_at(const struct rv_field *field, void *object);
const void *rv_field_in(const struct rv_field *field, const void *object);
size_t *rv_field_count_at(const struct rv_field *field, void *object);
size_t rv_field_count_in(const struct rv_field *field, const void *object);

/* Whether @field of @object has been given a value: not NULL, not 0, not false, not empty. */
bool rv_field_is_set(const struct rv_field *field, const void *object);
