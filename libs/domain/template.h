#pragma once

/*
 * Templates: texts with ${{ expressions }} in them. Until expressions proper, an expression is a
 * dotted path into the facts ("steps.read.output.body"); whoever evaluates it is behind
 * template_each's callback, so another language changes this file and its one evaluator only.
 *
 * Pure.
 */

#include <stdbool.h>
#include <stddef.h>

/* One piece of a template: words as they are, or an expression without its braces and blanks. */
struct template_part {
    const char *text;
    size_t len;
    bool expression;
};

/* Calls @each for every piece in order until it says false. False when a ${{ has no }}. */
bool template_each(const char *text, bool (*each)(void *arg, const struct template_part *part),
                   void *arg);

/* Whether the whole text is one expression, so that its value keeps its type. */
bool template_is_one(const char *text, struct template_part *part);

/* Whether an expression can be a path: names, [numbers] and ["keys"], at most 256 characters. */
bool template_path_ok(const char *text, size_t len);

/* "steps.read.output" → "read", 4; false when it is not about a step. */
bool template_step(const char *text, size_t len, const char **node_id, size_t *node_id_len);
