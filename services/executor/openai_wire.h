#pragma once

/* What OpenAI-compatible servers say, as records; what they add is passed over. */

#include "base/buf.h"
#include "executor/provider.h"
#include "runtime/codec.h"

struct wire_function {
    const char *name, *arguments;
};
struct wire_tool_call {
    int64_t index;
    const char *id;
    struct wire_function *function;
};
struct wire_message { /* a delta of a stream, or a whole message */
    const char *content, *refusal;
    struct wire_tool_call *tool_calls;
    size_t n_tool_calls;
};
struct wire_choice {
    struct wire_message *delta, *message;
    const char *finish_reason;
};
struct wire_cached {
    int64_t cached_tokens;
};
struct wire_usage {
    int64_t prompt_tokens, completion_tokens;
    struct wire_cached *prompt_tokens_details;
};
struct wire_error {
    const char *message, *type;
    const char *code; /* JSON: a text or a number */
};
struct wire_chunk {
    struct wire_choice *choices;
    size_t n_choices;
    struct wire_usage *usage;
    struct wire_error *error;
};
extern const struct rv_record wire_chunk_record;

/* The body of a request; @old_limit says max_tokens instead of max_completion_tokens. */
const char *openai_request(struct rv_ctx *cx, const struct llm_request *request, bool old_limit);

/* An answer put together from pieces. */
struct openai_answer {
    struct rv_buf content;
    struct openai_call {
        int64_t index;
        struct rv_buf id, name, arguments;
    } calls[64];
    size_t n_calls;
    char finish[32];
    bool done, counted, failed;
    int64_t tokens_in, tokens_cached, tokens_out;
    char error[300], error_type[64], error_code[64];
};

/* Adds one chunk (or a whole completion); false when it is no JSON of that shape. */
bool openai_add(struct openai_answer *answer, const char *json, size_t len,
                const struct llm_conn *conn);
bool openai_begun(const struct openai_answer *answer); /* something of it has come */
void openai_finish(struct rv_ctx *cx, const struct openai_answer *answer,
                   const struct llm_request *request, struct llm_answer *out);
void openai_release(struct openai_answer *answer);
