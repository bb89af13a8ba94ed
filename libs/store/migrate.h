#pragma once

/*
 * Migrations: what is kept, as numbered files (migrations/NNNN_what.sql) built into the program.
 *
 * Forward only, each file one transaction, one migrator at a time (advisory lock). A file that was
 * applied must not change any more: its checksum is kept with it. The cx needs a session of a role
 * that may create tables, for this alone: its timeouts are switched off.
 */

#include <stdio.h>

#include "runtime/db.h"

struct store_migration {
    int64_t version;
    const char *name, *text; /* "0001_base"; its SQL */
};
extern const struct store_migration
    store_migrations[]; /* by version; ends with a row without name */

/* The newest version that this program knows. */
int64_t store_schema_version(void);

/* Applies what is missing, with a line for each on @out. Twice is once. */
rv_result store_migrate_up(struct rv_ctx *cx, FILE *out);

/* A line for each on @out: applied when, or missing. Changes nothing. */
rv_result store_migrate_status(struct rv_ctx *cx, FILE *out);

/* RV_CONFLICT when the database and this program do not have the same migrations. */
rv_result store_migrate_verify(struct rv_ctx *cx);
