#pragma once

/*
 * Words: what the commands of `reeve cel` share: the expression they were given, the JSON files
 * beside it, and how they say what is wrong with either. None of them needs a server.
 */

#include "cli.h"
#include "domain/expression.h"

/* The expression, the names it may use, and what they are bound to. */
struct cel_words {
    const char *text;
    size_t len;
    struct cel_variable *variables;
    struct cel_value *values;
};

/* Reads the command's first argument, or stdin when that is "-", without its last line end. */
rv_result cel_words_read(struct cli *cli, struct cel_words *words);

/* Compiles it; with --template as a text with ${{ }} in it. What is wrong points at the place. */
rv_result cel_words_compile(struct cli *cli, const struct cel_words *words,
                            const struct cel_env *env, const struct cel_program **program);

/* Fails with EXIT_BROKEN: the expression is right, and has no value. */
rv_result cel_words_fail(struct cli *cli, const struct cel_program *program,
                         struct cel_value error);

/* The JSON object in the file at @path and its text; a mistake is EXIT_USAGE with its place. */
rv_result cel_words_object(struct cli *cli, const char *path, const char **text, size_t *len,
                           json_t **object);

/* Variables for every key of @object, without types and without values. */
void cel_words_declare(struct cli *cli, json_t *object, struct cel_words *words);

/* What expressions see everywhere in reeve, and the variables of @words. Lives as long as the ctx.
 */
struct cel_env cel_words_env(struct cli *cli, const struct cel_words *words);
