#pragma once

/*
 * Work: what the gateway, the scheduler and the executors say to each other about runs and tasks.
 * Batches carry any number of these; each gets its own answer (a verdict), in order.
 */

#include "domain/policy.h"
#include "domain/run.h"
#include "domain/task.h"

/* -- gateway → scheduler: make a run ---------------------------------------------------- */

#define ADMIT_VERDICTS(X)                                                                          \
    X(ADMIT_CREATED, 1, "created")                                                                 \
    X(ADMIT_PARKED, 2, "parked")                                                                   \
    X(ADMIT_DENIED, 3, "denied")                                                                   \
    X(ADMIT_OVER_BUDGET, 4, "over_budget")                                                         \
    X(ADMIT_REPEATED, 5, "repeated")                                                               \
    X(ADMIT_CONFLICT, 6, "conflict")                                                               \
    X(ADMIT_INVALID, 7, "invalid")
RV_ENUM_DECLARE(admit_verdict, ADMIT_VERDICTS)

struct run_ask {
    const char *tenant_id, *run_id, *project_id,
        *plan_id;                               /* run_id is the caller's: twice is once */
    enum priority priority;                     /* 0: normal */
    const char *input, *labels;                 /* JSON */
    int64_t limit_microusd, limit_tokens;       /* 0: the plan's, else the default */
    const char *idempotency_key, *request_hash; /* NULL: none */
    const char *created_by, *trace_id;
};
struct run_answer {
    enum admit_verdict verdict;
    const char *run_id; /* with repeated: the first one's */
    const char *reason; /* for people, when it was not created */
    const char *decision_id, *policy, *rule, *approval_id;
    const char *budget; /* that refuses */
    int64_t left_microusd, left_tokens;
};

/* -- anybody → scheduler: steer a run --------------------------------------------------- */

#define CONTROL_VERDICTS(X)                                                                        \
    X(CONTROL_DONE, 1, "done")                                                                     \
    X(CONTROL_ALREADY, 2, "already")                                                               \
    X(CONTROL_NOT_FOUND, 3, "not_found")                                                           \
    X(CONTROL_ILLEGAL, 4, "illegal")
RV_ENUM_DECLARE(control_verdict, CONTROL_VERDICTS)

struct run_control {
    const char *tenant_id, *run_id;
    enum run_event verb; /* cancel */
    const char *reason, *by;
};
struct run_controlled {
    enum control_verdict verdict;
    enum run_state state;
    enum run_phase phase;
};

/* -- scheduler → executors: there is work; and stop ------------------------------------- */

struct task_ref {
    const char *tenant_id, *run_id;
    int64_t task_no;
};
struct task_bundle { /* released by one commit, for one class and priority */
    struct task_ref *items;
    size_t n_items;
};

/* -- executor → scheduler ---------------------------------------------------------------- */

#define CLAIM_VERDICTS(X)                                                                          \
    X(CLAIM_GRANTED, 1, "granted")                                                                 \
    X(CLAIM_GONE, 2, "gone")
RV_ENUM_DECLARE(claim_verdict, CLAIM_VERDICTS)

struct task_claim {
    const char *tenant_id, *run_id;
    int64_t task_no;
    const char *executor_id;
};
/* All an executor needs to do the task, under @fence, until the lease ends or is renewed. */
struct task_claimed {
    enum claim_verdict verdict;
    const char *tenant_id, *run_id;
    int64_t task_no, fence, attempt, calls;
    int64_t lease_ms; /* from now */
    const char *plan_id, *project_id, *hold_id, *trace_id;
    const char *input;    /* JSON: of the run */
    const char *outputs;  /* JSON object: node_id → output, of the steps that it may look at */
    const char **skipped; /* those of them that were skipped */
    size_t n_skipped;
};

/*
 * Free hands: an executor offers to begin at once, and is answered with tasks that are granted to
 * it in the very commit that made them ready; after a second with none. Its lease counts from the
 * ask.
 */
struct task_offer {
    const char *executor_id;
    const char **classes; /* beside any */
    size_t n_classes;
    const char **at_once; /* kinds of steps that need no place */
    size_t n_at_once;
    int64_t places; /* steps of other kinds it may be given */
};
struct task_grants {
    struct task_claimed *items;
    size_t n_items;
};

#define OUTCOMES(X)                                                                                \
    X(OUTCOME_COMPLETED, 1, "completed")                                                           \
    X(OUTCOME_FAILED, 2, "failed")                                                                 \
    X(OUTCOME_CANCELLED, 3, "cancelled")                                                           \
    X(OUTCOME_HANDED_BACK, 4, "handed_back")                                                       \
    X(OUTCOME_NEEDS_APPROVAL, 5, "needs_approval")                                                 \
    X(OUTCOME_SKIPPED, 6, "skipped")
RV_ENUM_DECLARE(outcome, OUTCOMES)

#define REPORT_VERDICTS(X)                                                                         \
    X(REPORT_RECORDED, 1, "recorded")                                                              \
    X(REPORT_STALE, 2, "stale")                                                                    \
    X(REPORT_CANCEL, 3, "cancel")
RV_ENUM_DECLARE(report_verdict, REPORT_VERDICTS)

struct task_report {
    const char *tenant_id, *run_id;
    int64_t task_no, fence;
    const char *executor_id;
    enum outcome outcome;
    const char *output;      /* JSON */
    struct failure *failure; /* of failed */
    const char *approval_id; /* of needs_approval */
    int64_t retry_after_ms;  /* of failed: not sooner than this; 0: the plan's back-off */
    bool wants_next;         /* a slot is free for what comes after it in the same run */
};
struct task_reported {
    enum report_verdict verdict;
    struct task_claimed *next; /* claimed for the same executor already; NULL: nothing */
};

/* Renews a lease; "cancel" asks to stop and report cancelled. */
struct task_renew {
    const char *tenant_id, *run_id;
    int64_t task_no, fence;
    const char *executor_id;
};
struct task_renewed {
    enum report_verdict verdict;
    int64_t lease_ms;
};

/* -- the journal: every outside call of a step, recorded before the step goes on ---------- */

#define CALL_KINDS(X)                                                                              \
    X(CALL_LLM, 1, "llm")                                                                          \
    X(CALL_TOOL, 2, "tool")
RV_ENUM_DECLARE(call_kind, CALL_KINDS)

struct task_call {
    const char *tenant_id, *run_id;
    int64_t task_no, fence, call_no; /* call_no: 1, 2, 3 … of the task, over all attempts */
    enum call_kind kind;
    const char *name; /* the model or the tool */
    const char *provider;
    struct rv_bytes frame;          /* msgpack: what the executor needs to go on from here */
    const char *request, *response; /* JSON, cut to 4 KiB: for people */
    bool ok;
    const char *error;
    int64_t cost_microusd, tokens_in, tokens_cached, tokens_out; /* cached: of those in */
    const char *decision_id, *hold_id; /* both always: no call without a verdict and a hold */
    int64_t started_at_ms, took_ms;
};
struct task_recorded {
    enum report_verdict verdict;
};
/* Of frames in a page of the journal: what one message can carry. No frame may be larger. */
enum { JOURNAL_PAGE_BYTES = 700 * 1024 };

struct journal_ask {
    const char *tenant_id, *run_id;
    int64_t task_no;
    int64_t after_call_no; /* 0: from the first; what does not fit is asked for with the next */
};
struct journal {
    struct task_call *calls;
    size_t n_calls;
};

struct plan_ask {
    const char *tenant_id, *plan_id;
};
struct plan_text {
    const char *spec; /* JSON of a plan */
};

/* -- policy → scheduler: a human has decided --------------------------------------------- */
struct approval_ref {
    const char *tenant_id, *approval_id;
};

extern const struct rv_record run_ask_record, run_answer_record, run_control_record,
    run_controlled_record, task_ref_record, task_bundle_record, task_claim_record,
    task_claimed_record, task_offer_record, task_grants_record, task_report_record,
    task_reported_record, task_renew_record, task_renewed_record, task_call_record,
    task_call_view_record, task_recorded_record, journal_ask_record, journal_record,
    plan_ask_record, plan_text_record, approval_ref_record;
