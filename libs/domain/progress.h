#pragma once

/*
 * Progress: how a run moves on. The only place that says what a claim, a report, a lost lease, an
 * approval or a cancel does to a run and its tasks, and which events tell of it.
 *
 * Pure: rows come in as structs, are changed in memory and marked changed, and are saved by the
 * scheduler in the same transaction. Whoever calls holds the run's lock, so what it read is true.
 * Times are Postgres' clock, read with the run (run->now_ms).
 */

#include "domain/event.h"
#include "domain/plan.h"
#include "domain/work.h"

enum {
    FACT_BYTES_MAX = 2048,
    ATTEMPTS_LOST_MAX = 5,
    BACK_OFF_MAX_MS = 60000,
    RETRY_AFTER_MAX_MS = 3600 * 1000
};

/* A claim that was granted, as it is kept. */
struct attempt {
    const char *tenant_id, *run_id;
    int64_t task_no, fence;
    const char *executor_id;
};
extern const struct rv_record attempt_record;

/* What a unit of work has brought about, over all the runs it touched. */
struct outbox {
    struct event *events;
    size_t n_events, events_room;
    struct attempt *attempts;
    size_t n_attempts, attempts_room;
    struct announcement {
        struct task_ref ref;
        const char *class_name;
        enum priority priority;
    } * ready; /* tasks that anybody may claim now */
    size_t n_ready, ready_room;
    struct run **over; /* runs that ended: their open tasks go, their holds are settled */
    size_t n_over, over_room;
    struct run **cancelling; /* runs whose waiting tasks go while live ones are asked to stop */
    size_t n_cancelling, cancelling_room;
};

/* One run in this unit of work. */
struct progress {
    struct rv_ctx *cx;
    struct outbox *outbox;
    struct run *run;
    const struct plan *plan;
    const struct dag *dag;
    int64_t lease_ms;
};

/* The rows of a run that is new: pending, its first tasks ready when @admitted. */
struct task *progress_create(struct progress *p, const struct run_ask *ask, bool admitted);

/* How admission may end instead: parked for a human, or refused (state failed). */
void progress_parked(struct progress *p, const struct decision *decision);
void progress_refused(struct progress *p, enum run_phase phase, const char *code,
                      const char *reason, const struct decision *decision);

/* A human said yes to the run: its first tasks (@tasks: all of the run) become ready. */
void progress_approved(struct progress *p, struct task *tasks, size_t n_tasks, const char *by);

/* Grants @task to an executor, with the next fence. False: somebody else has it, or it is over. */
bool progress_claim(struct progress *p, struct task *task, const char *executor_id);

/*
 * Takes a report in. @after: the tasks that wait for this one, in the order of the dag. @next is a
 * task that has become ready and is granted to the same executor at once, when it asked for one.
 */
enum report_verdict progress_report(struct progress *p, struct task *task,
                                    const struct task_report *report, struct task **after,
                                    size_t n_after, struct task **next);

/*
 * Takes a grant back that cannot be told: handed back for later, or, when it never fits into a
 * message (@too_large), a failure of its run.
 */
void progress_ungrant(struct progress *p, struct task *task, bool too_large);

/* Takes a call into the journal's account: counts it and its cost, and tells of it. */
enum report_verdict progress_record(struct progress *p, struct task *task,
                                    const struct task_call *call);

/* The lease ran out: ready again under a new fence, or failed when it was lost too often. */
void progress_lost(struct progress *p, struct task *task);

/* The run took longer than its plan allows; or its plan cannot be read any more. */
void progress_expired(struct progress *p);
void progress_plan_broken(struct progress *p);

/* The time to wait is over, or a human approved a call of it. */
void progress_ready(struct progress *p, struct task *task);
void progress_task_decided(struct progress *p, struct task *task, bool approved, const char *by);

/* Asks a run to stop. */
enum control_verdict progress_cancel(struct progress *p, const char *reason, const char *by);

/* Adds an event to the run's log. @data is a JSON object or NULL. */
struct event *progress_event(struct progress *p, const char *type, const struct task *task,
                             const char *data);

/* How long to wait before the attempt after @attempt: doubles, at most a minute. */
int64_t back_off_ms(const struct retry_spec *retry, int64_t attempt);
