#define _GNU_SOURCE /* POLLRDHUP */

#include "runtime/db_session.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SILENCE_MARGIN_MS = 5000 };

void rv_db_drop_result(PGresult **result)
{
    PQclear(*result);
}

/* Postgres' notices ("table exists, skipping") are for psql. */
static void ignore_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

static PGconn *connect_with(const struct rv_db_options *options)
{
    char timeout_s[24];
    /* clang-format off */
    const char *rows[][2] = {
        { "application_name",    options->name ? options->name : "reeve" },
        { "connect_timeout",     timeout_s },
        { "keepalives_idle",     "10" },
        { "keepalives_interval", "5" },
        { "keepalives_count",    "3" },
        { "tcp_user_timeout",    "15000" },
        { "dbname",              options->url }, /* last: what the url says wins */
        { NULL, NULL },
    };
    /* clang-format on */
    const char *names[sizeof(rows) / sizeof(rows[0])], *values[sizeof(rows) / sizeof(rows[0])];

    snprintf(timeout_s, sizeof(timeout_s), "%lld",
             (long long)(options->connect_timeout_ms + 999) / 1000);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        names[i] = rows[i][0];
        values[i] = rows[i][1];
    }
    return PQconnectdbParams(names, values, 1);
}

/*
 * Plans: one generic plan per statement, with scans priced out. A plan made while the tables were
 * empty otherwise scans them whole until somebody analyzes them. 7 statements over 3 tables that
 * grow from nothing, ms per round of 64 rows at 25,000 / 75,000 rows, and of 1 row:
 *     auto 4.5 / 18, growing         force_custom_plan 3.1 / 2.8, 1 row 0.93
 *     force_generic_plan 4.4 / 19    the same with enable_seqscan=off 1.8 / 1.8, 1 row 0.49
 * A table without a usable index is still scanned, at a price that would start the JIT compiler.
 * Joins are from a few rows given to their index: hashing or merging reads whole tables too. So do
 * bitmaps, which have no order: a page of 500 of 136,000 events took 49 ms, and takes 0.5 without.
 * What was looked up is not remembered: the rows asked for differ.
 */
static const char plan_pins[] =
    "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET jit = off;"
    "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_bitmapscan = off;"
    "SET enable_memoize = off;"
    "SET max_parallel_workers_per_gather = 0;";

static rv_result set_guards(struct rv_ctx *cx, struct rv_db *db)
{
    const struct rv_db_options *o = db->options;
    char *role = o->role ? PQescapeIdentifier(db->conn, o->role, strlen(o->role)) : NULL;
    const char *text = rv_printf(
        cx,
        "SET statement_timeout = %lld; SET lock_timeout = %lld;"
        "SET idle_in_transaction_session_timeout = %lld;"
        "SET client_encoding = 'UTF8'; SET bytea_output = 'hex'; SET timezone = 'UTC'; %s%s%s",
        (long long)o->statement_timeout_ms, (long long)o->lock_timeout_ms,
        (long long)o->idle_timeout_ms, plan_pins, role ? "SET ROLE " : "", role ? role : "");
    auto_result result = PQexec(db->conn, text);

    PQfreemem(role);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) /* its role comes with a migration */
        return rv_fail(cx, RV_UNAVAILABLE, "postgres: %s", rv_db_complaint(cx, db));
    return RV_OK;
}

const char *rv_db_complaint(struct rv_ctx *cx, const struct rv_db *db)
{
    const char *words = db->conn ? PQerrorMessage(db->conn) : "";

    return *words ? rv_strndup(cx, words, strcspn(words, "\n")) : "no answer";
}

/* Once a session: what is added later is for programs that are started later. */
static rv_result learn_types(struct rv_ctx *cx, struct rv_db *db)
{
    PGresult *result = PQexec(db->conn, rv_pg_types_question);

    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        return rv_pg_types_of(cx, result, &db->types);
    PQclear(result);
    return rv_fail(cx, RV_UNAVAILABLE, "postgres: %s", rv_db_complaint(cx, db));
}

static rv_result set_up(struct rv_ctx *cx, struct rv_db *db)
{
    if (PQstatus(db->conn) != CONNECTION_OK)
        return rv_fail(cx, RV_UNAVAILABLE, "postgres: %s", rv_db_complaint(cx, db));
    PQsetNoticeReceiver(db->conn, ignore_notice, NULL);
    RV_TRY(cx, set_guards(cx, db));
    RV_TRY(cx, learn_types(cx, db));
    if (PQsetnonblocking(db->conn, 1) != 0 || !PQenterPipelineMode(db->conn))
        return rv_fail(cx, RV_UNAVAILABLE, "postgres: %s", rv_db_complaint(cx, db));
    return RV_OK;
}

rv_result rv_db_session_open(struct rv_ctx *cx, struct rv_db *db)
{
    enum rv_status status;

    rv_db_session_drop(db);
    db->conn = connect_with(db->options);
    if (!db->conn)
        abort();
    status = set_up(cx, db);
    if (status != RV_OK)
        rv_db_session_drop(db);
    return status;
}

void rv_db_session_drop(struct rv_db *db)
{
    PQfinish(db->conn);
    db->conn = NULL;
    db->sent_head = db->n_sent = 0;
    if (db->n_prepared > 0)
        memset(db->prepared, 0, db->n_prepared * sizeof(db->prepared[0]));
}

/* A server that has gone away said so on the socket, long before the next statement fails. */
bool rv_db_session_alive(const struct rv_db *db)
{
    struct pollfd p = { .fd = db->conn ? PQsocket(db->conn) : -1, .events = POLLRDHUP };

    return p.fd >= 0 && poll(&p, 1, 0) == 0;
}

void rv_db_session_expect(struct rv_db *db, struct rv_db_sent sent)
{
    if (db->n_sent == db->sent_size) {
        db->sent_size = db->sent_size ? 2 * db->sent_size : 32;
        db->sent = reallocarray(db->sent, db->sent_size, sizeof(db->sent[0]));
        if (!db->sent)
            abort();
    }
    db->sent[db->n_sent++] = sent;
}

static bool wait_socket(struct rv_db *db, bool writing)
{
    int64_t timeout_ms = db->options->statement_timeout_ms;
    struct pollfd p = { .fd = PQsocket(db->conn), .events = writing ? POLLIN | POLLOUT : POLLIN };
    int n;

    do
        n = poll(&p, 1, timeout_ms > 0 ? (int)timeout_ms + SILENCE_MARGIN_MS : -1);
    while (n < 0 && errno == EINTR);
    return n > 0;
}

bool rv_db_session_next(struct rv_db *db, PGresult **result)
{
    int unsent = PQflush(db->conn);

    while (PQisBusy(db->conn)) {
        if (!wait_socket(db, unsent > 0))
            return false;
        if (!PQconsumeInput(db->conn) && PQisBusy(db->conn))
            return false;
        unsent = PQflush(db->conn);
    }
    *result = PQgetResult(db->conn);
    return true;
}
