#include "domain/template.h"

#include <stdio.h>

#include "support/rv_test.h"

static void join(void *arg, const char *text)
{
    char *out = arg;
    size_t len = strlen(out);

    snprintf(out + len, 200 - len, "<%s>", text);
}

static void finds_the_strings_of_json_that_are_templates(void **state)
{
    static const struct {
        const char *json, *found;
    } rows[] = {
        { "1", "" },
        { "\"plain\"", "" },
        { "\"${{ input.topic }}\"", "<${{ input.topic }}>" },
        { "{\"a\":[\"${{ x }}\",{\"b\":\"y ${{ z }}\"}]}", "<${{ x }}><y ${{ z }}>" },
        { "{\"${{ key }}\" : \"${{ value }}\"}", "<${{ value }}>" }, /* names are names */
        { "\"${{ input[\\\"a b\\\"] }}\"", "<${{ input[\"a b\"] }}>" },
        { "[\"\\\\\",\"${{ a }}\\n\\u00e9\\ud83d\\ude00\\/\"]",
          "<${{ a }}\n\xc3\xa9\xf0\x9f\x98\x80/>" },
    };
    struct rv_ctx *cx = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char found[200] = "";

        template_each_in_json(cx, rows[i].json, join, found);
        assert_string_equal(found, rows[i].found);
    }
}

static void knows_a_template(void **state)
{
    assert_true(template_is("a ${{ b }}"));
    assert_true(template_is("a ${{ never"));
    assert_false(template_is("$ {{ b }}"));
    assert_false(template_is(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(finds_the_strings_of_json_that_are_templates),
        RV_TEST(knows_a_template),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
