#include "look.h"

#include <stdlib.h>

#include "runtime/db.h"
#include "support/rv_test.h"

struct one_number {
    int64_t value;
};
static const struct rv_field one_number_fields[] = { RV_INT(one_number, value, 0) };
static RV_RECORD(one_number, one_number_fields);

/* A session for one statement: tests look rarely. */
static void open_db(struct rv_ctx *cx, struct rv_db_options *options)
{
    *options = (struct rv_db_options){ RV_DB_DEFAULTS, .url = getenv("REEVE_POSTGRES_URL"),
                                       .name = "test" };
    rv_ctx_init(cx);
    assert_ok(cx, rv_db_open(cx, options));
    assert_ok(cx, rv_db_script(cx, "SET enable_hashjoin = on; SET enable_seqscan = on")); /* sums */
}

static void close_db(struct rv_ctx *cx)
{
    rv_db_close(cx);
    rv_ctx_release(cx);
}

int64_t number(const char *sql)
{
    struct rv_sql statement = { .name = "number", .text = sql };
    struct one_number found = { 0 };
    struct rv_db_options options;
    struct rv_ctx cx;

    open_db(&cx, &options);
    assert_ok(&cx, rv_db_one(&cx, &statement, rv_nothing, rv_out(one_number, &found)));
    close_db(&cx);
    return found.value;
}

void run_sql(const char *sql)
{
    struct rv_db_options options;
    struct rv_ctx cx;

    open_db(&cx, &options);
    assert_ok(&cx, rv_db_script(&cx, sql));
    close_db(&cx);
}
