#pragma once

/*
 * Providers: where answers of models come from. Each make is a file provider_<name>.c with one
 * struct of functions. The shape of a conversation is ours; a provider turns it into its wire's.
 */

#include "domain/plan.h"
#include "runtime/http_client.h"

struct llm_tool_call {
    const char *id, *name;
    const char *arguments; /* JSON as the model wrote it: it may be broken */
};

struct llm_message {
    const char *role; /* system, user, assistant, tool */
    const char *content;
    const struct llm_tool_call *tool_calls; /* of assistant */
    size_t n_tool_calls;
    const char *tool_call_id; /* of tool */
};

struct llm_request {
    const char *model;
    const struct llm_message *messages;
    size_t n_messages;
    const struct tool_spec *const *tools;
    size_t n_tools;
    int64_t max_output_tokens;
    double temperature;
    enum output_format format;
};

/* What came back; also what the journal keeps of a call. */
struct llm_answer {
    const char *content;
    struct llm_tool_call *tool_calls;
    size_t n_tool_calls;
    const char *finish_reason; /* stop, length, tool_calls, content_filter */
    int64_t tokens_in, tokens_cached, tokens_out;
    bool estimated; /* the provider did not count: by bytes */
};
extern const struct rv_record llm_answer_record;

/* Why nothing came back. */
struct llm_failure {
    const char *code; /* llm_unavailable, provider_quota, llm_refused, llm_cut … */
    bool retryable;
    bool spent; /* part of an answer came: it costs something */
    int64_t retry_after_ms;
};

struct llm_conn {
    struct rv_http_client *http;
    const char *base_url, *api_key;
    int64_t delay_ms; /* of the built-in model, for a word */
    bool (*is_over)(void *arg);
    void (*on_delta)(void *arg, const char *kind, const char *text, size_t len, int64_t index);
    void *arg;
};

struct provider_ops {
    const char *name;
    /* Asks once, with retries of what has cost nothing; fills @failure when it returns a failure.
     */
    enum rv_status (*complete)(struct rv_ctx *cx, const struct llm_conn *conn,
                               const struct llm_request *request, struct llm_answer *answer,
                               struct llm_failure *failure);
};
extern const struct provider_ops provider_openai, provider_sim;

/* Bytes of everything that is sent, with room for what a wire adds: never below the tokens in it.
 */
int64_t llm_request_bytes(const struct llm_request *request);
