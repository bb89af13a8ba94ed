#include "db_things.h"

#include <inttypes.h>

static struct thing *odd_things(struct rv_ctx *cx, size_t n)
{
    static const char *const texts[] = {
        "",          "plain", "it's",           "say \"no\"", "back\\slash", "line\nfeed\ttab\r",
        "{a,b}",     "NULL",  "ünï ☃ 🦉", "a, b ,c ",   " spaces ",    "\\\"",
        "$1 :x ::y", "\\x41", "\x01\x7f",       "%s",         "'; DROP --",  "[1]",
        "\\",        "\"",
    };
    enum { N = sizeof(texts) / sizeof(texts[0]) };
    struct thing *things = rv_new_array(cx, struct thing, n);

    for (size_t i = 0; i < n; i++) {
        const char **tags = rv_new_array(cx, const char *, 3);

        tags[0] = texts[(i + 1) % N];
        tags[1] = i % 3 ? texts[(i + 7) % N] : NULL;
        tags[2] = "NULL";
        things[i] = (struct thing){ .thing_id = rv_id_new(cx),
                                    .title = texts[i % N],
                                    .body = i % 5 ? "{\"a\": [\"\\\"\\\\\"]}" : NULL,
                                    .count = i % 7 ? (int64_t)i * 1000003 : INT64_MIN,
                                    .weight = (double)i / 3,
                                    .is_good = i % 2,
                                    .raw = { (const uint8_t *)things, i % 40 },
                                    .tags = tags,
                                    .n_tags = i % 4 };
    }
    return things;
}

static void assert_same_text(const char *a, const char *b)
{
    if (a && b)
        assert_string_equal(a, b);
    else
        assert_ptr_equal(a, b);
}

static void assert_same_thing(const struct thing *a, const struct thing *b)
{
    assert_string_equal(a->thing_id, b->thing_id);
    assert_string_equal(a->title, b->title);
    assert_same_text(a->body, b->body);
    assert_true(a->count == b->count);
    assert_true(a->weight == b->weight);
    assert_int_equal(a->is_good, b->is_good);
    assert_int_equal(a->raw.len, b->raw.len);
    assert_memory_equal(a->raw.data, b->raw.data, a->raw.len);
    assert_int_equal(a->n_tags, b->n_tags);
    for (size_t i = 0; i < a->n_tags; i++)
        assert_same_text(a->tags[i], b->tags[i]);
}

static void brings_back(struct rv_ctx *cx, const struct rv_sql *add)
{
    enum { N = 5000 };
    struct thing *things = odd_things(cx, N);
    struct rv_rows rows;

    assert_ok(cx, rv_db_exec(cx, add, rv_in_many(thing, things, N)));
    assert_ok(cx, rv_db_rows(cx, &sql_list, rv_nothing, &thing_record, &rows));
    assert_ok(cx, rv_db_commit(cx));
    assert_int_equal(rows.n, N);
    for (size_t i = 0; i < N; i++)
        assert_same_thing(&things[i], &((struct thing *)rows.items)[i]);
}

static void brings_back_odd_texts_as_they_were(void **state)
{
    brings_back(*state, &sql_add_all);
}

static void brings_back_rows_as_they_were(void **state)
{
    brings_back(*state, &sql_add_rows);
}

static void adds_nothing_from_no_records(void **state)
{
    struct rv_ctx *cx = *state;
    struct thing none[1];

    assert_ok(cx, rv_db_exec(cx, &sql_add_all, rv_in_many(thing, none, 0)));
    assert_ok(cx, rv_db_exec(cx, &sql_add_rows, rv_in_many(thing, none, 0)));
    assert_ok(cx, rv_db_commit(cx));
    assert_int_equal(count(cx), 0);
}

static void must_refuse(struct rv_ctx *cx, const struct rv_sql *sql, struct thing thing,
                        enum rv_status status, const char *words)
{
    assert_fails(cx, rv_db_exec(cx, sql, rv_in(thing, &thing)), status, words);
    rv_db_rollback(cx);
}

static void says_why_records_are_no_rows_of_a_type(void **state)
{
    struct rv_ctx *cx = *state;

    must_refuse(cx, &sql_rows_of_nobody, (struct thing){ 0 }, RV_INTERNAL,
                "rows_of_nobody wants rows of nobody, which the database does not have");
    must_refuse(cx, &sql_rows_too_wide, (struct thing){ 0 }, RV_INTERNAL,
                "thing_wide has a column nobody and thing has none");
    must_refuse(cx, &sql_rows_of_another_kind, (struct thing){ 0 }, RV_INTERNAL,
                "thing_odd.count is of another type than thing.count");
    must_refuse(cx, &sql_add_rows, (struct thing){ .thing_id = "x" }, RV_INVALID,
                "thing_id is not a UUID");
    assert_int_equal(count(cx), 0);
}

static void reads_many_rows_while_it_sends_many(void **state)
{
    enum { N = 100000 };
    struct rv_ctx *cx = *state;
    struct thing ask = { .count = N };
    struct rv_rows rows[4];

    for (size_t i = 0; i < 4; i++) {
        struct thing *things = odd_things(cx, 2000);

        assert_ok(cx, rv_db_read(cx, &sql_series, rv_in(thing, &ask), &thing_record, &rows[i]));
        assert_ok(cx, rv_db_exec(cx, &sql_add_all, rv_in_many(thing, things, 2000)));
    }
    assert_ok(cx, rv_db_commit(cx));
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(rows[i].n, N);
        assert_int_equal(((struct thing *)rows[i].items)[N - 1].count, N);
    }
    assert_int_equal(count(cx), 8000);
}

static void add_for_speed(struct rv_ctx *cx, const struct rv_sql *add)
{
    enum { N = 256, COMMITS = 40 };
    int64_t before = count(cx);
    int64_t began_ms = rv_monotonic_ms(), took_ms;

    for (size_t i = 0; i < COMMITS; i++) {
        assert_ok(cx, rv_db_exec(cx, add, rv_in_many(thing, odd_things(cx, N), N)));
        assert_ok(cx, rv_db_commit(cx));
        rv_ctx_reset(cx);
    }
    took_ms = rv_monotonic_ms() - began_ms;
    print_message("%s, %d rows a commit: %" PRId64 " rows/s\n", add->name, N,
                  N * COMMITS * 1000 / (took_ms + 1));
    assert_int_equal(count(cx) - before, N * COMMITS);
}

static void says_how_fast_it_is(void **state)
{
    add_for_speed(*state, &sql_add_all);
    add_for_speed(*state, &sql_add_rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(brings_back_odd_texts_as_they_were),     DB_TEST(brings_back_rows_as_they_were),
        DB_TEST(says_why_records_are_no_rows_of_a_type), DB_TEST(adds_nothing_from_no_records),
        DB_TEST(reads_many_rows_while_it_sends_many),    DB_TEST(says_how_fast_it_is),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
