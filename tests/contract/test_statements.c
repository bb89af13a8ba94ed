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
        RV_TEST(every_statement_has_a_place_of_its_own),
        RV_TEST(migrates_once),
        RV_TEST(refuses_a_migration_that_was_changed),
        RV_TEST(refuses_a_migration_that_came_too_late),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
