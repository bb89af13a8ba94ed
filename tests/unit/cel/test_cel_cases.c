/* Every line of tests/data/cel is true: as it stands, unfolded, and printed and read again. */

#include "support/rv_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "ask.h"
#include "base/hash.h"
#include "wire.h"

static const char *const themes[] = {
    "bindings_ext", "bytes",       "conversions", "durations",  "encoders_ext", "equality",
    "format",       "has",         "hostile",     "lists",      "lists_ext",    "literals",
    "logic",        "macros",      "macros_two",  "maps",       "math_ext",     "names",
    "numbers",      "operators",   "optionals",   "order",      "regex",        "sets_ext",
    "strings",      "strings_ext", "templates",   "timestamps", "types",        "zones",
};

enum { N_THEMES = sizeof(themes) / sizeof(themes[0]), CASES_LEAST = 600, WEIGHT_MOST = 10000 };

enum way { AS_IT_STANDS, UNFOLDED, PRINTED, WAYS };

static struct rv_zones *zones;
static struct rv_hash *names;

static int open_zones(void **state)
{
    zones = rv_zones_new(NULL);
    names = rv_hash_new();
    return 0;
}

static int close_zones(void **state)
{
    rv_zones_free(zones);
    rv_hash_free(names, NULL);
    return 0;
}

static bool same(json_t *want, json_t *got);

static bool same_lists(json_t *want, json_t *got)
{
    json_t *item;
    size_t i;

    if (json_array_size(want) != json_array_size(got))
        return false;
    json_array_foreach(want, i, item)
    {
        if (!same(item, json_array_get(got, i)))
            return false;
    }
    return true;
}

/* The entries of a map come in any order, and no key twice. */
static bool same_entries(json_t *want, json_t *got)
{
    json_t *entry, *other;
    size_t i, j;

    if (json_array_size(want) != json_array_size(got))
        return false;
    json_array_foreach(want, i, entry)
    {
        bool found = false;

        json_array_foreach(got, j, other)
        {
            found = found || same(entry, other);
        }
        if (!found)
            return false;
    }
    return true;
}

static bool same_objects(json_t *want, json_t *got)
{
    json_t *value;
    const char *key;

    if (json_object_size(want) != json_object_size(got))
        return false;
    json_object_foreach(want, key, value)
    {
        json_t *other = json_object_get(got, key);

        if (strcmp(key, "entries") == 0 ? !same_entries(value, other) : !same(value, other))
            return false;
    }
    return true;
}

static bool same(json_t *want, json_t *got)
{
    if (json_is_object(want) && json_is_object(got))
        return same_objects(want, got);
    if (json_is_array(want) && json_is_array(got))
        return same_lists(want, got);
    return json_equal(want, got);
}

/* What came of a case: a value, or why there is none. */
struct outcome {
    json_t *value;
    const char *error;
    bool refused; /* before it ran */
};

static struct outcome refused(struct rv_ctx *cx)
{
    return (struct outcome){ .error = rv_strdup(cx, cx->error.text), .refused = true };
}

static struct outcome run(struct rv_ctx *cx, json_t *json, enum way way)
{
    struct ask *ask = ask_read(cx, zones, json);
    const struct cel_program *program;
    struct outcome outcome = { 0 };
    struct cel_facts facts;
    struct cel_value value;
    int64_t cost;

    ask->env.unfolded = way == UNFOLDED;
    if (ask->wrong)
        return (struct outcome){ .error = ask->wrong, .refused = true };
    if (ask->unsupported)
        return (struct outcome){ .error = ask->unsupported };
    if (ask_compile(cx, ask, &program) != RV_OK)
        return refused(cx);
    if (way == PRINTED && !ask->template) {
        ask->expr = cel_format(cx, program);
        ask->len = strlen(ask->expr);
        if (ask_compile(cx, ask, &program) != RV_OK)
            return refused(cx);
    }
    value = cel_eval_cost(cx, program, ask->values, &cost);
    cel_facts(cx, program, WEIGHT_MOST, &facts);
    if (cost > facts.cost_most)
        return (struct outcome){ .error = "costs more than its facts tell" };
    if (value.kind == CEL_ERROR)
        outcome.error = cel_error_text(cx, program, value);
    else
        outcome.value = rv_json_own(cx, wire_write_value(cx, value));
    return outcome;
}

static bool is_true(json_t *json, const char *key)
{
    return json_is_true(json_object_get(json, key));
}

/* Whether the case says that this would come of it. */
static bool as_said(json_t *json, const struct outcome *outcome)
{
    if (is_true(json, "any"))
        return outcome->error || outcome->value;
    if (is_true(json, "error"))
        return outcome->error;
    if (is_true(json, "check_error"))
        return outcome->error && outcome->refused;
    return outcome->value && same(json_object_get(json, "value"), outcome->value);
}

/* How many ways do not do what the case says. */
static int try(struct rv_ctx *cx, json_t *json)
{
    static const char *const words[WAYS] = { "as it stands", "unfolded", "printed" };
    const char *name = json_string_value(json_object_get(json, "name"));
    int bad = 0;

    if (!name || rv_hash_put(names, name, (void *)1)) {
        print_error("a name is missing or comes twice: %s\n", name ? name : "");
        bad++;
    }
    for (enum way way = AS_IT_STANDS; way < WAYS; way++) {
        struct outcome outcome = run(cx, json, way);

        if (as_said(json, &outcome))
            continue;
        print_error("%s (%s): %.200s\n  gives %.300s\n", name, words[way],
                    json_string_value(json_object_get(json, "expr")),
                    outcome.error ? outcome.error : rv_json_text(cx, outcome.value));
        bad++;
    }
    return bad;
}

static void means_what_its_cases_say(void **state)
{
    char *line = NULL, path[1024];
    size_t room = 0;
    struct rv_ctx cx;
    int bad = 0;
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s.jsonl", CASES, (const char *)*state);
    file = fopen(path, "r");
    assert_non_null(file);
    rv_ctx_init(&cx);
    while (getline(&line, &room, file) > 0) {
        json_t *json = json_loads(line, JSON_ALLOW_NUL, NULL);

        if (!json)
            fail_msg("no JSON in %s: %.80s", path, line);
        bad += try(&cx, rv_json_own(&cx, json));
        rv_ctx_reset(&cx);
    }
    rv_ctx_release(&cx);
    free(line);
    fclose(file);
    assert_int_equal(bad, 0);
}

static void there_are_many_cases_and_no_name_comes_twice(void **state)
{
    assert_true(rv_hash_count(names) >= CASES_LEAST);
}

int main(void)
{
    struct CMUnitTest tests[N_THEMES + 1] = { 0 };

    for (size_t i = 0; i < N_THEMES; i++) {
        tests[i] = (struct CMUnitTest){ .name = themes[i], .test_func = means_what_its_cases_say };
        memcpy(&tests[i].initial_state, &themes[i], sizeof(themes[i]));
    }
    tests[N_THEMES] =
        (struct CMUnitTest)cmocka_unit_test(there_are_many_cases_and_no_name_comes_twice);
    return cmocka_run_group_tests_name("cel", tests, open_zones, close_zones);
}
