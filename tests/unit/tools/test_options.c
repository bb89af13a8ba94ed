#include "support/rv_test.h"

#include "cli.h"

static const struct command sample = {
    "run submit", "", "project input limit watch", "", NULL, 0, 0
};

static bool read_words(struct cli *cli, const char *words)
{
    static char copy[200];
    static char *argv[20];
    int argc = 0;

    *cli = (struct cli){ .command = &sample };
    snprintf(copy, sizeof(copy), "%s", words);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    return options_read(cli, argc, argv);
}

static void reads_long_and_short_options_and_leaves_the_words(void **state)
{
    struct cli cli;

    assert_true(read_words(&cli, "submit brief -p demo --input={} --watch --limit 7"));
    assert_string_equal(cli.options.project, "demo");
    assert_string_equal(cli.options.input, "{}");
    assert_true(cli.options.watch);
    assert_int_equal(cli.options.limit, 7);
    assert_int_equal(cli.n_args, 1);
    assert_string_equal(cli.args[0], "brief");
}

static void every_command_takes_json_and_get(void **state)
{
    struct cli cli;

    assert_true(read_words(&cli, "submit --json --get run_id"));
    assert_true(cli.options.json);
    assert_string_equal(cli.options.get, "run_id");
}

static void refuses_what_the_command_does_not_take(void **state)
{
    static const char *const wrong[] = { "submit --port 8000", "submit --limit many",
                                         "submit --limit -1",  "submit --nonsense",
                                         "submit --project",   "submit --detach" };
    struct cli cli;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(read_words(&cli, wrong[i]));
}

static void every_row_of_the_table_is_whole(void **state)
{
    for (const struct command *c = commands; c->name; c++) {
        assert_non_null(c->args);
        assert_non_null(c->options);
        assert_true(strlen(c->doc) > 0);
        assert_non_null(c->call);
        assert_true(c->args_min <= c->args_max);
        for (const struct command *other = commands; other != c; other++)
            assert_string_not_equal(other->name, c->name);
    }
}

static void finds_commands_of_one_and_of_two_words(void **state)
{
    char reeve[] = "reeve", run[] = "run", get[] = "get", up[] = "up", gut[] = "gut";
    char *two[] = { reeve, run, get, NULL }, *one[] = { reeve, up, NULL };
    char *none[] = { reeve, run, gut, NULL }, *half[] = { reeve, run, NULL };
    int words;

    assert_string_equal(command_find(3, two, &words)->name, "run get");
    assert_int_equal(words, 2);
    assert_string_equal(command_find(2, one, &words)->name, "up");
    assert_int_equal(words, 1);
    assert_null(command_find(3, none, &words));
    assert_null(command_find(2, half, &words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_long_and_short_options_and_leaves_the_words),
        cmocka_unit_test(every_command_takes_json_and_get),
        cmocka_unit_test(refuses_what_the_command_does_not_take),
        cmocka_unit_test(every_row_of_the_table_is_whole),
        cmocka_unit_test(finds_commands_of_one_and_of_two_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
