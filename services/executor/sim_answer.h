#pragma once

/* What the built-in model has read, and how it answers from that. */

#include "executor/provider.h"
#include "executor/sim_text.h"

struct sim_reading {
    const char *question;           /* what is asked, without what is to be read */
    struct sim_words words;         /* of the question */
    struct sim_sentences sentences; /* of the tool results and the prompt, ranked */
    size_t first;                   /* message after the last user message */
    size_t results, rounds;         /* tool results that are no errors; turns with tool calls */
    int best;                       /* score of the best sentence */
};

void sim_reading_init(struct rv_ctx *cx, const struct llm_request *request,
                      struct sim_reading *reading);

/* Text, or a JSON object with the keys that the prompt names, within max_output_tokens. */
const char *sim_answer(struct rv_ctx *cx, const struct llm_request *request,
                       const struct sim_reading *reading, bool *cut);
