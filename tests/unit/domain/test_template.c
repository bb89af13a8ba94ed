#include "domain/template.h"

#include <stdio.h>

#include "support/rv_test.h"

static bool add(void *arg, const struct template_part *part)
{
    char *out = arg;
    size_t len = strlen(out);

    snprintf(out + len, 200 - len, part->expression ? "<%.*s>" : "%.*s", (int)part->len,
             part->text);
    return true;
}

static bool stop_at_once(void *arg, const struct template_part *part)
{
    ++*(int *)arg;
    return false;
}

static void gives_words_and_expressions_in_order(void **state)
{
    static const struct {
        const char *text, *parts;
        bool ok;
    } rows[] = {
        { "", "", true },
        { "plain", "plain", true },
        { "${{ input.topic }}", "<input.topic>", true },
        { "a ${{x}} b ${{ y }}c", "a <x> b <y>c", true },
        { "${{}}", "<>", true },
        { "$ {{ }} }} {", "$ {{ }} }} {", true },
        { "${{ a }}}", "<a>}", true },
        { "begin ${{ never", "begin ", false },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char parts[200] = "";

        assert_int_equal(template_each(rows[i].text, add, parts), rows[i].ok);
        assert_string_equal(parts, rows[i].parts);
    }
}

static void stops_when_told(void **state)
{
    int n = 0;

    assert_true(template_each("a ${{ b }} c", stop_at_once, &n));
    assert_int_equal(n, 1);
}

static void knows_when_the_whole_is_one_expression(void **state)
{
    struct template_part part;

    assert_true(template_is_one("${{ steps.a.output }}", &part));
    assert_memory_equal(part.text, "steps.a.output", part.len);
    assert_int_equal(part.len, 14);
    assert_false(template_is_one("${{ a }} ", &part));
    assert_false(template_is_one("${{ a }}${{ b }}", &part));
    assert_false(template_is_one("${{", &part));
    assert_false(template_is_one("${{}", &part));
    assert_false(template_is_one("${{ a }}}", &part));
}

static void takes_paths_and_nothing_else(void **state)
{
    static const struct {
        const char *text;
        bool ok;
    } rows[] = {
        { "input", true },
        { "steps.read.output.items[0].text", true },
        { "a[\"b c\"]", true },
        { "a-b_c.d", true },
        { "", false },
        { ".a", false },
        { "a.", false },
        { "a..b", false },
        { "a[", false },
        { "a[]", false },
        { "a[x]", false },
        { "a[-1]", false },
        { "a[1234567890]", false },
        { "a[\"\"]", false },
        { "a b", false },
        { "a+b", false },
        { "a[\"b]", false },
        { "[0]", false },
    };
    char longer[300];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (template_path_ok(rows[i].text, strlen(rows[i].text)) != rows[i].ok)
            fail_msg("%s", rows[i].text);
    memset(longer, 'a', sizeof(longer));
    assert_true(template_path_ok(longer, 256));
    assert_false(template_path_ok(longer, 257));
}

static void knows_which_step_a_path_is_about(void **state)
{
    const char *node_id;
    size_t len;

    assert_true(template_step("steps.read.output", 17, &node_id, &len));
    assert_int_equal(len, 4);
    assert_memory_equal(node_id, "read", 4);
    assert_false(template_step("input.steps", 11, &node_id, &len));
    assert_false(template_step("steps.", 6, &node_id, &len));
    assert_false(template_step("steps", 5, &node_id, &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(gives_words_and_expressions_in_order),   RV_TEST(stops_when_told),
        RV_TEST(knows_when_the_whole_is_one_expression), RV_TEST(takes_paths_and_nothing_else),
        RV_TEST(knows_which_step_a_path_is_about),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
