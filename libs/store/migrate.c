#include "store/migrate.h"

#include <inttypes.h>
#include <string.h>

#include "base/time.h"
#include "runtime/secret.h"
#include "store/sql.h"

struct migration_row {
    int64_t version, took_ms, applied_at_ms;
    const char *name, *checksum;
};
static const struct rv_field migration_row_fields[] = {
    RV_INT(migration_row, version, 0),       RV_TEXT(migration_row, name, 0),
    RV_TEXT(migration_row, checksum, 0),     RV_INT(migration_row, took_ms, 0),
    RV_INT(migration_row, applied_at_ms, 0),
};
static RV_RECORD(migration_row, migration_row_fields);

int64_t store_schema_version(void)
{
    int64_t version = 0;

    for (const struct store_migration *m = store_migrations; m->name; m++)
        version = m->version;
    return version;
}

static const char *checksum_of(struct rv_ctx *cx, const struct store_migration *migration)
{
    uint8_t hash[RV_HASH_BYTES];

    rv_hash256(migration->text, strlen(migration->text), hash);
    return rv_hex(cx, hash, sizeof(hash));
}

static rv_result lock(struct rv_ctx *cx)
{
    RV_TRY(cx, rv_db_script(cx, "SET statement_timeout = 0; SET lock_timeout = 0;"
                                "SET idle_in_transaction_session_timeout = 0;"
                                "SET enable_seqscan = on; SET plan_cache_mode = auto"));
    RV_TRY(cx, rv_db_exec(cx, &SQL_MIGRATION_LOCK, rv_nothing));
    RV_TRY(cx, rv_db_commit(cx));
    return RV_OK;
}

/* Best effort, and quiet about it: the lock goes with the session anyway. Its timeouts stay off. */
static void unlock(struct rv_ctx *cx)
{
    struct rv_error why = cx->error;

    rv_db_rollback(cx);
    if (rv_db_exec(cx, &SQL_MIGRATION_UNLOCK, rv_nothing) != RV_OK || rv_db_commit(cx) != RV_OK)
        rv_db_rollback(cx);
    cx->error = why;
}

static rv_result make_table(struct rv_ctx *cx)
{
    static const char text[] = "CREATE TABLE IF NOT EXISTS schema_migrations ("
                               " version    bigint PRIMARY KEY,"
                               " name       text NOT NULL,"
                               " checksum   text NOT NULL,"
                               " applied_at timestamptz NOT NULL DEFAULT now(),"
                               " took_ms    bigint NOT NULL);"
                               "GRANT SELECT ON schema_migrations TO PUBLIC";

    RV_TRY(cx, rv_db_script(cx, text));
    return RV_OK;
}

/* The migrations this database has; none when nobody has migrated it yet. */
static rv_result read_applied(struct rv_ctx *cx, struct rv_rows *rows)
{
    int64_t version;

    *rows = (struct rv_rows){ 0 };
    RV_TRY(cx, rv_db_schema_version(cx, &version));
    if (version > 0)
        RV_TRY(cx,
               rv_db_rows(cx, &SQL_MIGRATIONS_APPLIED, rv_nothing, &migration_row_record, rows));
    RV_TRY(cx, rv_db_commit(cx));
    return RV_OK;
}

static const struct migration_row *find_applied(const struct rv_rows *rows, int64_t version)
{
    const struct migration_row *row = rows->items;

    for (size_t i = 0; i < rows->n; i++)
        if (row[i].version == version)
            return &row[i];
    return NULL;
}

static int64_t newest_applied(const struct rv_rows *rows)
{
    const struct migration_row *row = rows->items;

    return rows->n ? row[rows->n - 1].version : 0;
}

/* Refuses what was changed after it was applied, and what came too late for its number. */
static rv_result check(struct rv_ctx *cx, const struct rv_rows *rows)
{
    for (const struct store_migration *m = store_migrations; m->name; m++) {
        const struct migration_row *row = find_applied(rows, m->version);

        if (row && strcmp(row->checksum, checksum_of(cx, m)) != 0)
            return rv_fail(cx, RV_CONFLICT,
                           "%s was changed after it was applied: restore it, and say what is new "
                           "in a new migration",
                           m->name);
        if (!row && m->version < newest_applied(rows))
            return rv_fail(cx, RV_CONFLICT,
                           "%s was never applied, but %04" PRId64 " was: give it a higher number",
                           m->name, newest_applied(rows));
    }
    return RV_OK;
}

/* The file stands first, so that the lines Postgres complains of are the file's. */
static rv_result apply(struct rv_ctx *cx, const struct store_migration *m, FILE *out)
{
    int64_t began_ms = rv_monotonic_ms();
    const char *text =
        rv_printf(cx,
                  "%s\n;"
                  "INSERT INTO schema_migrations (version, name, checksum, took_ms) VALUES "
                  "(%" PRId64 ", '%s', '%s', extract(epoch FROM clock_timestamp() - now()) * 1000)",
                  m->text, m->version, m->name, checksum_of(cx, m));

    if (rv_db_script(cx, text) != RV_OK)
        return rv_fail(cx, cx->error.status, "%s: %s", m->name, cx->error.text);
    fprintf(out, "%-40s %6" PRId64 " ms\n", m->name, rv_monotonic_ms() - began_ms);
    fflush(out);
    return RV_OK;
}

static rv_result apply_missing(struct rv_ctx *cx, FILE *out)
{
    struct rv_rows rows;
    int n = 0;

    RV_TRY(cx, make_table(cx));
    RV_TRY(cx, read_applied(cx, &rows));
    RV_TRY(cx, check(cx, &rows));
    for (const struct store_migration *m = store_migrations; m->name; m++) {
        if (find_applied(&rows, m->version))
            continue;
        RV_TRY(cx, apply(cx, m, out));
        n++;
    }
    fprintf(out, "%d applied, the schema is at %04" PRId64 "\n", n,
            n ? store_schema_version() : newest_applied(&rows));
    return RV_OK;
}

rv_result store_migrate_up(struct rv_ctx *cx, FILE *out)
{
    enum rv_status status;

    RV_TRY(cx, lock(cx));
    status = apply_missing(cx, out);
    unlock(cx);
    return status;
}

rv_result store_migrate_status(struct rv_ctx *cx, FILE *out)
{
    struct rv_rows rows;

    RV_TRY(cx, read_applied(cx, &rows));
    for (const struct store_migration *m = store_migrations; m->name; m++) {
        const struct migration_row *row = find_applied(&rows, m->version);
        const char *what = !row ? "missing" : rv_time_text(cx, row->applied_at_ms);

        if (row && strcmp(row->checksum, checksum_of(cx, m)) != 0)
            what = "changed after it was applied";
        fprintf(out, "%-40s %s\n", m->name, what);
    }
    if (newest_applied(&rows) > store_schema_version())
        fprintf(out, "the database is newer than this program: %04" PRId64 "\n",
                newest_applied(&rows));
    return RV_OK;
}

rv_result store_migrate_verify(struct rv_ctx *cx)
{
    struct rv_rows rows;

    RV_TRY(cx, read_applied(cx, &rows));
    RV_TRY(cx, check(cx, &rows));
    if (newest_applied(&rows) != store_schema_version())
        return rv_fail(cx, RV_CONFLICT,
                       "the database is at %04" PRId64 ", this program at %04" PRId64,
                       newest_applied(&rows), store_schema_version());
    return RV_OK;
}
