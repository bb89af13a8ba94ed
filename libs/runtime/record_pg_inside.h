#pragma once

/* What the files of record_pg share. */

#include "runtime/record_pg.h"

/* The text of one field; numbers are written here, all other text is borrowed or the ctx's. */
struct rv_pg_cell {
    const char *text; /* NULL: not set */
    char number[32];
};
rv_result rv_pg_cell(struct rv_ctx *cx, const struct rv_field *field, const void *object,
                     struct rv_pg_cell *cell);

/* Room for @more bytes at the end of @out, which moves. */
char *rv_pg_room(struct rv_pg_text *out, size_t more);

/* Appends @in as a binary array of @type. */
rv_result rv_pg_put_rows(struct rv_ctx *cx, const struct rv_pg_type *type, struct rv_in in,
                         struct rv_pg_text *out);
