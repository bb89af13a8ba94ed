#pragma once

/*
 * Regex: the patterns of matches(), in RE2's syntax, on PCRE2. The one room that sees PCRE2.
 *
 * Nothing is allocated outside the ctx, and matching is paid for by the steps it takes: a pattern
 * that backtracks for ever runs out of what the evaluation may spend.
 */

#include "cel/function.h"

struct cel_regex;

/*
 * NULL: *@why says what is wrong with the pattern. Lives as long as @cx. *@bytes is the memory it
 * took, right or wrong: a short pattern may take 64 KiB, so the caller bounds the sum.
 */
const struct cel_regex *cel_regex_compile(struct rv_ctx *cx, const char *pattern, size_t len,
                                          size_t *bytes, const char **why);

/* Whether @regex matches somewhere in the string @text. */
struct cel_value cel_regex_match(struct cel_run *run, const struct cel_regex *regex,
                                 struct cel_value text);

/* Adds the pattern in PCRE2's syntax to @out. Why RE2 would not take it; NULL: nothing against it.
 */
struct rv_buf;
const char *cel_regex_translate(const char *pattern, size_t len, struct rv_buf *out);
