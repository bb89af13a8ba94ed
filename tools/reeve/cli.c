#include "cli.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

enum { FILE_BYTES_MAX = 1024 * 1024 };

const char *cli_data_folder(struct cli *cli)
{
    const char *said = cli->options.data ? cli->options.data : getenv("REEVE_DATA");
    char here[PATH_MAX];

    if (!said || !*said)
        said = ".reeve";
    if (*said == '/' || !getcwd(here, sizeof(here)))
        return said;
    return rv_printf(cli->cx, "%s/%s", here, rv_text_starts(said, "./") ? said + 2 : said);
}

rv_result cli_read_file(struct cli *cli, const char *path, const char **text, size_t *len)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rb");
    char *bytes;

    if (!file)
        return rv_fail(cli->cx, RV_NOT_FOUND, "%s: %s", path, strerror(errno));
    bytes = rv_arena_alloc(cli->cx->arena, FILE_BYTES_MAX + 2);
    *len = fread(bytes, 1, FILE_BYTES_MAX + 1, file);
    if (ferror(file)) {
        int why = errno;

        if (!standard)
            fclose(file);
        return rv_fail(cli->cx, RV_INVALID, "%s: %s", path, strerror(why));
    }
    if (!standard)
        fclose(file);
    if (*len > FILE_BYTES_MAX)
        return rv_fail(cli->cx, RV_TOO_LARGE, "%s is larger than 1 MiB", path);
    bytes[*len] = '\0';
    *text = bytes;
    return RV_OK;
}

static enum cli_exit exit_of(enum rv_status status)
{
    int http = rv_status_http(status);

    if (status == RV_BUSY || status == RV_UNAVAILABLE || status == RV_TIMEOUT)
        return EXIT_UNREACHABLE;
    return http >= 400 && http < 500 ? EXIT_REFUSED : EXIT_BROKEN;
}

/* Whether the text says no more than the first detail, which will be said with its place. */
static bool is_first_detail(const struct rv_error *error)
{
    const struct rv_detail *first = &error->details[0];
    size_t len = error->n_details > 0 ? strlen(first->message) : 0, all = strlen(error->text);

    return len > 0 && error->trail_len > 0 && all > len &&
           strcmp(error->text + all - len, first->message) == 0;
}

enum cli_exit cli_complain(struct cli *cli)
{
    const struct rv_error *error = &cli->cx->error;

    fflush(stdout);
    if (is_first_detail(error))
        fprintf(stderr, "reeve %s: refused\n", cli->command->name);
    else
        fprintf(stderr, "reeve %s: %s\n", cli->command->name, error->text);
    for (unsigned i = 0; i < error->n_details && i < RV_DETAILS_MAX; i++)
        fprintf(stderr, "  %s%s%s\n", error->details[i].path, *error->details[i].path ? ": " : "",
                error->details[i].message);
    if (error->reason)
        fprintf(stderr, "  because: %s\n", error->reason);
    if (error->hint)
        fprintf(stderr, "  what to do: %s\n", error->hint);
    else if (cli->exit == EXIT_USAGE)
        fprintf(stderr, "  what to do: see reeve %s --help\n", cli->command->name);
    return cli->exit != EXIT_DONE ? cli->exit : exit_of(error->status);
}
