#pragma once

/*
 * Talks with a model: each call is governed, journaled, settled, and told live while it is
 * written. What the journal has already is not called again.
 */

#include "executor/journal.h"
#include "executor/provider.h"

struct talk {
    const struct provider_ops *ops;
    struct llm_conn conn;
    struct llm_request request;
    struct llm_message *messages; /* request.messages, to be added to */
    size_t room;
    const char *agent; /* NULL: none */
};

/* Finds who answers for @model ("default": whatever the executor is set to). */
rv_result talk_open(struct rv_ctx *cx, struct work *work, const char *model, struct talk *talk);
void talk_add(struct rv_ctx *cx, struct talk *talk, struct llm_message message);

/* The model's next turn; it is not added to the talk yet. */
rv_result talk_turn(struct rv_ctx *cx, struct work *work, struct talk *talk,
                    struct llm_answer *answer);
