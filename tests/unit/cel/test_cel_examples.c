/* The examples in the headers, compiled and run as they stand there. */

#include "unit/cel/cel_test.h"

static rv_result example(struct rv_ctx *cx, const char *text, struct cel_value tags,
                         struct cel_value *out)
{
    static const struct cel_variable variables[] = { { "cost", NULL }, { "tags", NULL }, { 0 } };
    static const struct cel_env env = { .variables = variables };
    const struct cel_program *program;
    struct cel_value values[] = { cel_double(1.5), tags }, value;

    RV_TRY(cx, cel_compile(cx, &env, text, strlen(text), &program));
    value = cel_eval(cx, program, values);
    if (value.kind == CEL_ERROR)
        return rv_fail(cx, RV_UNPROCESSABLE, "%s", cel_error_text(cx, program, value));
    *out = value;
    return RV_OK;
}

static CEL_FUNCTION(text_size)
{
    return cel_int(args[0].len);
}

static const struct cel_function functions[] = {
    { "textSize", CEL_BOTH, "s:i", text_size, false },
    { 0 },
};

static void an_expression_is_compiled_and_evaluated(void **state)
{
    struct rv_ctx *cx = *state;
    struct cel_value items[] = { cel_text("a") }, tags = cel_list_of(cx, items, 1), value;

    assert_ok(cx, example(cx, "cost < 2.0 && 'a' in tags", tags, &value));
    assert_true(value.kind == CEL_BOOL && value.truth);
    assert_int_equal(example(cx, "tags[1]", tags, &value), RV_UNPROCESSABLE);
    assert_string_equal(cx->error.text, "1:5: no such index or key: 1");
    assert_int_equal(example(cx, "tags +", tags, &value), RV_INVALID);
}

static void a_host_has_functions_of_its_own(void **state)
{
    static const struct cel_env env = { .functions = functions };
    struct rv_ctx *cx = *state;
    const struct cel_program *program = compile_in(cx, &env, "textSize('ab') + 'ü'.textSize()");

    assert_string_equal(shown(cx, program, cel_eval(cx, program, NULL)), "4");
}

/* The lines of the file, without what they begin with in a comment or a block. */
static const char *lines_of(struct rv_ctx *cx, const char *path)
{
    struct rv_buf lines = { .arena = cx->arena };
    FILE *file = fopen(path, "r");
    char line[1024];

    assert_non_null(file);
    while (fgets(line, sizeof(line), file))
        rv_buf_text(&lines, line + strspn(line, " *"));
    fclose(file);
    return lines.data;
}

static void the_headers_say_what_is_compiled_here(void **state)
{
    static const struct {
        const char *header, *first, *last;
    } rows[] = {
        { CEL_DIR "/cel.h", "static const struct cel_variable",
          "cel_error_text(cx, program, value));" },
        { CEL_DIR "/function.h", "static CEL_FUNCTION(text_size)", "{ 0 },\n};" },
    };
    struct rv_ctx *cx = *state;
    const char *source = lines_of(cx, SOURCE);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *from = strstr(lines_of(cx, rows[i].header), rows[i].first);
        const char *to = from ? strstr(from, rows[i].last) : NULL;

        if (!to ||
            !strstr(source, rv_strndup(cx, from, (size_t)(to - from) + strlen(rows[i].last))))
            fail_msg("%s: its example is not the one of this test", rows[i].header);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(an_expression_is_compiled_and_evaluated),
        RV_TEST(a_host_has_functions_of_its_own),
        RV_TEST(the_headers_say_what_is_compiled_here),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
