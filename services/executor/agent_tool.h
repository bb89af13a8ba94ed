#pragma once

/* A tool call that a model made: checked, governed, done over HTTP, and told back to the model. */

#include "executor/llm.h"

/* @content is what the model reads; a mistake of the model's or a tool's failure is told there. */
rv_result agent_tool(struct rv_ctx *cx, struct work *work, const struct talk *talk,
                     const struct llm_tool_call *call, const char **content);

/* @text with every {name} replaced by the argument of that name; @encode: percent-encoded. */
const char *agent_fill(struct rv_ctx *cx, const char *text, json_t *arguments, bool encode);
