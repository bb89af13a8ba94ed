#pragma once

/* Between records and libpq: for db.c only. */

#include <libpq-fe.h>

#include "runtime/codec.h"
#include "runtime/db.h"

/* Where the arrays of one statement are written; a session keeps it, so that none is allocated. */
struct rv_pg_text {
    char *data;
    size_t len, size;
};
void rv_pg_text_release(struct rv_pg_text *text);

/* The composite types of a database, which statements take rows as. Owned by the session. */
struct rv_pg_types {
    struct rv_pg_type {
        const char *name;
        Oid oid;
        size_t n_columns;
        struct rv_pg_column {
            const char *name;
            Oid oid;
        } * columns;
    } * items;
    size_t n;
    PGresult *result; /* the names are its */
};

/* What they are; rv_pg_types_of reads the answer to it, which is theirs from then on. */
extern const char rv_pg_types_question[];
rv_result rv_pg_types_of(struct rv_ctx *cx, PGresult *result, struct rv_pg_types *types);
void rv_pg_types_release(struct rv_pg_types *types);

/* The parameters of one statement as libpq takes them. */
struct rv_pg_params {
    const char *values[RV_SQL_PARAMS_MAX];
    int lengths[RV_SQL_PARAMS_MAX], formats[RV_SQL_PARAMS_MAX]; /* 1: binary, which are rows */
};

/*
 * Every parameter of @sql, from the fields of @in, good until @text is used again. NULL for what
 * is not set, but an empty TEXTS is '{}' and an empty LIST '[]'. A parameter that is neither array
 * nor rows is taken from the first record. An element that is itself a TEXTS is the text of its
 * array: the statement casts it (tags::text[]).
 */
rv_result rv_pg_params(struct rv_ctx *cx, const struct rv_sql *sql, struct rv_in in,
                       const struct rv_pg_types *types, struct rv_pg_text *text,
                       struct rv_pg_params *params);

/*
 * Makes a @record of every row. Every column must be a field; a field without a column and a NULL
 * stay zero. Text points into @result, which must live as long as the ctx.
 */
rv_result rv_pg_rows(struct rv_ctx *cx, const char *what, const PGresult *result,
                     const struct rv_record *record, struct rv_rows *rows);
