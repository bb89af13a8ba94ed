#include "unit/cel/cel_test.h"

/* A record with every kind of field. */
struct part {
    const char *name;
    int64_t weight;
};
static const struct rv_field part_fields[] = { RV_TEXT(part, name, 0), RV_INT(part, weight, 0) };
static RV_RECORD(part, part_fields);

struct machine {
    const char *machine_id;
    double cost_usd;
    bool on;
    int64_t hours;
    struct rv_bytes key;
    const char **tags;
    size_t n_tags;
    struct part *engine;
    struct part *parts;
    size_t n_parts;
};
static const struct rv_field machine_fields[] = {
    RV_TEXT(machine, machine_id, 0),  RV_DOUBLE(machine, cost_usd, 0),  RV_BOOL(machine, on, 0),
    RV_INT(machine, hours, 0),        RV_BYTES(machine, key, 0),        RV_TEXTS(machine, tags, 0),
    RV_SUB(machine, engine, part, 0), RV_LIST(machine, parts, part, 0),
};
static RV_RECORD(machine, machine_fields);

static const char *words[] = { "red", "fast" };
static struct part parts[] = { { "wheel", 3 }, { NULL, 4 } };
static const struct machine machine = {
    .machine_id = "m1",
    .cost_usd = 1.5,
    .hours = 7,
    .key = { (const uint8_t *)"\xff\x00", 2 },
    .tags = words,
    .n_tags = 2,
    .parts = parts,
    .n_parts = 2,
};

static const struct {
    const char *text, *value;
} questions[] = {
    { "a.machine_id", "\"m1\"" },
    { "a.cost_usd < 2.0", "true" },
    { "a.on", "false" },
    { "a.hours + 1", "8" },
    { "a.key == b'\\xff\\x00'", "true" },
    { "a.tags", "[\"red\",\"fast\"]" },
    { "a.tags[1]", "\"fast\"" },
    { "a.engine == null", "true" },
    { "a.parts.map(p, p.weight)", "[3,4]" },
    { "a.parts[1].name == null", "true" },
    { "has(a.hours)", "true" },
    { "has(a.on)", "false" },
    { "has(a.engine)", "false" },
    { "size(a)", "6" },
    { "a.all(k, k != 'on')", "true" },
    { "a['hours']", "7" },
    { "a.?hours.orValue(0)", "7" },
    { "a.parts[0] == {'name': 'wheel', 'weight': 3}", "true" },
};

static void records_are_looked_at_in_place(void **state)
{
    struct rv_ctx *cx = *state;
    struct cel_value values[] = { cel_record(cx, &machine_record, &machine), cel_none(),
                                  cel_none() };

    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
        assert_string_equal(eval_with(cx, questions[i].text, values), questions[i].value);
    assert_string_equal(eval_with(cx, "a.nothing", values), "error: 1:3: no such key: \"nothing\"");
}

static void declared_records_give_the_same_and_know_their_fields(void **state)
{
    struct rv_ctx *cx = *state;
    struct cel_variable variables[] = { { "a", cel_type_record(cx, &machine_record) }, { 0 } };
    struct cel_env env = { .variables = variables };
    struct cel_value value = cel_record(cx, &machine_record, &machine);

    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        const struct cel_program *program = compile_in(cx, &env, questions[i].text);

        assert_string_equal(shown(cx, program, cel_eval(cx, program, &value)), questions[i].value);
    }
    assert_string_equal(refusal(cx, &env, "a.nothing"), "1:3: machine has no field \"nothing\"");
    assert_string_equal(refusal(cx, &env, "a.hours + a.cost_usd"),
                        "1:9: no such overload: _+_(int, double)");
}

static void another_value_in_the_place_of_a_record_is_looked_at_by_name(void **state)
{
    struct rv_ctx *cx = *state;
    struct cel_variable variables[] = { { "a", cel_type_record(cx, &part_record) }, { 0 } };
    struct cel_env env = { .variables = variables };
    const struct cel_program *program = compile_in(cx, &env, "a.weight + 1");
    struct cel_pair pair = { cel_text("weight"), cel_int(1) };
    struct cel_value again, map = cel_map_of(cx, &pair, 1, &again), wrong = cel_int(3);

    assert_string_equal(shown(cx, program, cel_eval(cx, program, &map)), "2");
    assert_string_equal(shown(cx, program, cel_eval(cx, program, &wrong)),
                        "error: 1:3: int has no fields");
}

static void maps_find_many_keys_and_notice_twins(void **state)
{
    enum { KEYS = 500 };
    struct rv_ctx *cx = *state;
    struct cel_pair *pairs = rv_new_array(cx, struct cel_pair, KEYS + 1);
    struct cel_value again, map;

    for (int i = 0; i < KEYS; i++)
        pairs[i] =
            (struct cel_pair){ i % 2 ? cel_int(i) : cel_text(rv_printf(cx, "k%d", i)), cel_int(i) };
    map = cel_map_of(cx, pairs, KEYS, &again);
    assert_int_equal(again.kind, CEL_NONE);
    for (int i = 0; i < KEYS; i++)
        assert_int_equal(cel_map_get(cx, map.map, pairs[i].key).whole, i);
    assert_int_equal(cel_map_get(cx, map.map, cel_uint(7)).whole, 7);
    assert_int_equal(cel_map_get(cx, map.map, cel_double(7)).whole, 7);
    assert_int_equal(cel_map_get(cx, map.map, cel_double(7.5)).kind, CEL_NONE);
    assert_int_equal(cel_map_get(cx, map.map, cel_text("k7")).kind, CEL_NONE);
    pairs[KEYS] = (struct cel_pair){ cel_uint(9), cel_null() };
    cel_map_of(cx, pairs, KEYS + 1, &again);
    assert_int_equal(again.kind, CEL_UINT);
}

static void numbers_of_all_kinds_have_one_order(void **state)
{
    static const struct {
        struct cel_value less, more;
    } rows[] = {
        { { .kind = CEL_INT, .whole = -1 }, { .kind = CEL_UINT, .natural = 0 } },
        { { .kind = CEL_INT, .whole = INT64_MAX }, { .kind = CEL_UINT, .natural = 1ull << 63 } },
        { { .kind = CEL_INT, .whole = 1 }, { .kind = CEL_DOUBLE, .number = 1.5 } },
        { { .kind = CEL_DOUBLE, .number = -1e300 }, { .kind = CEL_INT, .whole = INT64_MIN } },
        { { .kind = CEL_UINT, .natural = UINT64_MAX }, { .kind = CEL_DOUBLE, .number = 1e300 } },
        { { .kind = CEL_DOUBLE, .number = -0.5 }, { .kind = CEL_UINT, .natural = 0 } },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(cel_compare(rows[i].less, rows[i].more), -1);
        assert_int_equal(cel_compare(rows[i].more, rows[i].less), 1);
    }
    assert_int_equal(cel_compare(cel_double(__builtin_nan("")), cel_int(1)), 2);
    assert_int_equal(cel_compare(cel_int(1), cel_text("1")), 2);
    assert_int_equal(cel_compare(cel_uint(3), cel_double(3)), 0);
}

static void values_are_json(void **state)
{
    static const struct {
        const char *text, *json;
    } rows[] = {
        { "{1: [null, true, 2u, 2.5], 'a\\n': {}}", "{\"1\":[null,true,2,2.5],\"a\\n\":{}}" },
        { "[0.0/0.0, 1.0/0.0]", "[\"NaN\",\"Infinity\"]" },
        { "b'hello'", "\"aGVsbG8=\"" },
        { "timestamp('2024-01-02T03:04:05.5Z')", "\"2024-01-02T03:04:05.5Z\"" },
        { "[duration('90s'), type(1)]", "[\"90s\",\"int\"]" },
        { "[optional.of(1), optional.none()]", "[1,null]" },
        { "'\\x00\\x7f\"'", "\"\\u0000\\u007f\\\"\"" },
    };
    struct rv_ctx *cx = *state;
    auto_buf json = { 0 };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(eval(cx, rows[i].text), rows[i].json);
    assert_false(cel_json(cx, cel_text("too long"), 5, &json));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(records_are_looked_at_in_place),
        RV_TEST(declared_records_give_the_same_and_know_their_fields),
        RV_TEST(another_value_in_the_place_of_a_record_is_looked_at_by_name),
        RV_TEST(maps_find_many_keys_and_notice_twins),
        RV_TEST(numbers_of_all_kinds_have_one_order),
        RV_TEST(values_are_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
