#pragma once

/* Which tool the built-in model uses, and with what. */

#include "executor/sim_answer.h"

/* One call of a suitable tool; NULL when it has read enough, or there is none. */
struct llm_tool_call *sim_call_tool(struct rv_ctx *cx, const struct llm_request *request,
                                    const struct sim_reading *reading);
