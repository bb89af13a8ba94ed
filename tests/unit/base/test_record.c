#include "support/rv_test.h"

#include "base/record.h"

#define SIZES(X)                                                                                   \
    X(SIZE_SMALL, 1, "small")                                                                      \
    X(SIZE_LARGE, 2, "large")
RV_ENUM_DECLARE(size_word, SIZES)
RV_ENUM_DEFINE(size_word, SIZES)

struct part {
    int64_t number;
};
static const struct rv_field part_fields[] = { RV_INT(part, number, RV_REQUIRED) };
static RV_RECORD(part, part_fields);

/* The flags stand between the others, so that a wrong offset hits something else. */
struct whole {
    bool first;
    const char *text;
    bool is_good;
    const char *uuid, *json;
    struct rv_bytes bytes;
    int64_t number;
    double weight;
    enum size_word size;
    size_t n_words, n_parts;
    const char **words;
    struct part *one, *parts;
    bool last;
};
static const struct rv_field whole_fields[] = {
    RV_TEXT(whole, text, RV_REQUIRED),
    RV_UUID(whole, uuid, 0),
    RV_JSON(whole, json, 0),
    RV_BYTES(whole, bytes, RV_SECRET),
    RV_INT(whole, number, RV_READONLY),
    RV_DOUBLE(whole, weight, 0),
    RV_BOOL(whole, is_good, 0),
    RV_ENUM(whole, size, size_word, 0),
    RV_TEXTS(whole, words, 0),
    RV_SUB(whole, one, part, 0),
    RV_LIST(whole, parts, part, 0),
};
static RV_RECORD(whole, whole_fields);

/* Each row: its kind, where the struct has it, and a value that sets it. */
static const char *some_words[] = { "a", "b" };
static struct part some_parts[2];
static const struct whole full = {
    .text = "",
    .uuid = "u",
    .json = "null",
    .bytes = { (const uint8_t *)"x", 1 },
    .number = -1,
    .weight = 0.5,
    .is_good = true,
    .size = SIZE_LARGE,
    .words = some_words,
    .n_words = 2,
    .one = &some_parts[0],
    .parts = some_parts,
    .n_parts = 2,
};
static const struct {
    const char *name;
    enum rv_kind kind;
    size_t offset, size, count_offset; /* count_offset 0: there is no count */
} rows[] = {
#define ROW(member, kind) #member, kind, offsetof(struct whole, member), sizeof(full.member)
    { ROW(text, RV_KIND_TEXT), 0 },
    { ROW(uuid, RV_KIND_UUID), 0 },
    { ROW(json, RV_KIND_JSON), 0 },
    { ROW(bytes, RV_KIND_BYTES), 0 },
    { ROW(number, RV_KIND_INT), 0 },
    { ROW(weight, RV_KIND_DOUBLE), 0 },
    { ROW(is_good, RV_KIND_BOOL), 0 },
    { ROW(size, RV_KIND_ENUM), 0 },
    { ROW(words, RV_KIND_TEXTS), offsetof(struct whole, n_words) },
    { ROW(one, RV_KIND_RECORD), 0 },
    { ROW(parts, RV_KIND_LIST), offsetof(struct whole, n_parts) },
};
enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

static void a_table_says_kind_and_place_of_each_field(void **state)
{
    assert_string_equal(whole_record.name, "whole");
    assert_int_equal(whole_record.size, sizeof(struct whole));
    assert_int_equal(whole_record.field_count, N_ROWS);
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct rv_field *field = rv_record_field(&whole_record, rows[i].name);

        assert_ptr_equal(field, &whole_fields[i]);
        assert_int_equal(field->kind, rows[i].kind);
        assert_int_equal(field->offset, rows[i].offset);
        assert_int_equal(field->count_offset, rows[i].count_offset);
    }
    assert_int_equal(rv_record_field(&whole_record, "bytes")->flags, RV_SECRET);
    assert_ptr_equal(rv_record_field(&whole_record, "size")->values, &size_word_enum);
    assert_ptr_equal(rv_record_field(&whole_record, "one")->element, &part_record);
    assert_ptr_equal(rv_record_field(&whole_record, "parts")->element, &part_record);
}

static void nobody_has_a_field_of_another_name(void **state)
{
    static const char *const names[] = { "", "tex", "text_", "Text", "n_words", "first" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_null(rv_record_field(&whole_record, names[i]));
}

/* Each field alone, carried from a struct that has all into one that has none. */
static void a_field_is_set_alone(void **state)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct rv_field *field = &whole_fields[i];
        struct whole one = { 0 };

        assert_true(rv_field_is_set(field, &full));
        assert_false(rv_field_is_set(field, &one));
        memcpy(rv_field_at(field, &one), rv_field_in(field, &full), rows[i].size);
        if (rows[i].count_offset)
            *rv_field_count_at(field, &one) = rv_field_count_in(field, &full);
        for (size_t k = 0; k < N_ROWS; k++)
            assert_int_equal(rv_field_is_set(&whole_fields[k], &one), k == i);
        assert_false(one.first || one.last);
    }
}

static void a_list_without_items_is_not_set(void **state)
{
    struct whole empty = { .words = some_words, .parts = some_parts };

    assert_false(rv_field_is_set(rv_record_field(&whole_record, "words"), &empty));
    assert_false(rv_field_is_set(rv_record_field(&whole_record, "parts"), &empty));
    assert_int_equal(rv_field_count_in(rv_record_field(&whole_record, "parts"), &full), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(a_table_says_kind_and_place_of_each_field),
        RV_TEST(nobody_has_a_field_of_another_name),
        RV_TEST(a_field_is_set_alone),
        RV_TEST(a_list_without_items_is_not_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
