/* `reeve cel eval` and `reeve cel fmt`: an expression by itself, without a server. */

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "runtime/cel_json.h"

#include "cel_words.h"
#include "commands.h"
#include "show.h"

enum { SHOWN_BYTES_MAX = 64 * 1024 * 1024 };

static rv_result read_facts(struct cli *cli, struct cel_words *words)
{
    json_t *object, *value;
    const char *text, *name;
    size_t len, i = 0;

    if (!cli->options.facts)
        return RV_OK;
    RV_TRY(cli->cx, cel_words_object(cli, cli->options.facts, &text, &len, &object));
    cel_words_declare(cli, object, words);
    json_object_foreach(object, name, value) words->values[i++] = rv_cel_json(cli->cx, value);
    return RV_OK;
}

/* The value is JSON in any case; --get looks for a part of it. */
static rv_result print_value(struct cli *cli, struct cel_value value)
{
    auto_buf json = { 0 };
    json_t *read;

    if (!cel_json(cli->cx, value, SHOWN_BYTES_MAX, &json)) {
        cli->exit = EXIT_BROKEN;
        return rv_fail(cli->cx, RV_TOO_LARGE, "the value is over 64 MiB or nested too deep");
    }
    if (!cli->options.get) {
        puts(json.data);
        return RV_OK;
    }
    cli->exit = EXIT_BROKEN; /* a NUL, or a uint over 2^63, is more than --get can look at */
    RV_TRY(cli->cx, rv_json_parse(cli->cx, json.data, json.len, "what --get looks at", &read));
    cli->exit = EXIT_DONE;
    show_raw(cli, read);
    return RV_OK;
}

enum rv_status command_cel_eval(struct cli *cli)
{
    struct cel_words words = { 0 };
    const struct cel_program *program;
    struct cel_value value;
    struct cel_env env;

    RV_TRY(cli->cx, cel_words_read(cli, &words));
    RV_TRY(cli->cx, read_facts(cli, &words));
    env = cel_words_env(cli, &words);
    RV_TRY(cli->cx, cel_words_compile(cli, &words, &env, &program));
    value = cel_eval(cli->cx, program, words.values);
    if (value.kind == CEL_ERROR)
        return cel_words_fail(cli, program, value);
    return print_value(cli, value);
}

/* As it was written, so nothing is worked out, and any name will do. */
enum rv_status command_cel_fmt(struct cli *cli)
{
    static const struct cel_env env = { .functions = expression_functions,
                                        .unchecked = true,
                                        .unfolded = true };
    const struct cel_program *program;
    struct cel_words words = { 0 };
    const char *text;

    RV_TRY(cli->cx, cel_words_read(cli, &words));
    RV_TRY(cli->cx, cel_words_compile(cli, &words, &env, &program));
    text = cel_format(cli->cx, program);
    if (!show_raw(cli, rv_json_own(cli->cx, json_string(text))))
        puts(text);
    return RV_OK;
}
