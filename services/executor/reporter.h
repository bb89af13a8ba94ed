#pragma once

/*
 * Reporter: tells the scheduler what came out of tasks, all that wait in one request. An answer
 * may carry the next task of the run, claimed for us already: it is started at once. A report
 * nobody answers is sent again until the task's lease has run out.
 */

#include "executor/executor.h"

struct reporter;

rv_result reporter_new(struct rv_ctx *cx, struct executor *executor, struct reporter **reporter);
void reporter_add(struct reporter *reporter, struct job *job); /* the job is the reporter's now */
size_t reporter_waiting(struct reporter *reporter);            /* not answered yet */

/* Ends when all is answered or @grace_ms have passed. NULL is fine. */
void reporter_free(struct reporter *reporter, int64_t grace_ms);
