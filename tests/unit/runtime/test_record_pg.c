#include "support/rv_test.h"

#include "runtime/record_pg.h"

#define COLOURS(X)                                                                                 \
    X(RED, 1, "red")                                                                               \
    X(GREEN, 2, "green")
RV_ENUM_DECLARE(colour, COLOURS)
RV_ENUM_DEFINE(colour, COLOURS)

struct part {
    const char *name;
    int64_t size;
};
static const struct rv_field part_fields[] = { RV_TEXT(part, name, 0), RV_INT(part, size, 0) };
static RV_RECORD(part, part_fields);

struct whole {
    const char *text, *id, *json;
    struct rv_bytes bytes;
    int64_t count;
    double weight;
    bool good;
    enum colour colour;
    const char **tags;
    size_t n_tags;
    struct part *main;
    struct part *parts;
    size_t n_parts;
};
static const struct rv_field whole_fields[] = {
    RV_TEXT(whole, text, 0),        RV_UUID(whole, id, 0),
    RV_JSON(whole, json, 0),        RV_BYTES(whole, bytes, 0),
    RV_INT(whole, count, 0),        RV_DOUBLE(whole, weight, 0),
    RV_BOOL(whole, good, 0),        RV_ENUM(whole, colour, colour, 0),
    RV_TEXTS(whole, tags, 0),       RV_SUB(whole, main, part, 0),
    RV_LIST(whole, parts, part, 0),
};
static RV_RECORD(whole, whole_fields);

enum { N_FIELDS = sizeof(whole_fields) / sizeof(whole_fields[0]) };

/* Every field as a parameter. */
static struct rv_sql all_of(enum rv_sql_form form)
{
    struct rv_sql sql = { .name = "all", .param_count = N_FIELDS };

    for (int i = 0; i < N_FIELDS; i++)
        sql.params[i] = (struct rv_sql_param){ whole_fields[i].name, form };
    return sql;
}

static struct whole full(void)
{
    static const uint8_t bytes[] = { 0x00, 0xab, 0x5c };
    static const char *tags[] = { "a", "b \"c\"", NULL, "NULL", "" };
    static struct part parts[] = { { "x", 1 }, { "y", 2 } };

    return (struct whole){ .text = "it's {a,\"b\\\"}",
                           .id = "id",
                           .json = "{\"a\":1}",
                           .bytes = { bytes, 3 },
                           .count = INT64_MIN,
                           .weight = 0.1,
                           .good = true,
                           .colour = GREEN,
                           .tags = tags,
                           .n_tags = 5,
                           .main = parts,
                           .parts = parts,
                           .n_parts = 2 };
}

static void assert_params(struct rv_ctx *cx, enum rv_sql_form form, struct rv_in in,
                          const char *const *expected)
{
    struct rv_sql sql = all_of(form);
    struct rv_pg_params params;
    struct rv_pg_text text = { 0 };

    assert_ok(cx, rv_pg_params(cx, &sql, in, NULL, &text, &params));
    for (int i = 0; i < N_FIELDS; i++) {
        if (expected[i])
            assert_string_equal(params.values[i], expected[i]);
        else
            assert_null(params.values[i]);
    }
    rv_pg_text_release(&text);
}

static void writes_every_kind(void **state)
{
    static const char *const expected[] = {
        "it's {a,\"b\\\"}",
        "id",
        "{\"a\":1}",
        "\\x00ab5c",
        "-9223372036854775808",
        "0.10000000000000001",
        "t",
        "green",
        "{\"a\",\"b \\\"c\\\"\",NULL,\"NULL\",\"\"}",
        "{\"name\":\"x\",\"size\":1}",
        "[{\"name\":\"x\",\"size\":1},{\"name\":\"y\",\"size\":2}]",
    };
    struct whole whole = full();

    assert_params(*state, RV_SQL_ONE, rv_in(whole, &whole), expected);
}

static void writes_what_is_not_set(void **state)
{
    static const char *const expected[] = { NULL, NULL, NULL, NULL, "0", "0",
                                            "f",  NULL, "{}", NULL, "[]" };
    struct whole whole = { 0 };

    assert_params(*state, RV_SQL_ONE, rv_in(whole, &whole), expected);
}

static void writes_an_array_of_every_kind(void **state)
{
    static const char *const expected[] = {
        "{\"it's {a,\\\"b\\\\\\\"}\",NULL}",
        "{\"id\",NULL}",
        "{\"{\\\"a\\\":1}\",NULL}",
        "{\"\\\\x00ab5c\",NULL}",
        "{-9223372036854775808,0}",
        "{0.10000000000000001,0}",
        "{t,f}",
        "{\"green\",NULL}",
        "{\"{\\\"a\\\",\\\"b \\\\\\\"c\\\\\\\"\\\",NULL,\\\"NULL\\\",\\\"\\\"}\",\"{}\"}",
        "{\"{\\\"name\\\":\\\"x\\\",\\\"size\\\":1}\",NULL}",
        ("{\"[{\\\"name\\\":\\\"x\\\",\\\"size\\\":1},"
         "{\\\"name\\\":\\\"y\\\",\\\"size\\\":2}]\",\"[]\"}"),
    };
    struct whole wholes[] = { full(), { 0 } };

    assert_params(*state, RV_SQL_ARRAY, rv_in_many(whole, wholes, 2), expected);
}

static void writes_empty_arrays_of_nothing(void **state)
{
    static const char *const expected[] = { "{}", "{}", "{}", "{}", "{}", "{}",
                                            "{}", "{}", "{}", "{}", "{}" };
    struct whole none[1];

    assert_params(*state, RV_SQL_ARRAY, rv_in_many(whole, none, 0), expected);
}

static void says_which_parameter_nobody_has(void **state)
{
    const struct rv_sql sql = { .name = "s",
                                .params = { { "nobody", RV_SQL_ONE } },
                                .param_count = 1 };
    struct rv_pg_params params;
    struct rv_pg_text text = { 0 };
    struct whole whole = { 0 };

    assert_fails((struct rv_ctx *)*state,
                 rv_pg_params(*state, &sql, rv_in(whole, &whole), NULL, &text, &params),
                 RV_INTERNAL, "s wants :nobody and whole has none");
    assert_fails((struct rv_ctx *)*state,
                 rv_pg_params(*state, &sql, rv_nothing, NULL, &text, &params), RV_INTERNAL,
                 "s wants :nobody and nothing has none");
}

/* One row as Postgres would answer it; a NULL cell is a NULL. */
static PGresult *answer(int n, const char *const *columns, const char *const *cells)
{
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc attributes[N_FIELDS + 1] = { 0 };

    for (int i = 0; i < n; i++)
        attributes[i].name = (char *)(uintptr_t)columns[i];
    assert_true(PQsetResultAttrs(result, n, attributes));
    for (int i = 0; i < n; i++)
        assert_true(PQsetvalue(result, 0, i, (char *)(uintptr_t)cells[i],
                               cells[i] ? (int)strlen(cells[i]) : -1));
    return result;
}

static enum rv_status read_one(struct rv_ctx *cx, const PGresult *result, struct whole *whole)
{
    struct rv_rows rows = { 0 };
    enum rv_status status = rv_pg_rows(cx, "s", result, &whole_record, &rows);

    *whole = (struct whole){ 0 };
    if (status == RV_OK)
        memcpy(whole, rows.items, sizeof(*whole));
    return status;
}

static void reads_every_kind(void **state)
{
    static const char *const columns[] = { "text", "id",     "json", "bytes", "count", "weight",
                                           "good", "colour", "tags", "main",  "parts" };
    static const char *const cells[] = {
        "it's",
        "id",
        "{\"a\": 1}",
        "\\x00ab5c",
        "-9223372036854775808",
        "0.1",
        "t",
        "green",
        "{a,\"b \\\"c\\\\\",NULL,\"NULL\",\"\"}",
        "{\"name\": \"x\", \"size\": 1}",
        "[{\"name\": \"x\"}, {\"size\": 2}]",
    };
    PGresult *result = answer(N_FIELDS, columns, cells);
    struct whole got;

    assert_ok((struct rv_ctx *)*state, read_one(*state, result, &got));
    assert_string_equal(got.text, "it's");
    assert_string_equal(got.json, "{\"a\": 1}");
    assert_int_equal(got.bytes.len, 3);
    assert_memory_equal(got.bytes.data, "\x00\xab\x5c", 3);
    assert_true(got.count == INT64_MIN && got.weight == 0.1 && got.good && got.colour == GREEN);
    assert_int_equal(got.n_tags, 5);
    assert_string_equal(got.tags[0], "a");
    assert_string_equal(got.tags[1], "b \"c\\");
    assert_null(got.tags[2]);
    assert_string_equal(got.tags[3], "NULL");
    assert_string_equal(got.tags[4], "");
    assert_string_equal(got.main->name, "x");
    assert_int_equal(got.n_parts, 2);
    assert_int_equal(got.parts[1].size, 2);
    PQclear(result);
}

static void leaves_what_has_no_column_unset(void **state)
{
    static const char *const columns[] = { "count", "text", "tags", "bytes" };
    static const char *const cells[] = { "7", NULL, "{}", "\\x" };
    PGresult *result = answer(4, columns, cells);
    struct whole got;

    assert_ok((struct rv_ctx *)*state, read_one(*state, result, &got));
    assert_int_equal(got.count, 7);
    assert_null(got.text);
    assert_int_equal(got.n_tags, 0);
    assert_int_equal(got.bytes.len, 0);
    assert_null(got.main);
    PQclear(result);
}

static void refuses_what_does_not_fit(void **state)
{
    static const struct {
        const char *column, *cell, *why;
    } bad[] = {
        { "nobody", "1", "s: column nobody is not a field of whole" },
        { "count", "1.5", "s: column count is not a whole number" },
        { "weight", "heavy", "s: column weight is not a number" },
        { "colour", "blue", "s: column colour is not a word of its enum" },
        { "bytes", "abc", "s: column bytes is not a bytea" },
        { "tags", "a", "s: column tags is not a text[]" },
        { "tags", "{{a},{b}}", "s: column tags is an array of arrays" },
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        PGresult *result = answer(1, &bad[i].column, &bad[i].cell);
        struct whole got;

        assert_fails((struct rv_ctx *)*state, read_one(*state, result, &got), RV_INTERNAL,
                     bad[i].why);
        PQclear(result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(writes_every_kind),
        RV_TEST(writes_what_is_not_set),
        RV_TEST(writes_an_array_of_every_kind),
        RV_TEST(writes_empty_arrays_of_nothing),
        RV_TEST(says_which_parameter_nobody_has),
        RV_TEST(reads_every_kind),
        RV_TEST(leaves_what_has_no_column_unset),
        RV_TEST(refuses_what_does_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
