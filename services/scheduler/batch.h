#pragma once

/*
 * A batch: the runs and tasks that one unit of work is about. Locked and loaded together, moved on
 * in memory by domain/progress.h, saved together in the same transaction.
 */

#include "hand.h"
#include "plans.h"
#include "scheduler.h"

/* Tasks of a run that is read, and kept at hand, with all of them. tasks_of_small_runs has it too.
 */
enum { SMALL_RUN_TASKS = 16 };

struct batch {
    struct rv_ctx *cx;
    struct scheduler_service *service;
    struct outbox outbox;
    struct progress *progress; /* one a run, by run_id; the runs are theirs */
    struct run *runs;
    size_t n_runs;
    struct task **tasks; /* by run_id and task_no */
    size_t n_tasks;
    struct at_hand **at_hand; /* the runs that were not read */
    size_t n_at_hand;
};

void batch_init(struct batch *batch, struct rv_ctx *cx, struct scheduler_service *service);

/* Takes the locks of the runs of @refs; queued, so it goes out with the next read. */
rv_result batch_lock(struct batch *batch, const struct task_ref *refs, size_t n);

/*
 * Locks and loads the runs of @refs, their plans, and the tasks named. With @after also the tasks
 * that wait for the named ones; with task_no -1 all tasks of that run. What does not exist is
 * simply not there afterwards.
 */
rv_result batch_load(struct batch *batch, const struct task_ref *refs, size_t n, bool after);

/* A claim of a task that is ready, or a report of one that is live under @fence. */
struct taking {
    struct task_ref ref;
    int64_t fence; /* 0: a claim */
};

/*
 * The same for claims and reports, but runs that are at hand are not read: when all are, nothing is
 * sent before the save. Only what is going to be saved, and so found out when it is old, is taken
 * from the hand: a no is said from what was read.
 */
rv_result batch_take(struct batch *batch, const struct taking *takings, size_t n, bool after);

struct progress *batch_run(const struct batch *batch, const char *tenant_id, const char *run_id);
struct task *batch_task(const struct batch *batch, const char *tenant_id, const char *run_id,
                        int64_t task_no);

/* The tasks that wait for @task, as loaded; in the order of the plan. */
struct task **batch_after(struct batch *batch, const struct progress *p, const struct task *task,
                          size_t *n);

/* The loaded tasks of a run, by task_no, side by side. */
struct task *batch_tasks_of(const struct batch *batch, const struct run *run, size_t *n);

/*
 * Saves what changed and, once it is committed, tells: announces ready tasks, wakes the relay, asks
 * executors to stop what was cancelled, settles the holds of runs that are over.
 */
rv_result batch_save(struct batch *batch);

/* Once it is committed, what was saved is at hand for whoever comes next. */
void keep_after_commit(struct batch *batch);

/* What an executor needs to do @task. @outputs: of the steps before it, as JSON; NULL: it has none.
 */
struct task_claimed grant_of(const struct progress *p, const struct task *task,
                             const char *outputs);

/* Fills what an executor needs to do the tasks it was granted; reads the outputs they look at. */
rv_result batch_grants(struct batch *batch, struct task *const *tasks, size_t n,
                       struct task_claimed **claimed);
