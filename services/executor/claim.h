#pragma once

/* Claims: from messages that announce tasks to jobs at work. */

#include "executor/executor.h"
#include "runtime/stream.h"

/* What one puller has learned of its work. */
struct claiming {
    size_t reach;       /* tasks it may claim beyond the free places: all were pure lately */
    size_t per_message; /* tasks a message had, lately */
    size_t most; /* tasks in one request: fewer, when answers were too large; 0: not yet so */
};

/* How many messages to ask for, so that about as many tasks come as may be claimed. */
size_t claim_messages(const struct claiming *claiming, const struct executor *executor,
                      size_t most);

/* Claims as many of the tasks as may be, starts those that were granted, acknowledges. */
void claim_all(struct rv_ctx *cx, struct rv_ctx *scratch, struct executor *executor,
               struct claiming *claiming, const struct rv_delivery *items, size_t n);

/* Starts what was granted without having been asked for; the leases began at @asked_ms at least. */
void claim_granted(struct rv_ctx *cx, struct rv_ctx *scratch, struct executor *executor,
                   const struct task_claimed *granted, size_t n, int64_t asked_ms);

/* Gives the messages back, for others to take after @delay_ms. */
void claim_refuse(struct executor *executor, const struct rv_delivery *items, size_t n,
                  int64_t delay_ms);
