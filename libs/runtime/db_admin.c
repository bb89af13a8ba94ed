#include <stdlib.h>

#include "runtime/db_session.h"

struct tenant {
    const char *tenant_id;
};
static const struct rv_field tenant_fields[] = { RV_TEXT(tenant, tenant_id, 0) };
static RV_RECORD(tenant, tenant_fields);

static const struct rv_sql sql_tenant = {
    "runtime_tenant",
    "SELECT set_config('reeve.tenant', $1, true)",
    { { "tenant_id", RV_SQL_ONE } },
    1,
    -1,
};

rv_result rv_db_tenant(struct rv_ctx *cx, const char *tenant_id)
{
    struct tenant tenant = { tenant_id };

    return rv_db_exec(cx, &sql_tenant, rv_in(tenant, &tenant));
}

struct schema {
    int64_t version;
    bool is_there;
};
static const struct rv_field schema_fields[] = {
    RV_INT(schema, version, 0),
    RV_BOOL(schema, is_there, 0),
};
static RV_RECORD(schema, schema_fields);

static const struct rv_sql sql_schema_there = {
    "runtime_schema_there",
    "SELECT to_regclass('schema_migrations') IS NOT NULL AS is_there",
    { { NULL, RV_SQL_ONE } },
    0,
    -2,
};
static const struct rv_sql sql_schema_version = {
    "runtime_schema_version",
    "SELECT max(version)::bigint AS version FROM schema_migrations",
    { { NULL, RV_SQL_ONE } },
    0,
    -3,
};

rv_result rv_db_schema_version(struct rv_ctx *cx, int64_t *version)
{
    struct schema schema = { 0 };
    enum rv_status status = rv_db_one(cx, &sql_schema_there, rv_nothing, rv_out(schema, &schema));

    if (status == RV_OK && schema.is_there)
        status = rv_db_one(cx, &sql_schema_version, rv_nothing, rv_out(schema, &schema));
    *version = schema.version;
    rv_db_rollback(cx);
    return status;
}

/* "at line 12: ": Postgres counts characters, people count lines. */
static const char *place_of(struct rv_ctx *cx, const PGresult *result, const char *text)
{
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    long left = position ? strtol(position, NULL, 10) - 1 : 0;
    int line = 1;

    if (!position)
        return "";
    for (; *text && left > 0; text++) {
        line += *text == '\n';
        left -= ((unsigned char)*text & 0xc0) != 0x80;
    }
    return rv_printf(cx, "at line %d: ", line);
}

static rv_result script_result(struct rv_ctx *cx, const PGresult *result, const char *text)
{
    ExecStatusType status = PQresultStatus(result);
    const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY)
        return RV_OK;
    return rv_fail_inside(cx, rv_db_judge(result)->status, "%s%s", place_of(cx, result, text),
                          words ? words : "connection lost");
}

/* Sent as one simple query: Postgres makes it one transaction. */
rv_result rv_db_script(struct rv_ctx *cx, const char *text)
{
    struct rv_db *db = cx->db;
    auto_result result = NULL;

    if (!db || db->in_work || db->failed)
        return rv_fail(cx, RV_INTERNAL, "a script cannot run inside other work");
    if (!rv_db_session_alive(db))
        RV_TRY(cx, rv_db_session_open(cx, db));
    if (!PQexitPipelineMode(db->conn))
        return rv_fail(cx, RV_INTERNAL, "script: %s", rv_db_complaint(cx, db));
    result = PQexec(db->conn, text);
    if (!PQenterPipelineMode(db->conn))
        rv_db_session_drop(db);
    return script_result(cx, result, text);
}
