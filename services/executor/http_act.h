#pragma once

/*
 * One HTTP call of a step or a tool: governed, made, and described. What it came to is a record,
 * so that the journal can keep it.
 */

#include "executor/journal.h"

struct http_ask {
    const char *method, *url;
    json_t *headers; /* object of texts; NULL: none */
    json_t *body;    /* a text is sent as it is; NULL: none */
    enum output_format parse;
    enum tool_effect effect;
    int64_t timeout_ms;
    const char *key; /* Idempotency-Key, unless the method only reads */
};

/* What came back. */
struct http_got {
    int64_t status; /* 0: nothing came */
    const char *content_type, *body;
    const char *code, *failure; /* a short word and many, when nothing came */
    bool retryable;
    int64_t retry_after_ms;
    const char *tool_call_id; /* of the model's call, in an agent */
};
extern const struct rv_record http_got_record;

/* Makes the call, once. Only what is wrong with this process is a failure; the rest is in @got. */
rv_result http_act(struct rv_ctx *cx, struct work *work, const struct http_ask *ask,
                   struct http_got *got);

bool http_reads(const char *method); /* GET and HEAD change nothing */

/* The same for every attempt at the same call of the same step. */
const char *http_key(struct rv_ctx *cx, const struct work *work, int64_t call_no);

/* {"status":…,"content_type":…,"body":…}; the body is JSON when @parse says so and it is. */
rv_result http_got_json(struct rv_ctx *cx, const struct http_got *got, enum output_format parse,
                        const char **json);

/* Text that any message can carry: without NULs, and in UTF-8 (what is not becomes a mark). */
const char *http_clean(struct rv_ctx *cx, const char *bytes, size_t len);

/* "GET https://…" as a JSON text, for people. */
const char *http_shown(struct rv_ctx *cx, const struct http_ask *ask);
