#include "support/rv_test.h"

#include "sql.h"

static void leaves_quotes_and_casts_alone(void **state)
{
    assert_string_equal(SQL_ODD_QUOTES.name, "odd_quotes");
    assert_string_equal(SQL_ODD_QUOTES.text,
                        "SELECT 'a :b; ''c'' -- d' AS \"we:ird; --\", e'x' \nFROM things");
    assert_int_equal(SQL_ODD_QUOTES.param_count, 0);
    assert_string_equal(SQL_ODD_NOTHING.text, "SELECT 1\n");
}

static void numbers_parameters(void **state)
{
    const struct rv_sql *sql = &SQL_ODD_PARAMS;

    assert_string_equal(sql->text, "SELECT $1::bigint, $1, unnest($2::bigint[]), x := $3, a[1:2], "
                                   "'{}'::text[]\nWHERE title = $3 AND $4 IS NULL");
    assert_int_equal(sql->param_count, 4);
    assert_string_equal(sql->params[0].name, "count");
    assert_int_equal(sql->params[0].form, RV_SQL_ONE);
    assert_string_equal(sql->params[1].name, "count");
    assert_int_equal(sql->params[1].form, RV_SQL_ARRAY);
    assert_string_equal(sql->params[2].name, "title");
    assert_string_equal(sql->params[3].name, "_under");
}

static void casts_rows_to_arrays_of_their_type(void **state)
{
    const struct rv_sql *sql = &SQL_ODD_ROWS;

    assert_string_equal(
        sql->text, "SELECT * FROM unnest($1::odd_row[]) AS n WHERE n.a * $2::bigint[] IS NULL");
    assert_int_equal(sql->param_count, 2);
    assert_string_equal(sql->params[0].name, "odd_row");
    assert_int_equal(sql->params[0].form, RV_SQL_ROWS);
    assert_int_equal(sql->params[1].form, RV_SQL_ARRAY);
}

static void lists_all_in_order(void **state)
{
    assert_int_equal(SQL_STATEMENT_COUNT, 4);
    for (int i = 0; i < SQL_STATEMENT_COUNT; i++)
        assert_int_equal(store_statements[i]->id, i);
    assert_null(store_statements[SQL_STATEMENT_COUNT]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(leaves_quotes_and_casts_alone),
        RV_TEST(numbers_parameters),
        RV_TEST(casts_rows_to_arrays_of_their_type),
        RV_TEST(lists_all_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
