#pragma once

/*
 * Slots: threads that do one step each, with blocking calls. A slot owns its way out: one http
 * client for steps and tools, one for the model (which may be on a private address of its own).
 */

#include "executor/executor.h"
#include "runtime/http_client.h"

struct slots;

struct slot {
    struct rv_http_client *http, *llm_http;
};

rv_result slots_new(struct rv_ctx *cx, struct executor *executor, struct slots **slots);
void slots_push(struct slots *slots, struct job *job); /* the room has a place for it */

/* What has not begun is handed back; what is at work may finish for @grace_ms, then too. */
void slots_end(struct slots *slots, int64_t grace_ms);
void slots_free(struct slots *slots); /* NULL is fine */

/* Room for a slot's clients: for tests that do steps without threads. */
void slot_open(const struct executor *executor, struct slot *slot);
void slot_close(struct slot *slot);
