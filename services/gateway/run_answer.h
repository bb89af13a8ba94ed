#pragma once

/*
 * What a client hears of a run it asked for: from the scheduler's verdict alone. For a repeated key
 * the first answer is made again, from the run that was made then.
 */

#include "domain/work.h"
#include "plans.h"

/* Fills @view and says status and Location in @call; a refusal is the failure it is to a client. */
rv_result run_answer(struct rv_ctx *cx, struct call *call, const struct planned *planned,
                     const struct run_ask *ask, const struct run_answer *answer, struct run *view);

/* The run as whoever calls may see it; RV_NOT_FOUND otherwise. */
rv_result run_read(struct rv_ctx *cx, const char *tenant_id, const char *key_project,
                   const char *run_id, struct run *run);
