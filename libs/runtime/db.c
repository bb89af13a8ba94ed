#include "runtime/db.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/db_session.h"

rv_result rv_db_open(struct rv_ctx *cx, const struct rv_db_options *options)
{
    struct rv_db *db = cx->db;

    if (!db) {
        cx->db = db = calloc(1, sizeof(*db));
        if (!db)
            abort();
    }
    db->options = options;
    return rv_db_session_open(cx, db);
}

void rv_db_close(struct rv_ctx *cx)
{
    struct rv_db *db = cx->db;

    if (!db)
        return;
    rv_db_session_drop(db);
    rv_pg_text_release(&db->text);
    rv_pg_types_release(&db->types);
    free(db->prepared);
    free(db->sent);
    free(db);
    cx->db = NULL;
}

static rv_result lost(struct rv_ctx *cx, struct rv_db *db, const char *what)
{
    const char *words = rv_db_complaint(cx, db);

    db->failed = true;
    db->in_work = false;
    db->fate_unknown = db->committing;
    rv_db_session_drop(db);
    return rv_fail(cx, RV_UNAVAILABLE, "%s: postgres: %s", what, words);
}

static const char *name_of(const struct rv_db_sent *sent)
{
    return sent->sql ? sent->sql->name : "transaction";
}

static void forget_prepared(struct rv_db *db, const struct rv_sql *sql)
{
    db->prepared[sql->id + RV_DB_OWN_STATEMENTS] = NULL;
}

/* Text in rows points into the result, so the result lives as long as the ctx. */
static void drop_kept(void *result)
{
    PQclear(result);
}

static rv_result keep_rows(struct rv_ctx *cx, const struct rv_db_sent *sent, PGresult **result)
{
    PGresult *kept = *result;

    if (PQresultStatus(kept) != PGRES_TUPLES_OK)
        return rv_fail(cx, RV_INTERNAL, "%s answers no rows", sent->sql->name);
    *result = NULL;
    rv_defer(cx, drop_kept, kept);
    return rv_pg_rows(cx, sent->sql->name, kept, sent->record, sent->rows);
}

/* Every answer but a sync's is followed by a NULL. False: the connection is gone. */
static bool take_answer(struct rv_db *db, const struct rv_db_sent *sent, PGresult **result)
{
    PGresult *end = NULL;

    if (!rv_db_session_next(db, result) || !*result)
        return false;
    if (sent->kind == RV_SENT_SYNC)
        return PQresultStatus(*result) == PGRES_PIPELINE_SYNC;
    return rv_db_session_next(db, &end) && !end;
}

static bool is_good(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_PIPELINE_SYNC;
}

/* The answers to what was sent and no longer matters. False: the connection is gone. */
static bool drain(struct rv_db *db)
{
    while (db->sent_head < db->n_sent) {
        const struct rv_db_sent *sent = &db->sent[db->sent_head++];
        auto_result result = NULL;

        if (!take_answer(db, sent, &result))
            return false;
        if (sent->kind == RV_SENT_PREPARE && !is_good(result))
            forget_prepared(db, sent->sql);
    }
    db->sent_head = db->n_sent = 0;
    return true;
}

static bool send_sync(struct rv_db *db)
{
    if (!PQpipelineSync(db->conn))
        return false;
    rv_db_session_expect(db, (struct rv_db_sent){ .kind = RV_SENT_SYNC });
    return true;
}

static bool send_rollback(struct rv_db *db)
{
    if (!PQsendQueryParams(db->conn, "ROLLBACK", 0, NULL, NULL, NULL, NULL, 0))
        return false;
    rv_db_session_expect(db, (struct rv_db_sent){ .kind = RV_SENT_COMMAND });
    return true;
}

/* Undoes the work in one flight. The first sync ends what an error made the server skip. */
static void undo(struct rv_db *db)
{
    db->in_work = false;
    if (!db->conn)
        return;
    if (!send_sync(db) || !send_rollback(db) || !send_sync(db) || !drain(db))
        rv_db_session_drop(db);
}

/* After this only rv_db_rollback makes the session good again, so that a handler that goes on
 * after a refusal cannot commit half of its work. */
static enum rv_status fail_work(struct rv_db *db, enum rv_status status, bool gone)
{
    if (gone) {
        db->fate_unknown = db->committing;
        rv_db_session_drop(db);
    }
    undo(db);
    db->failed = true;
    return status;
}

static rv_result read_answer(struct rv_ctx *cx, struct rv_db *db, struct rv_db_sent sent)
{
    auto_result result = NULL;
    enum rv_status status = RV_OK;
    bool there = take_answer(db, &sent, &result), gone = false;

    if (result && !is_good(result)) {
        status = rv_db_refused(cx, name_of(&sent), result);
        gone = !there || rv_db_judge(result)->lost;
        if (sent.kind == RV_SENT_PREPARE)
            forget_prepared(db, sent.sql);
    } else if (!there) {
        return lost(cx, db, name_of(&sent));
    } else if (sent.kind == RV_SENT_READ) {
        status = keep_rows(cx, &sent, &result);
    }
    return status == RV_OK ? RV_OK : fail_work(db, status, gone);
}

static rv_result read_answers(struct rv_ctx *cx, struct rv_db *db)
{
    while (db->sent_head < db->n_sent)
        RV_TRY(cx, read_answer(cx, db, db->sent[db->sent_head++]));
    db->sent_head = db->n_sent = 0;
    return RV_OK;
}

static const struct rv_sql **prepared_slot(struct rv_db *db, const struct rv_sql *sql)
{
    size_t at = (size_t)(sql->id + RV_DB_OWN_STATEMENTS);

    if (at >= db->n_prepared) {
        size_t n = at + 64;

        db->prepared = reallocarray(db->prepared, n, sizeof(db->prepared[0]));
        if (!db->prepared)
            abort();
        memset(db->prepared + db->n_prepared, 0, (n - db->n_prepared) * sizeof(db->prepared[0]));
        db->n_prepared = n;
    }
    return &db->prepared[at];
}

static bool prepare(struct rv_db *db, const struct rv_sql *sql, const struct rv_sql **slot)
{
    if (!PQsendPrepare(db->conn, sql->name, sql->text, 0, NULL))
        return false;
    *slot = sql;
    rv_db_session_expect(db, (struct rv_db_sent){ .kind = RV_SENT_PREPARE, .sql = sql });
    return true;
}

/* A slot that another statement has taken (tests with statements of their own): goes unprepared. */
static bool send_statement(struct rv_db *db, const struct rv_sql *sql,
                           const struct rv_pg_params *params)
{
    const struct rv_sql **slot = prepared_slot(db, sql);

    if (!*slot && !prepare(db, sql, slot))
        return false;
    if (*slot == sql)
        return PQsendQueryPrepared(db->conn, sql->name, sql->param_count, params->values,
                                   params->lengths, params->formats, 0);
    return PQsendQueryParams(db->conn, sql->text, sql->param_count, NULL, params->values,
                             params->lengths, params->formats, 0);
}

/* Prepared like all others: as words they would be parsed and planned for every piece of work. */
static const struct rv_sql sql_begin = { .name = "runtime_begin", .text = "BEGIN", .id = -4 };
static const struct rv_sql sql_commit = { .name = "runtime_commit", .text = "COMMIT", .id = -5 };
static const struct rv_sql sql_async = { .name = "runtime_async",
                                         .text = "SET LOCAL synchronous_commit = off",
                                         .id = -6 };

static bool send_command(struct rv_db *db, const struct rv_sql *sql)
{
    static const struct rv_pg_params none;

    if (!send_statement(db, sql, &none))
        return false;
    rv_db_session_expect(db, (struct rv_db_sent){ .kind = RV_SENT_COMMAND, .sql = sql });
    return true;
}

static rv_result begin(struct rv_ctx *cx, struct rv_db *db)
{
    enum rv_status status = rv_db_session_alive(db) ? RV_OK : rv_db_session_open(cx, db);

    db->failed = status != RV_OK;
    db->in_work = status == RV_OK;
    db->fate_unknown = db->async = false;
    if (status == RV_OK && !send_command(db, &sql_begin))
        return lost(cx, db, "begin");
    return status;
}

static rv_result queue(struct rv_ctx *cx, struct rv_in in, struct rv_db_sent sent)
{
    struct rv_pg_params params;
    struct rv_db *db = cx->db;
    enum rv_status status;

    if (!db)
        return rv_fail(cx, RV_INTERNAL, "%s: this work has no database", sent.sql->name);
    if (db->failed)
        return rv_fail(cx, RV_INTERNAL, "%s: this work has failed before", sent.sql->name);
    if (!db->in_work)
        RV_TRY(cx, begin(cx, db)); /* first: a session that is opened learns its types */
    status = rv_pg_params(cx, sent.sql, in, &db->types, &db->text, &params);
    if (status != RV_OK) {
        db->failed = true;
        return status;
    }
    if (!send_statement(db, sent.sql, &params))
        return lost(cx, db, sent.sql->name);
    rv_db_session_expect(db, sent);
    return RV_OK;
}

rv_result rv_db_exec(struct rv_ctx *cx, const struct rv_sql *sql, struct rv_in in)
{
    return queue(cx, in, (struct rv_db_sent){ .kind = RV_SENT_COMMAND, .sql = sql });
}

rv_result rv_db_read(struct rv_ctx *cx, const struct rv_sql *sql, struct rv_in in,
                     const struct rv_record *record, struct rv_rows *rows)
{
    *rows = (struct rv_rows){ 0 };
    return queue(cx, in, (struct rv_db_sent){ RV_SENT_READ, sql, record, rows });
}

rv_result rv_db_sync(struct rv_ctx *cx)
{
    struct rv_db *db = cx->db;

    if (!db || db->sent_head == db->n_sent)
        return RV_OK;
    if (!PQsendFlushRequest(db->conn))
        return lost(cx, db, "sync");
    return read_answers(cx, db);
}

rv_result rv_db_rows(struct rv_ctx *cx, const struct rv_sql *sql, struct rv_in in,
                     const struct rv_record *record, struct rv_rows *rows)
{
    RV_TRY(cx, rv_db_read(cx, sql, in, record, rows));
    RV_TRY(cx, rv_db_sync(cx));
    return RV_OK;
}

rv_result rv_db_one(struct rv_ctx *cx, const struct rv_sql *sql, struct rv_in in, struct rv_out out)
{
    struct rv_rows rows;

    RV_TRY(cx, rv_db_rows(cx, sql, in, out.record, &rows));
    if (rows.n == 0)
        return rv_fail(cx, RV_NOT_FOUND, "no such %s", out.record->name);
    memcpy(out.object, rows.items, out.record->size);
    return RV_OK;
}

static rv_result end_work(struct rv_ctx *cx, struct rv_db *db)
{
    if (db->failed)
        return rv_fail(cx, RV_INTERNAL, "commit: this work has failed before");
    db->committing = true;
    if ((db->async && !send_command(db, &sql_async)) || !send_command(db, &sql_commit) ||
        !send_sync(db))
        return lost(cx, db, "commit");
    return read_answers(cx, db);
}

void rv_db_commit_async(struct rv_ctx *cx)
{
    if (cx->db)
        cx->db->async = true;
}

rv_result rv_db_commit(struct rv_ctx *cx)
{
    struct rv_db *db = cx->db;
    enum rv_status status;

    if (!db || (!db->in_work && !db->failed))
        return RV_OK;
    status = end_work(cx, db);
    db->committing = false;
    if (status == RV_OK)
        db->in_work = false;
    else
        rv_db_rollback(cx);
    return status;
}

bool rv_db_fate_unknown(const struct rv_ctx *cx)
{
    return cx->db && cx->db->fate_unknown;
}

void rv_db_rollback(struct rv_ctx *cx)
{
    struct rv_db *db = cx->db;

    if (!db)
        return;
    if (db->in_work)
        undo(db);
    db->failed = false;
}
