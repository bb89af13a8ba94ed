#pragma once

/* A Postgres session in pipeline mode: what it has been sent and not yet answered. For db*.c. */

#include <libpq-fe.h>

#include "runtime/db.h"
#include "runtime/record_pg.h"

/* Statements of the runtime itself have ids below zero. */
enum { RV_DB_OWN_STATEMENTS = 6 };

/* What the next result belongs to. */
struct rv_db_sent {
    enum { RV_SENT_PREPARE, RV_SENT_COMMAND, RV_SENT_READ, RV_SENT_SYNC } kind;
    const struct rv_sql *sql;
    const struct rv_record *record;
    struct rv_rows *rows;
};

struct rv_db {
    const struct rv_db_options *options;
    PGconn *conn;      /* NULL: lost; the next unit of work opens it again */
    bool in_work;      /* a transaction has begun */
    bool failed;       /* and can only be rolled back: every further statement is refused */
    bool committing;   /* COMMIT has been sent */
    bool fate_unknown; /* and its answer did not come: until the next work begins */
    bool async;        /* COMMIT need not wait for the disk */
    struct rv_pg_types types;
    struct rv_pg_text text;
    const struct rv_sql **prepared; /* by id + RV_DB_OWN_STATEMENTS */
    size_t n_prepared;
    struct rv_db_sent *sent;
    size_t sent_head, n_sent, sent_size;
};

rv_result rv_db_session_open(struct rv_ctx *cx, struct rv_db *db);
void rv_db_session_drop(struct rv_db *db);        /* forgets the connection and what it was sent */
bool rv_db_session_alive(const struct rv_db *db); /* as far as one can tell without asking */

/* Remembers that an answer will come; the caller has just sent the question. */
void rv_db_session_expect(struct rv_db *db, struct rv_db_sent sent);

/* Sends what is buffered and waits for the next result, whichever side has to move first. False:
 * the connection is gone, or was silent for longer than any statement may take. */
bool rv_db_session_next(struct rv_db *db, PGresult **result);

/* libpq's last words, on one line. */
const char *rv_db_complaint(struct rv_ctx *cx, const struct rv_db *db);

/* What a SQLSTATE means to a caller who can only retry, give up, or fix the request. */
struct rv_db_verdict {
    const char *sqlstate; /* its beginning */
    enum rv_status status;
    bool lost;         /* the session cannot be used any more */
    const char *words; /* instead of Postgres' own, which may quote data; NULL: those */
};
const struct rv_db_verdict *rv_db_judge(const PGresult *result);
rv_result rv_db_refused(struct rv_ctx *cx, const char *what, const PGresult *result);

void rv_db_drop_result(PGresult **result);
#define auto_result __attribute__((cleanup(rv_db_drop_result))) PGresult *
