#pragma once

/*
 * What progress.c and progress_report.c share: the outbox, the data of events, and the moves.
 * Nobody else includes this.
 */

#include <stdbool.h>

#include "domain/progress.h"

/* Room for one more in an array of the outbox, which lives as long as the unit of work. */
void *progress_room(struct rv_ctx *cx, void *items, size_t size, size_t n, size_t *room);

#define ONE_MORE(p, list)                                                                          \
    ((p)->outbox->list = progress_room((p)->cx, (p)->outbox->list, sizeof(*(p)->outbox->list),     \
                                       (p)->outbox->n_##list, &(p)->outbox->list##_room),          \
     &(p)->outbox->list[(p)->outbox->n_##list++])

/* The data of an event: a small JSON object. */
struct fact {
    const char *name, *text; /* text NULL: a number */
    int64_t number;
};
const char *progress_facts(struct rv_ctx *cx, const struct fact *facts);

#define FACTS(p, ...) progress_facts((p)->cx, (const struct fact[]){ __VA_ARGS__, { 0 } })

static inline const char *said(const char *text)
{
    return text ? text : "";
}

/* Takes an arrow; false, and nothing changes, when there is none. */
bool progress_move(struct task *task, enum task_event event);
void progress_announce(struct progress *p, const struct task *task);
void progress_make_ready(struct progress *p, struct task *task, enum task_event event);

/* A failure as JSON text, as rows keep it. */
const char *progress_failure(struct progress *p, const char *code, const char *message,
                             bool retryable);

/* The run is over: nothing of it is live or open, whatever its tasks were doing. */
void progress_end(struct progress *p, enum run_event event, enum run_phase phase);

/* Fence, lease and executor of a claim; the task is on its way at once: whoever asks has room. */
void progress_grant(struct progress *p, struct task *task, const char *executor_id);
