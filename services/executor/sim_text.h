#pragma once

/*
 * Reading, as the built-in model does it: words, sentences, and which sentences are about a
 * question. Deterministic; sentences are pieces of the text they come from, letter by letter.
 */

#include "base/ctx.h"

struct sim_sentence {
    const char *text; /* in the source, not terminated */
    size_t len;
    int score;    /* how many of the question's words it has, in 16ths, less for length */
    size_t order; /* among all */
};

struct sim_sentences {
    struct sim_sentence *all;
    size_t n, room;
};

struct sim_words {
    const char **all, **raw; /* stems, in small letters; and as they stand in the text */
    size_t n;
};

/* The words of @text that say something, each once, at most 64. */
struct sim_words sim_words(struct rv_ctx *cx, const char *text, size_t len);

/* How many of @wanted occur in @text. */
int sim_overlap(struct rv_ctx *cx, const struct sim_words *wanted, const char *text, size_t len);

/* Adds the sentences of @text: between marks, line ends and <tags>; 20 to 400 bytes. */
void sim_read(struct rv_ctx *cx, struct sim_sentences *sentences, const char *text);

/* Scores them; then the best @n at most, in the order they stand in. Equal ones count once. */
void sim_rank(struct rv_ctx *cx, struct sim_sentences *sentences, const struct sim_words *wanted);
size_t sim_best(struct rv_ctx *cx, const struct sim_sentences *sentences, size_t n,
                const struct sim_sentence **best);

int64_t sim_tokens(const char *text); /* about what a tokenizer would count */
