#pragma once

/* What the tests of db.c keep: a table of things with every kind of column, fresh for each test. */

#include "support/rv_test.h"

#include "base/id.h"
#include "base/time.h"
#include "runtime/db.h"
#include "support/stack.h"

struct thing {
    const char *thing_id, *title, *body;
    int64_t count;
    double weight;
    bool is_good;
    struct rv_bytes raw;
    const char **tags;
    size_t n_tags;
};
extern const struct rv_record thing_record;

extern const struct rv_sql sql_add, sql_add_all, sql_find, sql_list, sql_count, sql_series,
    sql_sleep, sql_end_session, sql_odd_column, sql_tenant, sql_lock, sql_who, sql_add_rows,
    sql_rows_of_nobody, sql_rows_too_wide, sql_rows_of_another_kind;

extern struct stack stack;
extern struct rv_db_options options;

int start(void **state);
int stop(void **state);
int open_db(void **state);
int close_db(void **state);
int64_t count(struct rv_ctx *cx);

#define DB_TEST(function) cmocka_unit_test_setup_teardown(function, open_db, close_db)
