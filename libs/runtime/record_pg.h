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

/*
 * The text of every parameter of @sql, from the fields of @in, good until @text is used again.
 * NULL for what is not set, but an empty TEXTS is '{}' and an empty LIST '[]'. A parameter that is
 * no array is taken from the first record. An element that is itself a TEXTS is the text of its
 * array: the statement casts it (tags::text[]).
 */
rv_result rv_pg_params(struct rv_ctx *cx, const struct rv_sql *sql, struct rv_in in,
                       struct rv_pg_text *text, const char **values);

/*
 * Makes a @record of every row. Every column must be a field; a field without a column and a NULL
 * stay zero. Text points into @result, which must live as long as the ctx.
 */
rv_result rv_pg_rows(struct rv_ctx *cx, const char *what, const PGresult *result,
                     const struct rv_record *record, struct rv_rows *rows);
