#include "contract/message.h"
#include "domain/dead_letter.h"
#include "domain/event.h"
#include "domain/work.h"
#include "reeve/v1/event.pb-c.h"
#include "reeve/v1/policy.pb-c.h"
#include "reeve/v1/run.pb-c.h"
#include "reeve/v1/task.pb-c.h"

/* clang-format off */
const struct rv_subject SUBJ_RUN_CREATE = {
    "reeve.scheduler.run_create", RV_BATCH, BATCH_OF(run_ask), BATCH_OF(run_answer),
};
const struct rv_subject SUBJ_RUN_CONTROL = {
    "reeve.scheduler.run_control", RV_REQUEST, MESSAGE(run_control), MESSAGE(run_controlled),
};
const struct rv_subject SUBJ_PLAN_GET = {
    "reeve.scheduler.plan_get", RV_REQUEST, MESSAGE(plan_ask), MESSAGE(plan_text),
};
const struct rv_subject SUBJ_TASK_CLAIM = {
    "reeve.scheduler.task_claim", RV_BATCH, BATCH_OF(task_claim), BATCH_OF(task_claimed),
};
const struct rv_subject SUBJ_TASK_OFFER = {
    "reeve.scheduler.task_offer", RV_REQUEST, MESSAGE(task_offer), MESSAGE(task_grants),
};
const struct rv_subject SUBJ_TASK_REPORT = {
    "reeve.scheduler.task_report", RV_BATCH, BATCH_OF(task_report), BATCH_OF(task_reported),
};
const struct rv_subject SUBJ_TASK_RENEW = {
    "reeve.scheduler.task_renew", RV_BATCH, BATCH_OF(task_renew), BATCH_OF(task_renewed),
};
const struct rv_subject SUBJ_TASK_RECORD = {
    "reeve.scheduler.task_record", RV_BATCH, BATCH_OF(task_call), BATCH_OF(task_recorded),
};
const struct rv_subject SUBJ_JOURNAL_GET = {
    "reeve.scheduler.journal_get", RV_REQUEST, MESSAGE(journal_ask), MESSAGE(journal),
};
const struct rv_subject SUBJ_EVENT_ADD = {
    "reeve.scheduler.event_add", RV_BATCH, BATCH_OF(event_add), BATCH_OF(event_added),
};
const struct rv_subject SUBJ_APPROVAL_DECIDED = {
    "reeve.scheduler.approval_decided", RV_NEWS, BATCH_OF(approval_ref), { 0 },
};
const struct rv_subject SUBJ_DEAD_LETTER = {
    "reeve.scheduler.dead_letter", RV_NEWS, BATCH_OF(dead_letter), { 0 },
};
const struct rv_subject SUBJ_DEAD_LETTER_REQUEUE = {
    "reeve.scheduler.dead_letter_requeue", RV_REQUEST, MESSAGE(dead_letter_ref), MESSAGE(dead_letter),
};
const struct rv_subject SUBJ_EVENT = {
    "reeve.ev", RV_EVENT, MESSAGE(event), { 0 },
};
const struct rv_subject SUBJ_SCORING = {
    "reeve.scoring", RV_EVENT, MESSAGE(event), { 0 },
};
const struct rv_subject SUBJ_EVENT_RELAYED = {
    "reeve.gateway.event_relayed", RV_NEWS, BATCH_OF(event), { 0 },
};
/* clang-format on */

const struct rv_stream STREAM_EVENTS = {
    .name = "REEVE_EVENTS",
    .subjects = "reeve.ev.>",
    .max_age_ms = 7LL * 24 * 3600 * 1000,
    .max_bytes = 2LL * 1024 * 1024 * 1024,
};

/*
 * The completions of runs that have scorers, for the evaluator. Most runs have none; and what reads
 * a stream as it is written keeps the server from using its memory again, so the large one is left
 * to those who want all of it.
 */
const struct rv_stream STREAM_SCORING = {
    .name = "REEVE_SCORING",
    .subjects = "reeve.scoring.>",
    .max_age_ms = 7LL * 24 * 3600 * 1000,
    .max_bytes = 256LL * 1024 * 1024,
};
