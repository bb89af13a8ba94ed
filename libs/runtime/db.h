#pragma once

/*
 * Db: the worker's Postgres session.
 *
 * One unit of work is one transaction: the first statement begins it, the dispatcher commits it
 * when the handler returns RV_OK and rolls it back otherwise. Handlers never say BEGIN.
 *
 * Statements that answer nothing are only queued; they go out together with the next read or
 * with the commit, in one round trip (libpq's pipeline mode). So a refusal by Postgres (a
 * duplicate key) may show at the next read or at the commit, never later. After a refusal all of
 * the work is undone, and every further statement is refused until rv_db_rollback. Statements are
 * prepared once per session, on first use, and again after a reconnect.
 */

#include "runtime/codec.h"

enum { RV_SQL_PARAMS_MAX = 48 };

enum rv_sql_form { RV_SQL_ONE, RV_SQL_ARRAY, RV_SQL_ROWS };

/*
 * One statement of a .sql file. :budget_id in the file is bound from the field budget_id of the
 * record given; :budget_id[] is bound from that field of all records given, as an array; :*hold_new
 * is bound from all records given, as an array of that composite type, by the names of its columns.
 * An array a field costs Postgres a scan each: what is often asked, and wide, is given as rows.
 */
struct rv_sql {
    const char *name, *text;
    struct rv_sql_param {
        const char *name; /* of the field; RV_SQL_ROWS: of the type */
        enum rv_sql_form form;
    } params[RV_SQL_PARAMS_MAX];
    int param_count;
    int id; /* 0..: its place in a session's list of prepared statements; below 0: the runtime's */
};

struct rv_db_options {
    const char *url;  /* libpq's form */
    const char *name; /* application_name: the service */
    const char *role; /* SET ROLE at connect; NULL: none */
    int64_t statement_timeout_ms, lock_timeout_ms, idle_timeout_ms, connect_timeout_ms;
};
#define RV_DB_DEFAULTS                                                                             \
    .statement_timeout_ms = 10000, .lock_timeout_ms = 5000, .idle_timeout_ms = 5000,               \
    .connect_timeout_ms = 5000

struct rv_db;

/* Gives @cx a session and opens it. @options must outlive it. A session that was lost, or that
 * this could not open, is opened again by the next unit of work; until then that work is
 * RV_UNAVAILABLE. Either way it is closed with rv_db_close. */
rv_result rv_db_open(struct rv_ctx *cx, const struct rv_db_options *options);
void rv_db_close(struct rv_ctx *cx);

/* Rows that a read has found: an array of structs of the record that was asked for. */
struct rv_rows {
    void *items;
    size_t n;
};

/* Queues @sql; nothing comes back. */
rv_result rv_db_exec(struct rv_ctx *cx, const struct rv_sql *sql, struct rv_in in);

/* Queues @sql; *@rows is filled by the next rv_db_sync (or any later read), one @record each. */
rv_result rv_db_read(struct rv_ctx *cx, const struct rv_sql *sql, struct rv_in in,
                     const struct rv_record *record, struct rv_rows *rows);
rv_result rv_db_sync(struct rv_ctx *cx);

/* A read and a sync. rv_db_one is RV_NOT_FOUND without a row. */
rv_result rv_db_rows(struct rv_ctx *cx, const struct rv_sql *sql, struct rv_in in,
                     const struct rv_record *record, struct rv_rows *rows);
rv_result rv_db_one(struct rv_ctx *cx, const struct rv_sql *sql, struct rv_in in,
                    struct rv_out out);

/*
 * After a first statement: this work's commit is seen by all at once and on disk a moment later
 * (Postgres' asynchronous commit). Postgres may forget it in a crash, but never what it followed:
 * the log is one, so whatever is committed on top of it takes it along to the disk. For work that
 * nobody outside hears of before that, or that is done again when it is missing. Whoever commits
 * on top of it looks whether it is still there: the crash may have been in between.
 */
void rv_db_commit_async(struct rv_ctx *cx);

/* For the dispatcher; both do nothing when no statement has run. */
rv_result rv_db_commit(struct rv_ctx *cx);
void rv_db_rollback(struct rv_ctx *cx);

/* After a commit that failed: whether it may have happened all the same, because the session was
 * lost before its answer came. Else all of the work is undone for certain. */
bool rv_db_fate_unknown(const struct rv_ctx *cx);

/* Queues set_config('reeve.tenant', …) for this transaction: what row-level security looks at. */
rv_result rv_db_tenant(struct rv_ctx *cx, const char *tenant_id);

/* A file of statements without parameters, as one transaction of its own: migrations only. */
rv_result rv_db_script(struct rv_ctx *cx, const char *text);

/* The newest migration that this database has; 0: none. A unit of work of its own. */
rv_result rv_db_schema_version(struct rv_ctx *cx, int64_t *version);
