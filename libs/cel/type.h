#pragma once

/*
 * Types as the checker knows them: those of values, with parameters. Types are compared by
 * structure; the plain ones are constants here, the rest is made in a ctx.
 */

#include "cel/value.h"

enum cel_type_kind {
    CEL_T_DYN, /* anything; decided when it runs */
    CEL_T_NULL,
    CEL_T_BOOL,
    CEL_T_INT,
    CEL_T_UINT,
    CEL_T_DOUBLE,
    CEL_T_STRING,
    CEL_T_BYTES,
    CEL_T_TIMESTAMP,
    CEL_T_DURATION,
    CEL_T_LIST,     /* of params[0] */
    CEL_T_MAP,      /* from params[0] to params[1] */
    CEL_T_OPTIONAL, /* params[0] or nothing */
    CEL_T_TYPE,     /* the type of a type */
    CEL_T_WRAPPER,  /* params[0] or null */
    CEL_T_RECORD,   /* a map whose fields are known */
    CEL_T_ABSTRACT, /* a host's own, by its name, with any params */
    CEL_T_ERROR,    /* what could not be typed; not complained about twice */
    CEL_T_VAR,      /* inside the checker: not known yet */
    CEL_TYPE_KINDS
};

enum { CEL_TYPE_PARAMS = 3 };

struct cel_type {
    enum cel_type_kind kind;
    const struct cel_type *params[CEL_TYPE_PARAMS];
    const char *name;               /* CEL_T_ABSTRACT */
    const struct rv_record *record; /* CEL_T_RECORD */
    uint32_t var;                   /* CEL_T_VAR */
};

/* The type without parameters, or with dyn for each. Never NULL. */
const struct cel_type *cel_type(enum cel_type_kind kind);
const struct cel_type *cel_type_list(struct rv_ctx *cx, const struct cel_type *element);
const struct cel_type *cel_type_map(struct rv_ctx *cx, const struct cel_type *key,
                                    const struct cel_type *value);
const struct cel_type *cel_type_optional(struct rv_ctx *cx, const struct cel_type *held);
const struct cel_type *cel_type_wrapper(struct rv_ctx *cx, const struct cel_type *wrapped);
const struct cel_type *cel_type_record(struct rv_ctx *cx, const struct rv_record *record);

/* How many parameters the type has. */
unsigned cel_type_params(const struct cel_type *type);

/* The name of the type of values of @kind, as type() gives it: "int", "google.protobuf.Timestamp".
 */
const char *cel_type_name(const struct cel_type *type);
const char *cel_kind_name(enum cel_kind kind);

/* The type of @value when it runs: without parameters. */
const struct cel_type *cel_type_of(struct cel_value value);

/* "list(map(string, int))", for words and for cel_type_parse. */
const char *cel_type_text(struct rv_ctx *cx, const struct cel_type *type);

/* The type that @text names, as cel_type_text writes them; NULL: none. */
const struct cel_type *cel_type_parse(struct rv_ctx *cx, const char *text);

/* The plain type that is called @name in an expression ("int", "null_type"); NULL: none. */
const struct cel_type *cel_type_named(const char *name, size_t len);
