#include "db_things.h"

static const struct rv_field thing_fields[] = {
    RV_UUID(thing, thing_id, 0), RV_TEXT(thing, title, 0),    RV_JSON(thing, body, 0),
    RV_INT(thing, count, 0),     RV_DOUBLE(thing, weight, 0), RV_BOOL(thing, is_good, 0),
    RV_BYTES(thing, raw, 0),     RV_TEXTS(thing, tags, 0),
};
RV_RECORD(thing, thing_fields);

/* clang-format off */
#define PARAM(name)  { name, RV_SQL_ONE }
#define PARAMS(name) { name, RV_SQL_ARRAY }
#define ROWS(type)   { type, RV_SQL_ROWS }
const struct rv_sql sql_add = {
    "add", "INSERT INTO things (thing_id, title) VALUES ($1, $2)",
    { PARAM("thing_id"), PARAM("title") }, 2, 0 };
const struct rv_sql sql_add_all = {
    "add_all",
    "INSERT INTO things SELECT t.thing_id, t.title, t.body, t.count, t.weight, t.is_good, t.raw,"
    " t.tags::text[] FROM unnest($1::uuid[], $2::text[], $3::jsonb[], $4::bigint[], $5::float8[],"
    " $6::boolean[], $7::bytea[], $8::text[])"
    " AS t(thing_id, title, body, count, weight, is_good, raw, tags)",
    { PARAMS("thing_id"), PARAMS("title"), PARAMS("body"), PARAMS("count"), PARAMS("weight"),
      PARAMS("is_good"), PARAMS("raw"), PARAMS("tags") }, 8, 1 };
const struct rv_sql sql_find = {
    "find", "SELECT * FROM things WHERE thing_id = $1", { PARAM("thing_id") }, 1, 2 };
const struct rv_sql sql_list = {
    "list", "SELECT * FROM things ORDER BY thing_id", { PARAM("") }, 0, 3 };
const struct rv_sql sql_count = {
    "count", "SELECT count(*) AS count FROM things", { PARAM("") }, 0, 4 };
const struct rv_sql sql_series = {
    "series", "SELECT n AS count, 'title ' || n AS title FROM generate_series(1, $1::bigint) n",
    { PARAM("count") }, 1, 5 };
const struct rv_sql sql_sleep = {
    "sleep", "SELECT pg_sleep($1::float8) IS NULL AS is_good", { PARAM("weight") }, 1, 6 };
const struct rv_sql sql_end_session = {
    "end_session", "SELECT pg_terminate_backend(pid) AS is_good FROM pg_stat_activity"
    " WHERE application_name = $1", { PARAM("title") }, 1, 7 };
const struct rv_sql sql_odd_column = {
    "odd_column", "SELECT 1 AS nobody", { PARAM("") }, 0, 8 };
const struct rv_sql sql_tenant = {
    "tenant", "SELECT current_setting('reeve.tenant', true) AS title", { PARAM("") }, 0, 9 };
const struct rv_sql sql_lock = {
    "lock", "SELECT thing_id FROM things FOR UPDATE", { PARAM("") }, 0, 10 };
const struct rv_sql sql_who = {
    "who", "SELECT current_user AS title, pg_backend_pid() AS count", { PARAM("") }, 0, 11 };
const struct rv_sql sql_add_rows = {
    "add_rows",
    "INSERT INTO things SELECT thing_id, title, body, count, weight, is_good, raw, tags::text[]"
    " FROM unnest($1::thing_new[])", { ROWS("thing_new") }, 1, 12 };
const struct rv_sql sql_rows_of_nobody = {
    "rows_of_nobody", "SELECT count(*) FROM unnest($1::nobody[])", { ROWS("nobody") }, 1, 13 };
const struct rv_sql sql_rows_too_wide = {
    "rows_too_wide", "SELECT count(*) FROM unnest($1::thing_wide[])", { ROWS("thing_wide") }, 1, 14 };
const struct rv_sql sql_rows_of_another_kind = {
    "rows_of_another_kind", "SELECT count(*) FROM unnest($1::thing_odd[])",
    { ROWS("thing_odd") }, 1, 15 };
/* clang-format on */

struct stack stack;
struct rv_db_options options = { RV_DB_DEFAULTS, .name = "test_db" };

int start(void **state)
{
    if (!stack_start(&stack, STACK_POSTGRES))
        return -1;
    options.url = stack.postgres_url;
    return 0;
}

int stop(void **state)
{
    stack_stop(&stack);
    return 0;
}

int open_db(void **state)
{
    static const char table[] =
        "DROP TYPE IF EXISTS thing_new, thing_wide, thing_odd;"
        "CREATE TYPE thing_odd AS (count text);"
        "CREATE TYPE thing_wide AS (count bigint, nobody text);"
        "CREATE TYPE thing_new AS (raw bytea, weight float8, thing_id uuid, title text, body jsonb,"
        " count bigint, is_good boolean, tags text);"
        "DROP TABLE IF EXISTS things; CREATE TABLE things (thing_id uuid PRIMARY KEY,"
        " title text NOT NULL, body jsonb, count bigint, weight float8, is_good boolean,"
        " raw bytea, tags text[])";
    struct rv_ctx *cx;

    open_ctx(state);
    cx = *state;
    if (rv_db_open(cx, &options) != RV_OK || rv_db_script(cx, table) != RV_OK)
        return -1;
    rv_db_close(cx); /* a session knows the types there were when it was opened */
    return rv_db_open(cx, &options) == RV_OK ? 0 : -1;
}

int close_db(void **state)
{
    rv_db_close(*state);
    return close_ctx(state);
}

int64_t count(struct rv_ctx *cx)
{
    struct thing found = { 0 };

    assert_ok(cx, rv_db_one(cx, &sql_count, rv_nothing, rv_out(thing, &found)));
    assert_ok(cx, rv_db_commit(cx));
    return found.count;
}
