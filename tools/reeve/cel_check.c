/* `reeve cel check`: what is known of an expression before it runs. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "runtime/yaml.h"

#include "cel_words.h"
#include "commands.h"
#include "show.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* Says "types.json:3:12: what"; JSON is YAML, and that reader knows where things stand. */
static rv_result refuse_type(struct cli *cli, const char *text, size_t len, const char *name,
                             const char *what)
{
    const char *path = cli->options.types;
    bool plain = !name[strspn(name, LETTERS)];
    int line = 0, column = 0;

    if (!plain || rv_yaml_where(cli->cx, text, len, 0, name, &line, &column) != RV_OK || line == 0)
        return cli_misuse(cli, "%s: %s: %s", path, name, what);
    return cli_misuse(cli, "%s:%d:%d: %s: %s", path, line, column, name, what);
}

static rv_result read_types(struct cli *cli, struct cel_words *words)
{
    struct rv_ctx *cx = cli->cx;
    const char *text, *name;
    json_t *object, *value;
    size_t len, i = 0;

    RV_TRY(cx, cel_words_object(cli, cli->options.types, &text, &len, &object));
    cel_words_declare(cli, object, words);
    json_object_foreach(object, name, value)
    {
        const char *type = json_string_value(value);

        if (!type)
            return refuse_type(cli, text, len, name, "a type is a text, like \"list(int)\"");
        words->variables[i].type = cel_type_parse(cx, type);
        if (!words->variables[i++].type)
            return refuse_type(cli, text, len, name,
                               rv_printf(cx, "there is no type \"%.60s\"", type));
    }
    return RV_OK;
}

/* Without --types every name that the expression uses is a variable, of any type. */
static rv_result find_variables(struct cli *cli, struct cel_words *words)
{
    static const struct cel_env env = { .functions = expression_functions, .unchecked = true };
    const struct cel_program *program;
    struct cel_facts facts;

    RV_TRY(cli->cx, cel_words_compile(cli, words, &env, &program));
    cel_facts(cli->cx, program, 0, &facts);
    words->variables = rv_new_array(cli->cx, struct cel_variable, facts.n_variables + 1);
    for (size_t i = 0; i < facts.n_variables; i++)
        words->variables[i].name = facts.variables[i];
    return RV_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *names(const char **items, size_t n_items)
{
    json_t *array = json_array();

    if (n_items > 1)
        qsort(items, n_items, sizeof(*items), by_name);
    for (size_t i = 0; i < n_items; i++)
        json_array_append_new(array, json_string(items[i]));
    return array;
}

static json_t *truth_of(struct cel_value truth)
{
    return truth.kind == CEL_BOOL ? json_boolean(truth.truth) : json_null();
}

/* What nobody can tell is null. */
static json_t *told(struct cli *cli, const struct cel_program *program)
{
    json_t *object = rv_json_own(cli->cx, json_object());
    struct cel_facts facts;
    const char *type = cel_type_text(cli->cx, cel_result_type(program));

    cel_facts(cli->cx, program, cli->options.size, &facts);
    json_object_set_new(object, "type", json_string(type));
    json_object_set_new(object, "variables", names(facts.variables, facts.n_variables));
    json_object_set_new(object, "paths", names(facts.paths, facts.n_paths));
    json_object_set_new(object, "functions", names(facts.functions, facts.n_functions));
    json_object_set_new(object, "size", json_integer(cli->options.size));
    json_object_set_new(object, "cost_most",
                        facts.cost_most == INT64_MAX ? json_null() : json_integer(facts.cost_most));
    json_object_set_new(object, "truth", truth_of(facts.truth));
    return object;
}

enum rv_status command_cel_check(struct cli *cli)
{
    struct cel_words words = { 0 };
    const struct cel_program *program;
    struct cel_env env;
    json_t *object;

    RV_TRY(cli->cx, cel_words_read(cli, &words));
    if (cli->options.types)
        RV_TRY(cli->cx, read_types(cli, &words));
    else
        RV_TRY(cli->cx, find_variables(cli, &words));
    env = cel_words_env(cli, &words);
    RV_TRY(cli->cx, cel_words_compile(cli, &words, &env, &program));
    object = told(cli, program);
    if (!show_raw(cli, object))
        puts(json_string_value(json_object_get(object, "type")));
    return RV_OK;
}
