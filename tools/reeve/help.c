#include <stdio.h>
#include <string.h>

#include "base/text.h"

#include "commands.h"

/* How many words of @argv name @command: 0, 1 or 2. */
static int words_of(const struct command *command, int argc, char **argv)
{
    const char *blank = strchr(command->name, ' ');
    size_t first = blank ? (size_t)(blank - command->name) : strlen(command->name);

    if (argc < 2 || strlen(argv[1]) != first || memcmp(argv[1], command->name, first) != 0)
        return 0;
    if (!blank)
        return 1;
    return argc > 2 && strcmp(argv[2], blank + 1) == 0 ? 2 : 0;
}

const struct command *command_find(int argc, char **argv, int *words)
{
    for (const struct command *c = commands; c->name; c++)
        if ((*words = words_of(c, argc, argv)) > 0)
            return c;
    return NULL;
}

static bool is_noun(const char *word, const struct command *command)
{
    size_t len = strlen(word);

    return rv_text_starts(command->name, word) && command->name[len] == ' ';
}

void command_suggest(int argc, char **argv)
{
    const char *said = argc > 2 && argv[2][0] != '-' ? argv[2] : "";
    const struct command *near = NULL;
    size_t best = 4;
    char text[64];

    snprintf(text, sizeof(text), "%s%s%s", argv[1], *said ? " " : "", said);
    for (const struct command *c = commands; c->name; c++) {
        size_t distance = rv_text_distance(text, c->name);

        if (!*said && is_noun(argv[1], c)) {
            fprintf(stderr, "reeve: \"%s\" is half a command: see reeve help %s\n", text, text);
            return;
        }
        if (distance < best) {
            best = distance;
            near = c;
        }
    }
    fprintf(stderr, "reeve: there is no command \"%s\"%s%s%s\n", text,
            near ? "; did you mean \"" : ": see reeve help", near ? near->name : "",
            near ? "\"?" : "");
}

void command_describe(const struct command *command, FILE *out)
{
    fprintf(out, "reeve %s%s%s: %s\n\n", command->name, *command->args ? " " : "", command->args,
            command->doc);
    options_describe(command, out);
}

/* All commands, or those of one noun; false: there is none. */
static bool list_commands(const char *noun)
{
    bool any = false;

    for (const struct command *c = commands; c->name; c++) {
        char left[64];

        if (noun && !is_noun(noun, c))
            continue;
        snprintf(left, sizeof(left), "%s %s", c->name, c->args);
        printf("  %-32s %s\n", left, c->doc);
        any = true;
    }
    return any;
}

enum rv_status command_help(struct cli *cli)
{
    char *argv[3] = { NULL };
    const struct command *command;
    int words;

    for (size_t i = 0; i < cli->n_args; i++)
        argv[i + 1] = rv_strdup(cli->cx, cli->args[i]);
    command = command_find((int)cli->n_args + 1, argv, &words);
    if (command) {
        command_describe(command, stdout);
        return RV_OK;
    }
    if (cli->n_args == 1 && list_commands(cli->args[0]))
        return RV_OK;
    if (cli->n_args > 0)
        return cli_misuse(cli, "there is no such command");
    printf("reeve: AI agents and workflows as durable jobs, under policy and budget\n\n");
    list_commands(NULL);
    printf(
        "\nreeve <command> --help says what it takes. It exits with 0 done, 1 failed, 2 misused,\n"
        "3 refused, 4 nobody answers, 5 the run failed, 6 the run was cancelled or denied.\n"
        "\n"
        "  REEVE_URL        the gateway; else that of the data folder, else http://127.0.0.1:8000\n"
        "  REEVE_API_KEY    who asks; else, at its own gateway, admin.key of the data folder\n"
        "  REEVE_DATA       the data folder of up; else ./.reeve\n"
        "  REEVE_BIN_DIR    where up finds the services; else beside this program\n"
        "  REEVE_PG_BINDIR  where up finds Postgres' programs\n"
        "  NO_COLOR         no colours, please\n");
    return RV_OK;
}
