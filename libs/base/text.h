#pragma once

/* Text: what C forgot. Pure; nothing here allocates but through a ctx. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"

bool rv_text_same(const char *a, const char *b); /* NULL is the same as NULL only */
bool rv_text_starts(const char *text, const char *prefix);
bool rv_text_ends(const char *text, const char *suffix);

/*
 * Shell-like match of a whole text: * any run, ? any one character; no classes. Never worse than
 * the product of both lengths.
 */
bool rv_text_glob(const char *pattern, const char *text);

bool rv_text_int(const char *text, int64_t *out);   /* all of it, decimal, no spaces */
bool rv_text_double(const char *text, double *out); /* all of it; no inf, no nan; locale-free */
bool rv_text_duration(const char *text, int64_t *out_ms);   /* "250ms" "30s" "5m" "2h" "7d" */
const char *rv_text_show_ms(struct rv_ctx *cx, int64_t ms); /* "1.4 s", "3 min 20 s" */
const char *rv_text_show_usd(struct rv_ctx *cx, int64_t microusd); /* "$0.001230" */

/* How many letters must change, or neighbours swap, to make @b of @a; names over 63 bytes are never
 * near. */
size_t rv_text_distance(const char *a, const char *b);

/* Base64 with padding, as rv_buf_base64 writes it; NULL when @text is something else. */
uint8_t *rv_text_base64(struct rv_ctx *cx, const char *text, size_t *len);

/* Bytes of the character that @text begins with; 0 when it is none. @code may be NULL. */
size_t rv_utf8_next(const char *text, size_t len, uint32_t *code);
bool rv_utf8_ok(const char *text, size_t len);                    /* shortest form, no surrogates */
size_t rv_utf8_cut(const char *text, size_t len, size_t at_most); /* bytes of whole characters */
int rv_utf8_width(const char *text); /* columns on a terminal, roughly */
void rv_utf8_mend(char *text);       /* bytes of no character, as where it was cut, become ? */

/* A slug or a name of ours: [a-z0-9] then [a-z0-9_-], 1 to 63 characters. */
bool rv_text_is_name(const char *text);
