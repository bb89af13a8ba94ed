#pragma once

/*
 * Values of the expression language: sixteen bytes, passed by value.
 *
 * Text is (pointer, length) and need not end in NUL; it is UTF-8 unless the kind is bytes. What a
 * value points to is borrowed: it lives as long as the ctx it was made with, or as long as the
 * thing behind an adapter. Values never change once they are made.
 *
 * Lists and maps are native (arrays in an arena) or foreign: somebody else's data seen through a
 * table of functions, looked at only where an expression looks.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/record.h"

enum cel_kind {
    CEL_NONE, /* no value at all: a variable nobody bound, a key that is not there */
    CEL_ERROR,
    CEL_NULL,
    CEL_BOOL,
    CEL_INT,
    CEL_UINT,
    CEL_DOUBLE,
    CEL_STRING,
    CEL_BYTES,
    CEL_LIST,
    CEL_MAP,
    CEL_TIMESTAMP, /* seconds since 1970 and nanoseconds, years 1 to 9999 */
    CEL_DURATION,  /* nanoseconds, about 292 years either way */
    CEL_TYPE,
    CEL_OPTIONAL,
    CEL_KINDS
};

struct cel_list;
struct cel_map;
struct cel_type;

/* Why there is no value. @at is the byte of the source it happened at. */
struct cel_error {
    const char *text;
    uint32_t at;
};

struct cel_value {
    uint32_t kind; /* enum cel_kind */
    uint32_t len;  /* bytes of a string or bytes; nanoseconds of a timestamp */
    union {
        bool truth;
        int64_t whole;    /* int; nanoseconds of a duration; seconds of a timestamp */
        uint64_t natural; /* uint */
        double number;
        const char *text; /* string, bytes */
        const struct cel_list *list;
        const struct cel_map *map;
        const struct cel_type *type;
        const struct cel_value *held; /* optional; NULL: it holds nothing */
        const struct cel_error *error;
    };
};

/* A list. Without @ops it is native: @items. @object and @shape are the adapter's. */
struct cel_list_ops {
    size_t (*size)(const struct cel_list *list);
    struct cel_value (*at)(struct rv_ctx *cx, const struct cel_list *list, size_t index);
};
struct cel_list {
    const struct cel_list_ops *ops;
    size_t n_items;
    const struct cel_value *items;
    const void *object, *shape;
};

/* Where a walk over a map is: zeroed before, @key and @value after each step; the rest is the
 * adapter's. */
struct cel_walk {
    struct cel_value key, value;
    size_t index;
    void *state;
};

/* A map. Keys are bool, int, uint or string; numbers that are equal are the same key. */
struct cel_map_ops {
    size_t (*size)(const struct cel_map *map);
    struct cel_value (*get)(struct rv_ctx *cx, const struct cel_map *map,
                            struct cel_value key); /* CEL_NONE: not there */
    bool (*next)(struct rv_ctx *cx, const struct cel_map *map, struct cel_walk *walk);
};
struct cel_pair {
    struct cel_value key, value;
};
struct cel_map {
    const struct cel_map_ops *ops;
    size_t n_pairs;
    const struct cel_pair *pairs;
    const uint32_t *index; /* hash → pair + 1, for maps that are not small */
    size_t index_mask;
    const void *object, *shape;
};

static inline struct cel_value cel_none(void)
{
    return (struct cel_value){ .kind = CEL_NONE };
}
static inline struct cel_value cel_null(void)
{
    return (struct cel_value){ .kind = CEL_NULL };
}
static inline struct cel_value cel_bool(bool truth)
{
    return (struct cel_value){ .kind = CEL_BOOL, .whole = truth };
}
static inline struct cel_value cel_int(int64_t whole)
{
    return (struct cel_value){ .kind = CEL_INT, .whole = whole };
}
static inline struct cel_value cel_uint(uint64_t natural)
{
    return (struct cel_value){ .kind = CEL_UINT, .natural = natural };
}
static inline struct cel_value cel_double(double number)
{
    return (struct cel_value){ .kind = CEL_DOUBLE, .number = number };
}
static inline struct cel_value cel_duration(int64_t nanoseconds)
{
    return (struct cel_value){ .kind = CEL_DURATION, .whole = nanoseconds };
}
static inline struct cel_value cel_timestamp(int64_t seconds, uint32_t nanoseconds)
{
    return (struct cel_value){ .kind = CEL_TIMESTAMP, .len = nanoseconds, .whole = seconds };
}
static inline struct cel_value cel_type_value(const struct cel_type *type)
{
    return (struct cel_value){ .kind = CEL_TYPE, .type = type };
}
static inline struct cel_value cel_list_value(const struct cel_list *list)
{
    return (struct cel_value){ .kind = CEL_LIST, .list = list };
}
static inline struct cel_value cel_map_value(const struct cel_map *map)
{
    return (struct cel_value){ .kind = CEL_MAP, .map = map };
}

/* Text of at most 4 GiB - 1 bytes; the caller vouches for UTF-8 (rv_utf8_ok). */
struct cel_value cel_string(const char *text, size_t len);
struct cel_value cel_text(const char *text); /* NUL-terminated; NULL is null */
struct cel_value cel_bytes(const void *bytes, size_t len);

/* Around @items, which are not copied. */
struct cel_value cel_list_of(struct rv_ctx *cx, const struct cel_value *items, size_t n_items);

/* Around @pairs, which are not copied; @again is the first key that comes twice, CEL_NONE if all
 * differ. Keys of other kinds than a map may have are the caller's mistake. */
struct cel_value cel_map_of(struct rv_ctx *cx, const struct cel_pair *pairs, size_t n_pairs,
                            struct cel_value *again);
struct cel_value cel_optional(struct rv_ctx *cx, struct cel_value held); /* CEL_NONE: empty */

size_t cel_list_size(const struct cel_list *list);
struct cel_value cel_list_at(struct rv_ctx *cx, const struct cel_list *list, size_t index);
size_t cel_map_size(const struct cel_map *map);
struct cel_value cel_map_get(struct rv_ctx *cx, const struct cel_map *map, struct cel_value key);
bool cel_map_next(struct rv_ctx *cx, const struct cel_map *map, struct cel_walk *walk);

/* Whether a value of this kind can be a key; a double only looks one up. */
bool cel_is_key(struct cel_value value);

/*
 * A record (base/record.h) as a map from field names to values, without copying: has() is whether
 * a field is set. Texts not set are null, enums their words. @object outlives the value.
 */
struct cel_value cel_record(struct rv_ctx *cx, const struct rv_record *record, const void *object);

/* The same without a ctx: @map is the caller's memory. */
struct cel_value cel_record_in(struct cel_map *map, const struct rv_record *record,
                               const void *object);

/* The field of @object as a value; for who has resolved the name before. */
struct cel_value cel_record_field(struct rv_ctx *cx, const struct rv_field *field,
                                  const void *object);
extern const struct cel_map_ops cel_record_ops; /* .object is the struct, .shape its rv_record */
