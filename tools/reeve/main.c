#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "commands.h"
#include "runtime/http_client.h"
#include "runtime/secret.h"

static bool arguments_fit(const struct cli *cli)
{
    if (cli->n_args >= cli->command->args_min && cli->n_args <= cli->command->args_max)
        return true;
    if (cli->command->args_max > 0)
        fprintf(stderr, "reeve %s: takes %s\n", cli->command->name, cli->command->args);
    else
        fprintf(stderr, "reeve %s: takes options only, not \"%s\"\n", cli->command->name,
                cli->args[0]);
    return false;
}

static enum cli_exit do_it(struct cli *cli, int argc, char **argv)
{
    enum cli_exit code;

    argv[0] = rv_printf(cli->cx, "reeve %s", cli->command->name); /* getopt's first word */
    if (!options_read(cli, argc, argv)) {
        fprintf(stderr, "see reeve %s --help\n", cli->command->name);
        return EXIT_USAGE;
    }
    if (cli->options.help && cli->command->call != command_help) {
        command_describe(cli->command, stdout);
        return EXIT_DONE;
    }
    if (!arguments_fit(cli))
        return EXIT_USAGE;
    code = cli->command->call(cli) == RV_OK ? cli->exit : cli_complain(cli);
    rv_http_client_free(cli->client);
    return fflush(stdout) == 0 ? code : EXIT_BROKEN;
}

int main(int argc, char **argv)
{
    static const struct command no_words = { "help", "", "", "", command_help, 0, 0 };
    struct rv_ctx cx;
    struct cli cli = { .cx = &cx };
    int words = 0, code;

    signal(SIGPIPE, SIG_IGN);
    rv_log_service("reeve");
    rv_log_format(RV_LOG_TEXT);
    if (!rv_secret_init()) {
        fputs("reeve: this machine has no randomness\n", stderr);
        return EXIT_BROKEN;
    }
    if (argc > 1 && strcmp(argv[1], "--version") == 0)
        argv[1] += 2;
    cli.command = argc < 2 || argv[1][0] == '-' ? &no_words : command_find(argc, argv, &words);
    if (!cli.command) {
        command_suggest(argc, argv);
        return EXIT_USAGE;
    }
    rv_ctx_init(&cx);
    code = (int)do_it(&cli, argc - words, argv + words);
    rv_ctx_release(&cx);
    return code;
}
