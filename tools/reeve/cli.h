#pragma once

/*
 * Cli: what every command of `reeve` has: its words, its options, a ctx, and an exit code.
 *
 * A command is one row of the table in commands.c. It returns RV_OK, or fails its ctx like any
 * other work; main() says what went wrong and ends with the exit code that belongs to it.
 */

#include "base/ctx.h"
#include "runtime/json.h"

enum cli_exit {
    EXIT_DONE = 0,
    EXIT_BROKEN = 1,
    EXIT_USAGE = 2,
    EXIT_REFUSED = 3,     /* the service said no: 4xx */
    EXIT_UNREACHABLE = 4, /* nobody answers, or too busy */
    EXIT_RUN_FAILED = 5,
    EXIT_RUN_STOPPED = 6, /* the run was cancelled or denied */
};

/* The values of all options; a command gets those its row names. */
struct cli_options {
    const char *data, *url, *project, *agent, *input, *key, *wait, *file, *get, *listen, *limits;
    const char *state, *reason, *role, *name, *run, *since, *facts, *types;
    int64_t port, executors, limit, size;
    bool json, detach, watch, dry_run, help, all, template;
};

struct rv_http_client;
struct command;

struct cli {
    struct rv_ctx *cx;
    const struct command *command;
    struct cli_options options;
    const char *const *args; /* the words that are not options */
    size_t n_args;
    enum cli_exit exit; /* when the work itself went well */
    struct rv_http_client *client;
    const char *url, *api_key; /* of the gateway, once api.c has looked for them */
};

struct command {
    const char *name;    /* "run submit" */
    const char *args;    /* "<workflow>": for --help */
    const char *options; /* "data port": of the table in options.c, besides the ones all have */
    const char *doc;
    enum rv_status (*call)(struct cli *cli);
    size_t args_min, args_max;
};
extern const struct command commands[]; /* ends with a row without a name */

/* The row that the words after argv[0] name; how many words that are. NULL: there is none. */
const struct command *command_find(int argc, char **argv, int *words);
void command_suggest(int argc, char **argv); /* what was meant, perhaps, on stderr */
void command_describe(const struct command *command, FILE *out);

/* Fails with EXIT_USAGE. */
#define cli_misuse(cli, ...) ((cli)->exit = EXIT_USAGE, rv_fail((cli)->cx, RV_INVALID, __VA_ARGS__))

/*
 * Reads the options of @argv that @command takes into @cli; what is left becomes cli->args.
 * False, with words on stderr, when they do not fit.
 */
bool options_read(struct cli *cli, int argc, char **argv);
void options_describe(const struct command *command, FILE *out);

/* The data folder: --data, $REEVE_DATA or ./.reeve, as an absolute path. */
const char *cli_data_folder(struct cli *cli);

/* The whole file as text, or stdin for "-"; at most 1 MiB. */
rv_result cli_read_file(struct cli *cli, const char *path, const char **text, size_t *len);

/* What was wrong, where, and what to do, on stderr; returns the exit code that belongs to it. */
enum cli_exit cli_complain(struct cli *cli);
