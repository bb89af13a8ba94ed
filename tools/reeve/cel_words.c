#include "cel_words.h"

#include <string.h>

#include "base/text.h"

/* What is shown below the words: the line and the caret. An excerpt is indented by two blanks, and
 * so does cli_complain. */
static void point_at(struct rv_ctx *cx, const char *excerpt)
{
    const char *line = strchr(excerpt, '\n');

    cx->error.n_details = 0;
    if (!line)
        return;
    line += rv_text_starts(line, "\n  ") ? 3 : 1;
    cx->error.details[cx->error.n_details++] = (struct rv_detail){ .path = "", .message = line };
}

rv_result cel_words_read(struct cli *cli, struct cel_words *words)
{
    const char *said = cli->args[0], *file = cli->options.facts;

    words->text = said;
    words->len = strlen(said);
    if (strcmp(said, "-") != 0)
        return RV_OK;
    file = file ? file : cli->options.types;
    if (file && strcmp(file, "-") == 0)
        return cli_misuse(cli, "standard input is one thing only: the expression or the file");
    RV_TRY(cli->cx, cli_read_file(cli, said, &words->text, &words->len));
    words->len -= words->len > 0 && words->text[words->len - 1] == '\n';
    return RV_OK;
}

rv_result cel_words_compile(struct cli *cli, const struct cel_words *words,
                            const struct cel_env *env, const struct cel_program **program)
{
    struct rv_ctx *cx = cli->cx;
    enum rv_status status;

    if (cli->options.template)
        status = cel_compile_template(cx, env, words->text, words->len, program);
    else
        status = cel_compile(cx, env, words->text, words->len, program);
    if (status != RV_OK && cx->error.n_details > 0)
        point_at(cx, cx->error.details[0].message);
    return status;
}

rv_result cel_words_fail(struct cli *cli, const struct cel_program *program, struct cel_value error)
{
    const char *excerpt = cel_error_excerpt(cli->cx, program, error);
    enum rv_status status =
        rv_fail(cli->cx, RV_UNPROCESSABLE, "%s", cel_error_text(cli->cx, program, error));

    point_at(cli->cx, excerpt);
    cli->exit = EXIT_BROKEN;
    return status;
}

/* Jansson counts the columns of what it has read; our own refusals know no place. */
static rv_result refuse_json(struct cli *cli, const char *path, size_t len,
                             const json_error_t *error)
{
    bool known = error->line > 1 || error->column > 0 || len == 0;

    cli->exit = EXIT_USAGE;
    if (!known)
        return rv_fail(cli->cx, RV_INVALID, "%s: not JSON: %s", path, error->text);
    return rv_fail(cli->cx, RV_INVALID, "%s:%d:%d: not JSON: %s", path, error->line,
                   error->column > 0 ? error->column : 1, error->text);
}

/* Unlike a document that is applied, a file that cannot be read is a mistake in the call. */
static rv_result read_file(struct cli *cli, const char *path, const char **text, size_t *len)
{
    enum rv_status status = cli_read_file(cli, path, text, len);

    if (status != RV_OK)
        cli->exit = EXIT_USAGE;
    return status;
}

rv_result cel_words_object(struct cli *cli, const char *path, const char **text, size_t *len,
                           json_t **object)
{
    json_error_t error = { 0 };

    RV_TRY(cli->cx, read_file(cli, path, text, len));
    *object = rv_json_own(cli->cx, rv_json_load(*text, *len, &error));
    if (!*object)
        return refuse_json(cli, path, *len, &error);
    if (!json_is_object(*object))
        return cli_misuse(cli, "%s: not a JSON object", path);
    return RV_OK;
}

void cel_words_declare(struct cli *cli, json_t *object, struct cel_words *words)
{
    size_t n = json_object_size(object), i = 0;
    const char *name;
    json_t *value;

    words->variables = rv_new_array(cli->cx, struct cel_variable, n + 1);
    words->values = rv_new_array(cli->cx, struct cel_value, n + 1);
    json_object_foreach(object, name, value) words->variables[i++].name = name;
}

static void free_zones(void *zones)
{
    rv_zones_free(zones);
}

struct cel_env cel_words_env(struct cli *cli, const struct cel_words *words)
{
    struct rv_zones *zones = rv_zones_new(NULL);

    rv_defer(cli->cx, free_zones, zones);
    return (struct cel_env){ .variables = words->variables,
                             .functions = expression_functions,
                             .zones = zones };
}
