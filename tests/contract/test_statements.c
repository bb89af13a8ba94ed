#include "support/rv_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "runtime/db.h"
#include "store/migrate.h"
#include "store/sql.h"
#include "support/stack.h"

static struct stack stack;
static struct rv_db_options options = { RV_DB_DEFAULTS, .name = "test_statements" };

static int start(void **state)
{
    if (!stack_start(&stack, STACK_POSTGRES | STACK_MIGRATED))
        return -1;
    options.url = stack.postgres_url;
    return 0;
}

static int stop(void **state)
{
    stack_stop(&stack);
    return 0;
}

static void must(struct rv_ctx *cx, enum rv_status status)
{
    if (status != RV_OK)
        fail_msg("%s", cx->error.text);
}

/* Postgres itself says whether tables, columns and types are there. */
static void every_statement_prepares_on_the_migrated_schema(void **state)
{
    struct rv_ctx *cx = *state;
    int bad = 0;

    must(cx, rv_db_open(cx, &options));
    for (const struct rv_sql *const *sql = store_statements; *sql; sql++) {
        if (rv_db_script(cx, rv_printf(cx, "PREPARE %s AS\n%s", (*sql)->name, (*sql)->text)) ==
            RV_OK)
            continue;
        print_error("%s: %s\n", (*sql)->name, cx->error.text);
        bad++;
    }
    rv_db_close(cx);
    assert_int_equal(bad, 0);
}

struct log_reader {
    const struct rv_sql *sql;
    const char *role, *place; /* how the plan says where it begins */
};

/*
 * How Postgres reads the log on tables that are empty, which is what sessions of long ago planned
 * for, and with row security, under which only what cannot leak may use an index: along the log's
 * own order from its place on, or it would read all there is.
 */
static void must_follow_the_log(struct rv_ctx *cx, const struct log_reader *reader)
{
    const struct rv_sql *sql = reader->sql;
    const char *nulls = "";

    for (int i = 0; i < sql->param_count; i++)
        nulls = rv_printf(cx, "%s%sNULL", nulls, i ? "," : "(");
    must(cx, rv_db_script(cx, rv_printf(cx, "PREPARE plan_%s AS\n%s", sql->name, sql->text)));
    must(cx, rv_db_script(
                 cx, rv_printf(cx,
                               "SET ROLE %s; DO $$ DECLARE line text; plan text := ''; BEGIN "
                               "FOR line IN EXECUTE 'EXPLAIN EXECUTE plan_%s%s%s' LOOP "
                               "plan := plan || line || chr(10); END LOOP; "
                               "IF plan LIKE '%%Sort%%' OR plan NOT LIKE '%%events_pkey%%%s%%' "
                               "THEN RAISE EXCEPTION '%%', plan; END IF; END $$; RESET ROLE",
                               reader->role, sql->name, nulls, *nulls ? ")" : "", reader->place)));
}

static void the_event_log_is_read_in_its_order(void **state)
{
    static const struct log_reader readers[] = {
        { &SQL_RELAY_READ, "reeve_scheduler", "Index Cond: ((ROW(xid, seq) >" },
        { &SQL_GATEWAY_EVENTS_AFTER, "reeve_gateway", "Index Cond: ((ROW(xid, seq) >" },
        { &SQL_GATEWAY_EVENTS_LAST, "reeve_gateway", "Index Cond: (xid <" },
    };
    struct rv_ctx *cx = *state;

    must(cx, rv_db_open(cx, &options));
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
        must_follow_the_log(cx, &readers[i]);
    rv_db_close(cx);
}

static void every_statement_has_a_place_of_its_own(void **state)
{
    int n = 0;

    for (const struct rv_sql *const *sql = store_statements; *sql; sql++)
        assert_int_equal((*sql)->id, n++);
    assert_int_equal(n, SQL_STATEMENT_COUNT);
}

static void migrates_once(void **state)
{
    struct rv_ctx *cx = *state;
    int64_t version = 0;
    char *words = NULL;
    size_t len;
    FILE *out = open_memstream(&words, &len);

    must(cx, rv_db_open(cx, &options));
    must(cx, store_migrate_up(cx, out));
    fclose(out);
    assert_memory_equal(words, "0 applied", 9);
    free(words);
    must(cx, store_migrate_verify(cx));
    must(cx, rv_db_schema_version(cx, &version));
    assert_int_equal(version, store_schema_version());
    rv_db_close(cx);
}

static void refuses_a_migration_that_was_changed(void **state)
{
    struct rv_ctx *cx = *state;
    FILE *out = fopen("/dev/null", "w");

    must(cx, rv_db_open(cx, &options));
    must(cx, rv_db_script(cx, "UPDATE schema_migrations SET checksum = 'x' || checksum"));
    assert_int_equal(store_migrate_up(cx, out), RV_CONFLICT);
    assert_non_null(strstr(cx->error.text, " was changed after it was applied"));
    assert_int_equal(store_migrate_verify(cx), RV_CONFLICT);
    must(cx, store_migrate_status(cx, out));
    must(cx, rv_db_script(cx, "UPDATE schema_migrations SET checksum = substr(checksum, 2)"));
    must(cx, store_migrate_up(cx, out));
    fclose(out);
    rv_db_close(cx);
}

static void refuses_a_migration_that_came_too_late(void **state)
{
    struct rv_ctx *cx = *state;
    FILE *out = fopen("/dev/null", "w");

    must(cx, rv_db_open(cx, &options));
    must(cx, rv_db_script(cx, "UPDATE schema_migrations SET version = 9000 + version"
                              " WHERE version = (SELECT min(version) FROM schema_migrations)"));
    assert_int_equal(store_migrate_up(cx, out), RV_CONFLICT);
    assert_non_null(strstr(cx->error.text, "was never applied"));
    must(cx, rv_db_script(cx, "UPDATE schema_migrations SET version = version - 9000"
                              " WHERE version > 9000"));
    must(cx, store_migrate_verify(cx));
    fclose(out);
    rv_db_close(cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(every_statement_prepares_on_the_migrated_schema),
        RV_TEST(the_event_log_is_read_in_its_order),
        RV_TEST(every_statement_has_a_place_of_its_own),
        RV_TEST(migrates_once),
        RV_TEST(refuses_a_migration_that_was_changed),
        RV_TEST(refuses_a_migration_that_came_too_late),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
