#include "contract/subjects.h"

#include <stddef.h>

const struct rv_subject *const contract_subjects[] = {
    &SUBJ_RUN_CREATE,
    &SUBJ_RUN_CONTROL,
    &SUBJ_PLAN_GET,
    &SUBJ_TASK_CLAIM,
    &SUBJ_TASK_OFFER,
    &SUBJ_TASK_REPORT,
    &SUBJ_TASK_RENEW,
    &SUBJ_TASK_RECORD,
    &SUBJ_JOURNAL_GET,
    &SUBJ_EVENT_ADD,
    &SUBJ_APPROVAL_DECIDED,
    &SUBJ_DEAD_LETTER,
    &SUBJ_DEAD_LETTER_REQUEUE,
    &SUBJ_EVENT,
    &SUBJ_SCORING,
    &SUBJ_EVENT_RELAYED,
    &SUBJ_POLICY_DECIDE,
    &SUBJ_POLICY_PUT,
    &SUBJ_APPROVAL_DECIDE,
    &SUBJ_BUDGET_HOLD,
    &SUBJ_BUDGET_SETTLE,
    &SUBJ_BUDGET_PUT,
    &SUBJ_TASK_CANCEL,
    &SUBJ_WORK,
    &SUBJ_LIVE,
    NULL,
};

const struct rv_stream *const contract_streams[] = { &STREAM_WORK, &STREAM_EVENTS, &STREAM_SCORING,
                                                     NULL };
