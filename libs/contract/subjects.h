#pragma once

/*
 * Everything that is said between services, and who answers it. A subject's records are in
 * domain; its wire types are in proto/ and are known in subjects_*.c only.
 */

#include "runtime/stream.h"
#include "runtime/subject.h"

/* scheduler */
extern const struct rv_subject SUBJ_RUN_CREATE;          /* run_ask → run_answer, batch */
extern const struct rv_subject SUBJ_RUN_CONTROL;         /* run_control → run_controlled */
extern const struct rv_subject SUBJ_PLAN_GET;            /* plan_ask → plan_text */
extern const struct rv_subject SUBJ_TASK_CLAIM;          /* task_claim → task_claimed, batch */
extern const struct rv_subject SUBJ_TASK_OFFER;          /* task_offer → task_grants */
extern const struct rv_subject SUBJ_TASK_REPORT;         /* task_report → task_reported, batch */
extern const struct rv_subject SUBJ_TASK_RENEW;          /* task_renew → task_renewed, batch */
extern const struct rv_subject SUBJ_TASK_RECORD;         /* task_call → task_recorded, batch */
extern const struct rv_subject SUBJ_JOURNAL_GET;         /* journal_ask → journal */
extern const struct rv_subject SUBJ_EVENT_ADD;           /* event_add → event_added, batch */
extern const struct rv_subject SUBJ_APPROVAL_DECIDED;    /* approval_ref, news */
extern const struct rv_subject SUBJ_DEAD_LETTER;         /* dead_letter, news */
extern const struct rv_subject SUBJ_DEAD_LETTER_REQUEUE; /* dead_letter_ref → dead_letter */

/* policy */
extern const struct rv_subject SUBJ_POLICY_DECIDE;   /* policy_ask → decision, batch */
extern const struct rv_subject SUBJ_POLICY_PUT;      /* policy → policy */
extern const struct rv_subject SUBJ_APPROVAL_DECIDE; /* approval_verb → approval */

/* budget */
extern const struct rv_subject SUBJ_BUDGET_HOLD; /* hold_ask → hold, batch */
extern const struct rv_subject
    SUBJ_BUDGET_SETTLE; /* settle_ask → settled, batch; also without an answer */
extern const struct rv_subject SUBJ_BUDGET_PUT; /* budget → budget */

/* executor: every one of them hears it (no queue group) */
extern const struct rv_subject SUBJ_TASK_CANCEL; /* task_ref, news */

/* Streams and what is said on them. */
extern const struct rv_subject SUBJ_WORK;  /* task_bundle, on reeve.work.<class>.<priority> */
extern const struct rv_subject SUBJ_EVENT; /* event, on reeve.ev.<project>.<run>.<noun>.<past> */
extern const struct rv_subject
    SUBJ_SCORING; /* event, on reeve.scoring.<project>.<run>: a completed run that has scorers */
extern const struct rv_subject
    SUBJ_EVENT_RELAYED;                   /* event, news: for every gateway, in one piece */
extern const struct rv_subject SUBJ_LIVE; /* live_delta, on reeve.live.<project>.<run>, core */
extern const struct rv_stream STREAM_WORK, STREAM_EVENTS, STREAM_SCORING;

/* All streams, for the catalogue and for who asks what is kept; ends with NULL. */
extern const struct rv_stream *const contract_streams[];

/* All of them, for the parity test and the catalogue in proto/README.md; ends with NULL. */
extern const struct rv_subject *const contract_subjects[];
