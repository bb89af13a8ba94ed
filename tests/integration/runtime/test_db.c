#include "db_things.h"

#include <signal.h>

/* A second session, as another worker has it. */
static void open_other(struct rv_ctx *cx, const struct rv_db_options *with)
{
    rv_ctx_init(cx);
    assert_ok(cx, rv_db_open(cx, with));
}

static void close_other(struct rv_ctx *cx)
{
    rv_db_close(cx);
    rv_ctx_release(cx);
}

static const struct thing *new_thing(struct rv_ctx *cx, const char *title)
{
    struct thing *thing = rv_new(cx, struct thing);

    thing->thing_id = rv_id_new(cx);
    thing->title = title;
    return thing;
}

static int64_t count_elsewhere(void)
{
    struct rv_ctx cx;
    int64_t n;

    open_other(&cx, &options);
    n = count(&cx);
    close_other(&cx);
    return n;
}

static void add(struct rv_ctx *cx, const struct thing *thing)
{
    assert_ok(cx, rv_db_exec(cx, &sql_add, rv_in(thing, thing)));
}

static void keeps_what_was_committed_and_nothing_else(void **state)
{
    struct rv_ctx *cx = *state;

    add(cx, new_thing(cx, "one"));
    assert_ok(cx, rv_db_sync(cx));
    assert_int_equal(count_elsewhere(), 0);
    assert_ok(cx, rv_db_commit(cx));
    assert_int_equal(count_elsewhere(), 1);

    add(cx, new_thing(cx, "two"));
    assert_ok(cx, rv_db_sync(cx));
    rv_db_rollback(cx);
    add(cx, new_thing(cx, "queued only"));
    rv_db_rollback(cx);
    rv_db_rollback(cx);
    assert_int_equal(count(cx), 1);
}

static void ends_work_that_never_began(void **state)
{
    struct rv_ctx *cx = *state;

    rv_db_rollback(cx);
    assert_ok(cx, rv_db_commit(cx));
    assert_ok(cx, rv_db_sync(cx));
}

static void undoes_all_when_one_statement_is_refused(void **state)
{
    struct rv_ctx *cx = *state;
    const struct thing *thing = new_thing(cx, "one");

    add(cx, thing);
    add(cx, new_thing(cx, "two"));
    add(cx, thing);
    add(cx, new_thing(cx, "three"));
    assert_fails(cx, rv_db_sync(cx), RV_CONFLICT, "add: is there already (23505 things_pkey)");
    assert_fails(cx, rv_db_exec(cx, &sql_add, rv_in(thing, thing)), RV_INTERNAL,
                 "add: this work has failed before");
    rv_db_rollback(cx);
    assert_int_equal(count(cx), 0);
}

static void refuses_at_the_commit_what_was_only_queued(void **state)
{
    struct rv_ctx *cx = *state;
    struct thing nameless = { .thing_id = rv_id_new(cx) };

    add(cx, new_thing(cx, "one"));
    add(cx, &nameless);
    assert_fails(cx, rv_db_commit(cx), RV_INVALID, "add: breaks a rule of its table (23502)");
    assert_int_equal(count(cx), 0);
}

static void never_commits_half_of_a_work(void **state)
{
    struct rv_ctx *cx = *state;
    struct thing wrong = { .thing_id = "no uuid", .title = "secret" }, found;

    add(cx, new_thing(cx, "one"));
    assert_fails(cx, rv_db_one(cx, &sql_find, rv_in(thing, &wrong), rv_out(thing, &found)),
                 RV_INVALID, "find: has a value of the wrong form (22P02)");
    assert_fails(cx, rv_db_commit(cx), RV_INTERNAL, "commit: this work has failed before");
    assert_int_equal(count(cx), 0);
}

static void says_which_column_nobody_knows(void **state)
{
    struct rv_ctx *cx = *state;
    struct thing found;

    assert_fails(cx, rv_db_one(cx, &sql_odd_column, rv_nothing, rv_out(thing, &found)), RV_INTERNAL,
                 "odd_column: column nobody is not a field of thing");
    rv_db_rollback(cx);
    assert_int_equal(count(cx), 0);
}

static void finds_nothing_and_says_so(void **state)
{
    struct rv_ctx *cx = *state;
    struct thing found;

    assert_fails(cx,
                 rv_db_one(cx, &sql_find, rv_in(thing, new_thing(cx, "x")), rv_out(thing, &found)),
                 RV_NOT_FOUND, "no such thing");
    assert_ok(cx, rv_db_commit(cx)); /* that was no failure of the work */
}

static void reads_two_answers_in_one_flight(void **state)
{
    struct rv_ctx *cx = *state;
    const struct thing *thing = new_thing(cx, "one");
    struct rv_rows found, series;
    struct thing ten = { .count = 10 };

    add(cx, thing);
    assert_ok(cx, rv_db_read(cx, &sql_find, rv_in(thing, thing), &thing_record, &found));
    assert_ok(cx, rv_db_read(cx, &sql_series, rv_in(thing, &ten), &thing_record, &series));
    assert_ok(cx, rv_db_sync(cx));
    assert_int_equal(found.n, 1);
    assert_string_equal(((struct thing *)found.items)->title, "one");
    assert_int_equal(series.n, 10);
    assert_string_equal(((struct thing *)series.items)[9].title, "title 10");
    assert_ok(cx, rv_db_commit(cx));
}

static void end_sessions_of(const char *name)
{
    struct rv_db_options with = { RV_DB_DEFAULTS, .url = stack.postgres_url, .name = "killer" };
    struct thing whose = { .title = name };
    struct rv_rows rows;
    struct rv_ctx cx;

    open_other(&cx, &with);
    assert_ok(&cx, rv_db_rows(&cx, &sql_end_session, rv_in(thing, &whose), &thing_record, &rows));
    assert_int_equal(rows.n, 1);
    close_other(&cx);
    rv_sleep_ms(50);
}

static void opens_a_lost_session_again(void **state)
{
    struct rv_ctx *cx = *state;

    add(cx, new_thing(cx, "one"));
    assert_ok(cx, rv_db_commit(cx));
    end_sessions_of("test_db");
    assert_int_equal(count(cx), 1); /* between two works nobody notices */

    add(cx, new_thing(cx, "two"));
    assert_ok(cx, rv_db_sync(cx));
    end_sessions_of("test_db");
    assert_int_equal(rv_db_commit(cx), RV_UNAVAILABLE); /* in the middle of one it is lost */
    add(cx, new_thing(cx, "three"));
    assert_ok(cx, rv_db_commit(cx));
    assert_int_equal(count(cx), 2);
}

static void survives_a_postgres_that_was_killed(void **state)
{
    struct rv_ctx *cx = *state;

    add(cx, new_thing(cx, "one"));
    assert_ok(cx, rv_db_commit(cx));
    assert_true(stack_postgres_stop(&stack, SIGKILL));
    rv_sleep_ms(200); /* its backends find out by themselves */
    assert_int_equal(rv_db_exec(cx, &sql_add, rv_in(thing, new_thing(cx, "two"))), RV_UNAVAILABLE);
    rv_db_rollback(cx);
    assert_true(stack_postgres_start(&stack));
    add(cx, new_thing(cx, "three"));
    assert_ok(cx, rv_db_commit(cx));
    assert_int_equal(count(cx), 2);
}

static void a_session_that_could_not_be_opened_is_opened_by_the_work(void **state)
{
    struct rv_db_options with = { RV_DB_DEFAULTS, .url = stack.postgres_url, .role = "nobody" };
    struct thing found;
    struct rv_ctx cx;

    rv_ctx_init(&cx);
    assert_int_equal(rv_db_open(&cx, &with), RV_UNAVAILABLE);
    assert_int_equal(rv_db_one(&cx, &sql_count, rv_nothing, rv_out(thing, &found)), RV_UNAVAILABLE);
    assert_false(rv_db_fate_unknown(&cx));
    rv_db_rollback(&cx);
    with.role = NULL;
    assert_int_equal(count(&cx), 0);
    close_other(&cx);
}

/* What types there are it learns when it is opened, which is before they are looked for. */
static void rows_may_be_the_first_that_a_session_is_asked_for(void **state)
{
    struct rv_db_options with = { RV_DB_DEFAULTS, .url = stack.postgres_url, .role = "nobody" };
    const struct thing *thing = new_thing(*state, "one");
    struct rv_ctx cx;

    rv_ctx_init(&cx);
    assert_int_equal(rv_db_open(&cx, &with), RV_UNAVAILABLE);
    assert_int_equal(rv_db_exec(&cx, &sql_add_rows, rv_in(thing, thing)), RV_UNAVAILABLE);
    rv_db_rollback(&cx);
    with.role = NULL;
    assert_ok(&cx, rv_db_exec(&cx, &sql_add_rows, rv_in(thing, thing)));
    assert_ok(&cx, rv_db_commit(&cx));
    assert_int_equal(count(&cx), 1);
    close_other(&cx);
}

static void knows_whether_a_commit_may_have_happened(void **state)
{
    struct rv_ctx *cx = *state;
    struct thing who;

    assert_ok(cx, rv_db_script(cx, "ALTER TABLE things ADD CONSTRAINT once UNIQUE (title)"
                                   " DEFERRABLE INITIALLY DEFERRED"));
    add(cx, new_thing(cx, "same"));
    add(cx, new_thing(cx, "same"));
    assert_ok(cx, rv_db_sync(cx));
    assert_int_equal(rv_db_commit(cx), RV_CONFLICT); /* Postgres' own word that it did not */
    assert_false(rv_db_fate_unknown(cx));

    assert_ok(cx, rv_db_one(cx, &sql_who, rv_nothing, rv_out(thing, &who)));
    kill((pid_t)who.count, SIGKILL); /* all others go with it, and come back */
    assert_int_equal(rv_db_commit(cx), RV_UNAVAILABLE);
    assert_true(rv_db_fate_unknown(cx));
    for (int i = 0; i < 500 && rv_db_exec(cx, &sql_add, rv_in(thing, new_thing(cx, "a"))); i++) {
        rv_db_rollback(cx);
        rv_sleep_ms(20);
    }
    assert_false(rv_db_fate_unknown(cx));
    assert_ok(cx, rv_db_commit(cx));
}

static void prepares_again_when_a_table_has_changed(void **state)
{
    struct rv_ctx *cx = *state, other;
    struct rv_rows rows;

    assert_ok(cx, rv_db_rows(cx, &sql_list, rv_nothing, &thing_record, &rows));
    assert_ok(cx, rv_db_commit(cx));
    open_other(&other, &options);
    assert_ok(&other, rv_db_script(&other, "ALTER TABLE things DROP COLUMN weight"));
    close_other(&other);
    assert_int_equal(rv_db_rows(cx, &sql_list, rv_nothing, &thing_record, &rows), RV_UNAVAILABLE);
    rv_db_rollback(cx);
    assert_ok(cx, rv_db_rows(cx, &sql_list, rv_nothing, &thing_record, &rows));
    assert_ok(cx, rv_db_commit(cx));
}

static void stops_a_statement_that_takes_too_long(void **state)
{
    struct rv_db_options hasty = { RV_DB_DEFAULTS, .url = stack.postgres_url, .name = "hasty" };
    struct thing second = { .weight = 1 };
    struct rv_rows rows;
    struct rv_ctx cx;

    hasty.statement_timeout_ms = 100;
    open_other(&cx, &hasty);
    assert_int_equal(rv_db_rows(&cx, &sql_sleep, rv_in(thing, &second), &thing_record, &rows),
                     RV_TIMEOUT);
    rv_db_rollback(&cx);
    assert_int_equal(count(&cx), 0);
    close_other(&cx);
}

static void gives_up_a_lock_that_does_not_come(void **state)
{
    struct rv_db_options hasty = { RV_DB_DEFAULTS, .url = stack.postgres_url, .name = "hasty" };
    struct rv_ctx *cx = *state, other;
    struct rv_rows rows;

    add(cx, new_thing(cx, "one"));
    assert_ok(cx, rv_db_commit(cx));
    assert_ok(cx, rv_db_rows(cx, &sql_lock, rv_nothing, &thing_record, &rows));
    hasty.lock_timeout_ms = 50;
    open_other(&other, &hasty);
    assert_int_equal(rv_db_rows(&other, &sql_lock, rv_nothing, &thing_record, &rows),
                     RV_UNAVAILABLE);
    rv_db_rollback(&other);
    assert_ok(cx, rv_db_commit(cx));
    assert_ok(&other, rv_db_rows(&other, &sql_lock, rv_nothing, &thing_record, &rows));
    close_other(&other);
}

/* A server that hangs says nothing, not even that the statement took too long. */
static void does_not_wait_for_a_frozen_server(void **state)
{
    struct rv_db_options hasty = { RV_DB_DEFAULTS, .url = stack.postgres_url, .name = "hasty" };
    struct thing who;
    struct rv_ctx cx;
    int64_t began_ms = rv_monotonic_ms();

    hasty.statement_timeout_ms = 100;
    open_other(&cx, &hasty);
    assert_ok(&cx, rv_db_one(&cx, &sql_who, rv_nothing, rv_out(thing, &who)));
    assert_ok(&cx, rv_db_commit(&cx));
    kill((pid_t)who.count, SIGSTOP);
    assert_int_equal(rv_db_one(&cx, &sql_count, rv_nothing, rv_out(thing, &who)), RV_UNAVAILABLE);
    kill((pid_t)who.count, SIGCONT);
    assert_in_range(rv_monotonic_ms() - began_ms, 100, 20000);
    rv_db_rollback(&cx);
    assert_int_equal(count(&cx), 0);
    close_other(&cx);
}

static void works_as_its_role(void **state)
{
    struct rv_db_options with = { RV_DB_DEFAULTS, .url = stack.postgres_url,
                                  .role = "Odd \"role\"" };
    struct rv_ctx *cx = *state, other;
    struct thing who;

    assert_ok(cx, rv_db_script(cx, "DROP ROLE IF EXISTS \"Odd \"\"role\"\"\";"
                                   "CREATE ROLE \"Odd \"\"role\"\"\""));
    open_other(&other, &with);
    assert_ok(&other, rv_db_one(&other, &sql_who, rv_nothing, rv_out(thing, &who)));
    assert_string_equal(who.title, "Odd \"role\"");
    assert_fails(&other, rv_db_one(&other, &sql_count, rv_nothing, rv_out(thing, &who)), RV_DENIED,
                 "count: permission denied for table things (42501)");
    close_other(&other);
    with.role = "nobody";
    rv_ctx_init(&other);
    assert_fails(&other, rv_db_open(&other, &with), RV_UNAVAILABLE,
                 "postgres: ERROR:  role \"nobody\" does not exist");
    close_other(&other);
}

static void tells_row_security_whose_work_it_is(void **state)
{
    struct rv_ctx *cx = *state;
    struct thing found;

    assert_ok(cx, rv_db_tenant(cx, "it's \"me\""));
    assert_ok(cx, rv_db_one(cx, &sql_tenant, rv_nothing, rv_out(thing, &found)));
    assert_string_equal(found.title, "it's \"me\"");
    assert_ok(cx, rv_db_commit(cx));
    assert_ok(cx, rv_db_one(cx, &sql_tenant, rv_nothing, rv_out(thing, &found)));
    assert_string_equal(found.title, "");
}

static void says_the_line_of_a_bad_script(void **state)
{
    struct rv_ctx *cx = *state;

    assert_fails(cx, rv_db_script(cx, "CREATE TABLE scripted (a int);\n-- ä\nSELEC 1;\n"),
                 RV_INTERNAL, "at line 3: syntax error at or near \"SELEC\"");
    assert_ok(cx, rv_db_script(cx, "CREATE TABLE scripted (a int); DROP TABLE scripted"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(keeps_what_was_committed_and_nothing_else),
        DB_TEST(ends_work_that_never_began),
        DB_TEST(undoes_all_when_one_statement_is_refused),
        DB_TEST(refuses_at_the_commit_what_was_only_queued),
        DB_TEST(never_commits_half_of_a_work),
        DB_TEST(says_which_column_nobody_knows),
        DB_TEST(finds_nothing_and_says_so),
        DB_TEST(reads_two_answers_in_one_flight),
        DB_TEST(opens_a_lost_session_again),
        DB_TEST(survives_a_postgres_that_was_killed),
        DB_TEST(a_session_that_could_not_be_opened_is_opened_by_the_work),
        DB_TEST(rows_may_be_the_first_that_a_session_is_asked_for),
        DB_TEST(knows_whether_a_commit_may_have_happened),
        DB_TEST(prepares_again_when_a_table_has_changed),
        DB_TEST(stops_a_statement_that_takes_too_long),
        DB_TEST(gives_up_a_lock_that_does_not_come),
        DB_TEST(does_not_wait_for_a_frozen_server),
        DB_TEST(works_as_its_role),
        DB_TEST(tells_row_security_whose_work_it_is),
        DB_TEST(says_the_line_of_a_bad_script),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
