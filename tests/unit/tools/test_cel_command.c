/* The commands of `reeve cel`, as people call them: what is said on stdout and stderr, and the
 * exit code. */

#include "support/rv_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"

enum { WORDS_MAX = 8, SAID_BYTES = 4096 };

static char folder[] = "/tmp/reeve-cel.XXXXXX";
static char out[SAID_BYTES], err[SAID_BYTES];

static int enter_folder(void **state)
{
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
    static const char *const names[] = { "f.json", "in", "out", "err" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(names[i]);
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void read_file(const char *name, char text[SAID_BYTES])
{
    FILE *file = fopen(name, "r");

    assert_non_null(file);
    text[fread(text, 1, SAID_BYTES - 1, file)] = '\0';
    fclose(file);
}

/* Gives @stream to the file of that name; what it was before is the answer. */
static int divert(FILE *stream, const char *name, const char *mode)
{
    int before = dup(fileno(stream));
    FILE *file = fopen(name, mode);

    assert_non_null(file);
    fflush(stream);
    assert_true(dup2(fileno(file), fileno(stream)) >= 0);
    fclose(file);
    return before;
}

static void give_back(FILE *stream, int before)
{
    fflush(stream);
    clearerr(stream);
    dup2(before, fileno(stream));
    close(before);
}

static enum cli_exit call(struct cli *cli, int argc, char **argv)
{
    int words = 0;

    cli->command = command_find(argc, argv, &words);
    if (!cli->command || !options_read(cli, argc - words, argv + words))
        return EXIT_USAGE;
    return cli->command->call(cli) == RV_OK ? cli->exit : cli_complain(cli);
}

/* `reeve` with @words, up to NULL, and @input on stdin. */
static enum cli_exit reeve(struct rv_ctx *cx, const char *input, const char *const *words)
{
    struct cli cli = { .cx = cx };
    char *argv[WORDS_MAX + 2] = { rv_strdup(cx, "reeve") };
    int argc = 1, was_in, was_out, was_err;
    enum cli_exit code;

    while (argc <= WORDS_MAX && *words)
        argv[argc++] = rv_strdup(cx, *words++);
    write_file("in", input);
    was_in = divert(stdin, "in", "r");
    was_out = divert(stdout, "out", "w");
    was_err = divert(stderr, "err", "w");
    code = call(&cli, argc, argv);
    give_back(stdin, was_in);
    give_back(stdout, was_out);
    give_back(stderr, was_err);
    read_file("out", out);
    read_file("err", err);
    return code;
}

#define FACTS "{\"n\": 3, \"tags\": [\"a\", \"b\"], \"run\": {\"cost_usd\": 1.5}, \"none\": null}"
#define TYPES "{\"n\": \"int\",\n \"tags\": \"list(string)\"}"
#define WHAT  "  what to do: see reeve cel check --help\n"

/* clang-format off */
static const struct {
    const char *words[WORDS_MAX];
    const char *file, *input; /* f.json; stdin */
    const char *out, *err;
    enum cli_exit exit;
} cases[] = {
    /* values */
    { { "cel", "eval", "1 + 2" }, "", "", "3\n", "", EXIT_DONE },
    { { "cel", "eval", "-" }, "", "[1u,\n 2.5]\n", "[1,2.5]\n", "", EXIT_DONE },
    { { "cel", "eval", "--facts", "f.json", "run.cost_usd < 5.0 && 'a' in tags && none == null" },
      FACTS, "", "true\n", "", EXIT_DONE },
    { { "cel", "eval", "--facts", "-", "tags[n - 2]" }, "", FACTS, "\"b\"\n", "", EXIT_DONE },
    { { "cel", "eval", "--facts", "f.json", "{'all': tags}", "--get", "all[1]" },
      FACTS, "", "b\n", "", EXIT_DONE },
    { { "cel", "eval", "duration('90s')" }, "", "", "\"90s\"\n", "", EXIT_DONE },

    /* what reeve adds to the language */
    { { "cel", "eval", "words(\"a b\")" }, "", "", "[\"a\",\"b\"]\n", "", EXIT_DONE },
    { { "cel", "check", "text.words()" }, "", "", "list(string)\n", "", EXIT_DONE },
    { { "cel", "check", "words(1)" }, "", "", "",
      "reeve cel check: 1:1: no such overload: words(int)\n"
      "  words(1)\n"
      "  ^\n", EXIT_REFUSED },
    { { "cel", "fmt", "(text.words())" }, "", "", "text.words()\n", "", EXIT_DONE },

    /* templates: one interpolation keeps its type, also when an editor has ended the line */
    { { "cel", "eval", "--template", "--facts", "f.json", "${{ n }} of ${{ tags }}" },
      FACTS, "", "\"3 of [\\\"a\\\",\\\"b\\\"]\"\n", "", EXIT_DONE },
    { { "cel", "eval", "--template", "--facts", "f.json", "-" },
      FACTS, "${{ tags }}\n", "[\"a\",\"b\"]\n", "", EXIT_DONE },
    { { "cel", "eval", "--template", "n: ${{ n" }, "", "", "",
      "reeve cel eval: 1:9: the expression ends before \"}}\"\n"
      "  n: ${{ n\n"
      "          ^\n", EXIT_REFUSED },

    /* what is no expression is refused, what has no value failed */
    { { "cel", "eval", "1 + " }, "", "", "",
      "reeve cel eval: 1:5: the expression ends before an expression\n"
      "  1 + \n"
      "      ^\n", EXIT_REFUSED },
    { { "cel", "eval", "-" }, "", "1 +\n  (2 * x)", "",
      "reeve cel eval: 2:8: there is no variable \"x\"\n"
      "    (2 * x)\n"
      "         ^\n", EXIT_REFUSED },
    { { "cel", "eval", "--facts", "f.json", "tags[n]" }, FACTS, "", "",
      "reeve cel eval: 1:5: no such index or key: 3\n"
      "  tags[n]\n"
      "      ^\n", EXIT_BROKEN },
    { { "cel", "eval", "--facts", "f.json", "n / 0 > 1" }, FACTS, "", "",
      "reeve cel eval: 1:3: division by zero\n"
      "  n / 0 > 1\n"
      "    ^\n", EXIT_BROKEN },

    /* types and facts */
    { { "cel", "check", "n + 1 < 3 && tags.exists(t, t == n)" }, "", "", "bool\n", "", EXIT_DONE },
    { { "cel", "check", "--types", "f.json", "tags.map(t, size(t) + n)" },
      TYPES, "", "list(int)\n", "", EXIT_DONE },
    { { "cel", "check", "--types", "f.json", "tags + n" }, TYPES, "", "",
      "reeve cel check: 1:6: no such overload: _+_(list(string), int)\n"
      "  tags + n\n"
      "       ^\n", EXIT_REFUSED },
    { { "cel", "check", "--types", "f.json", "tags[m]" }, TYPES, "", "",
      "reeve cel check: 1:6: there is no variable \"m\"\n"
      "  tags[m]\n"
      "       ^\n", EXIT_REFUSED },
    { { "cel", "check", "nobody(1)" }, "", "", "",
      "reeve cel check: 1:1: there is no function \"nobody\"\n"
      "  nobody(1)\n"
      "  ^\n", EXIT_REFUSED },
    { { "cel", "check", "tool.args['path'] == x || true", "--get", "paths" }, "", "",
      "[\"tool.args.path\",\"x\"]\n", "", EXIT_DONE },
    { { "cel", "check", "tool.args['path'] == x || true", "--get", "truth" }, "", "",
      "true\n", "", EXIT_DONE },
    { { "cel", "check", "tool.size()", "--get", "functions" }, "", "", "[\"size\"]\n", "", EXIT_DONE },

    /* one line, and nothing worked out */
    { { "cel", "fmt", "-" }, "", "((1)+(2))*x // three\n ? a:(b)", "(1 + 2) * x ? a : b\n", "", EXIT_DONE },
    { { "cel", "fmt", "a +" }, "", "", "",
      "reeve cel fmt: 1:4: the expression ends before an expression\n"
      "  a +\n"
      "     ^\n", EXIT_REFUSED },

    /* files */
    { { "cel", "check", "--types", "f.json", "n" }, "{\"n\": \"int\",\n \"m\" 3}", "", "",
      "reeve cel check: f.json:2:6: not JSON: ':' expected near '3'\n" WHAT, EXIT_USAGE },
    { { "cel", "check", "--types", "f.json", "n" }, "", "", "",
      "reeve cel check: f.json:1:1: not JSON: unexpected token near end of file\n" WHAT, EXIT_USAGE },
    { { "cel", "check", "--types", "f.json", "n" }, "[1]", "", "",
      "reeve cel check: f.json: not a JSON object\n" WHAT, EXIT_USAGE },
    { { "cel", "check", "--types", "f.json", "n" }, "{\"n\": \"int\",\n \"m\": \"list(int\"}", "", "",
      "reeve cel check: f.json:2:7: m: there is no type \"list(int\"\n" WHAT, EXIT_USAGE },
    { { "cel", "check", "--types", "f.json", "n" }, "{\"a b\": 3}", "", "",
      "reeve cel check: f.json: a b: a type is a text, like \"list(int)\"\n" WHAT, EXIT_USAGE },
    { { "cel", "check", "--types", "nowhere.json", "n" }, "", "", "",
      "reeve cel check: nowhere.json: No such file or directory\n" WHAT, EXIT_USAGE },
    { { "cel", "check", "--types", ".", "n" }, "", "", "",
      "reeve cel check: .: Is a directory\n" WHAT, EXIT_USAGE },
    { { "cel", "check", "--types", "-", "-" }, "", "", "",
      "reeve cel check: standard input is one thing only: the expression or the file\n" WHAT, EXIT_USAGE },
};
/* clang-format on */

static void says_the_value_or_what_is_wrong_and_where(void **state)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum cli_exit code;
        struct rv_ctx cx;

        rv_ctx_init(&cx);
        write_file("f.json", cases[i].file);
        code = reeve(&cx, cases[i].input, cases[i].words);
        rv_ctx_release(&cx);
        if (code != cases[i].exit || strcmp(out, cases[i].out) != 0 ||
            strcmp(err, cases[i].err) != 0)
            fail_msg("%zu: %s %s: exit %d\n%s%s", i, cases[i].words[1], cases[i].words[2], code,
                     out, err);
    }
}

static void a_check_tells_all_that_is_known_in_json(void **state)
{
    static const char *const words[] = { "cel",    "check", "--json",
                                         "--size", "10",    "run.cost < 5.0 && tool in names",
                                         NULL };
    struct rv_ctx *cx = *state;
    json_t *told;

    assert_int_equal(reeve(cx, "", words), EXIT_DONE);
    assert_ok(cx, rv_json_parse(cx, out, strlen(out), "it", &told));
    assert_string_equal(json_string_value(json_object_get(told, "type")), "bool");
    assert_string_equal(rv_json_text(cx, json_object_get(told, "variables")),
                        "[\"names\",\"run\",\"tool\"]");
    assert_string_equal(rv_json_text(cx, json_object_get(told, "paths")),
                        "[\"names\",\"run.cost\",\"tool\"]");
    assert_string_equal(rv_json_text(cx, json_object_get(told, "functions")),
                        "[\"@in\",\"_&&_\",\"_<_\"]");
    assert_int_equal(json_integer_value(json_object_get(told, "size")), 10);
    assert_true(json_is_null(json_object_get(told, "truth")));
}

static int64_t cost_at(struct rv_ctx *cx, const char *size)
{
    const char *const words[] = { "cel",   "check",     "tags.all(t, t != '')",
                                  "--get", "cost_most", "--size",
                                  size,    NULL };

    assert_int_equal(reeve(cx, "", words), EXIT_DONE);
    return strtoll(out, NULL, 10);
}

static void what_it_may_cost_grows_with_the_size_stated(void **state)
{
    assert_true(cost_at(*state, "10") > 0);
    assert_true(cost_at(*state, "1000") > 10 * cost_at(*state, "10"));
}

static void a_file_over_1_mib_is_a_mistake(void **state)
{
    enum { BYTES = 1024 * 1024 };
    static const char *const words[] = { "cel", "eval", "--facts", "-", "1", NULL };
    char *input = rv_arena_alloc(((struct rv_ctx *)*state)->arena, BYTES + 2);

    memset(input, ' ', BYTES + 1);
    memcpy(input, "{}", 2);
    assert_int_equal(reeve(*state, input, words), EXIT_USAGE);
    assert_string_equal(err, "reeve cel eval: - is larger than 1 MiB\n"
                             "  what to do: see reeve cel eval --help\n");
    input[BYTES] = '\0';
    assert_int_equal(reeve(*state, input, words), EXIT_DONE);
    assert_string_equal(out, "1\n");
}

static void help_lists_the_commands_of_a_noun(void **state)
{
    static const char *const words[] = { "help", "cel", NULL };

    assert_int_equal(reeve(*state, "", words), EXIT_DONE);
    assert_non_null(strstr(out, "  cel eval <expression>|-"));
    assert_non_null(strstr(out, "  cel fmt <expression>|-"));
    assert_null(strstr(out, "run submit"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_the_value_or_what_is_wrong_and_where),
        RV_TEST(a_check_tells_all_that_is_known_in_json),
        RV_TEST(what_it_may_cost_grows_with_the_size_stated),
        RV_TEST(a_file_over_1_mib_is_a_mistake),
        RV_TEST(help_lists_the_commands_of_a_noun),
    };

    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
