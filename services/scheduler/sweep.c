#include <string.h>

#include "base/log.h"
#include "batch.h"
#include "contract/subjects.h"
#include "store/sql.h"

enum { PAGE_MAX = 5000, DUE_MAX = 500 }; /* as the statements say */

static const char FIRST_RUN[] = "00000000-0000-0000-0000-000000000000";

struct mending {
    struct task_ref *tasks, *runs;
    size_t n_tasks, n_runs;
};

static bool is_expired(const struct mending *due, const struct run *run)
{
    for (size_t i = 0; i < due->n_runs; i++)
        if (strcmp(due->runs[i].run_id, run->run_id) == 0)
            return true;
    return false;
}

/* What was due when we looked may have been done meanwhile: under the lock it is looked at again.
 */
static void mend(struct batch *batch, const struct mending *due)
{
    for (size_t i = 0; i < due->n_tasks; i++) {
        const struct task_ref *ref = &due->tasks[i];
        struct progress *p = batch_run(batch, ref->tenant_id, ref->run_id);
        struct task *task = batch_task(batch, ref->tenant_id, ref->run_id, ref->task_no);
        int64_t now;

        if (!p || !task || run_is_over(p->run->state))
            continue;
        now = p->run->now_ms;
        if (task_is_live(task->state) && task->lease_until_ms < now) {
            rv_count(&scheduler_metric_rows[METRIC_LEASES_LOST], 1);
            progress_lost(p, task);
        } else if (p->run->phase == PHASE_CANCELLING || p->run->phase == PHASE_AWAITING_APPROVAL) {
            continue;
        } else if (task->state == TASK_READY ||
                   (task->state == TASK_PENDING && task->not_before_ms &&
                    task->not_before_ms <= now && task->open_needs == 0)) {
            progress_ready(p, task);
        }
    }
    for (size_t i = 0; i < batch->n_runs; i++)
        if (!batch->progress[i].plan)
            progress_plan_broken(&batch->progress[i]);
        else if (is_expired(due, &batch->runs[i]))
            progress_expired(&batch->progress[i]);
}

static rv_result mend_some(struct rv_ctx *cx, struct scheduler_service *service,
                           const struct mending *due, const struct task_ref *refs, size_t n)
{
    struct batch batch;

    batch_init(&batch, cx, service);
    RV_TRY(cx, batch_load(&batch, refs, n, false));
    mend(&batch, due);
    return batch_save(&batch);
}

/* One run that cannot be mended must not keep the others from it. */
static rv_result mend_each(struct rv_ctx *cx, struct scheduler_service *service,
                           const struct mending *due, const struct task_ref *refs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        enum rv_status status;

        cx->error = (struct rv_error){ 0 };
        status = mend_some(cx, service, due, &refs[i], 1);
        if (status == RV_OK)
            status = rv_db_commit(cx);
        if (status == RV_OK) {
            rv_ctx_run_after(cx);
            continue;
        }
        rv_log_failure(cx, "a run cannot be mended", refs[i].run_id);
        rv_db_rollback(cx);
        cx->after = NULL;
        if (rv_status_retry(status))
            return status;
    }
    return RV_OK;
}

static rv_result mend_all(struct rv_ctx *cx, struct scheduler_service *service,
                          const struct mending *due)
{
    size_t n = due->n_tasks + due->n_runs;
    struct task_ref *refs = rv_new_array(cx, struct task_ref, n);
    enum rv_status status;

    if (n == 0)
        return RV_OK;
    if (due->n_tasks)
        memcpy(refs, due->tasks, due->n_tasks * sizeof(*refs));
    if (due->n_runs)
        memcpy(refs + due->n_tasks, due->runs, due->n_runs * sizeof(*refs));
    RV_TRY(cx, rv_db_commit(cx)); /* the locks come first in a transaction that writes */
    status = mend_some(cx, service, due, refs, n);
    if (status == RV_OK)
        status = rv_db_commit(cx);
    if (status == RV_OK || rv_status_retry(status))
        return status;
    rv_db_rollback(cx);
    cx->after = NULL;
    return mend_each(cx, service, due, refs, n);
}

/* Approvals that were decided while nobody listened: the news is said again. */
struct retelling {
    struct scheduler_service *service;
    const struct rv_rows *rows;
};

static void retell(struct rv_ctx *cx, void *arg)
{
    struct retelling *again = arg;

    if (rv_bus_tell(cx, again->service->runtime->bus, &SUBJ_APPROVAL_DECIDED, again->rows->items,
                    again->rows->n) != RV_OK)
        rv_warn(cx, "an approval was not told; tried again at the next sweep");
}

static void tell_approvals(struct rv_ctx *cx, struct scheduler_service *service,
                           const struct rv_rows *rows)
{
    struct retelling *again = rv_new(cx, struct retelling);
    struct rv_rows *kept = rv_new(cx, struct rv_rows);

    *kept = *rows;
    *again = (struct retelling){ service, kept };
    if (rows->n)
        rv_after(cx, retell, again);
}

/* The last run of a list that was cut at @max; NULL: it was not. */
static const char *last_of(const struct rv_rows *refs, size_t max)
{
    return refs->n < max ? NULL : ((const struct task_ref *)refs->items)[refs->n - 1].run_id;
}

static const char *earlier(const char *a, const char *b)
{
    return !a || (b && strcmp(b, a) < 0) ? b : a;
}

/*
 * Walks the runs that are not over, a page at a time: leases that ran out, tasks announced and
 * never taken, waits that are over, deadlines, approvals nobody heard of. Safe with two: every
 * mend looks again under the run's lock.
 */
enum rv_status tick_sweep(struct rv_ctx *cx, void *state, struct rv_tick_next *next)
{
    struct scheduler_service *service = state;
    struct task_ref from = { .run_id = service->sweep_after[0] ? service->sweep_after : FIRST_RUN };
    struct rv_rows page, tasks, runs, approvals;
    const char *after;
    struct rv_in in;

    RV_TRY(cx,
           rv_db_rows(cx, &SQL_RUNS_OPEN_PAGE, rv_in(task_ref, &from), &task_ref_record, &page));
    service->sweep_after[0] = '\0';
    if (page.n == 0)
        return RV_OK;
    in = rv_in_many(task_ref, page.items, page.n);
    RV_TRY(cx, rv_db_read(cx, &SQL_TASKS_DUE, in, &task_ref_record, &tasks));
    RV_TRY(cx, rv_db_read(cx, &SQL_RUNS_DUE, in, &task_ref_record, &runs));
    RV_TRY(cx, rv_db_read(cx, &SQL_APPROVALS_DUE, in, &approval_ref_record, &approvals));
    RV_TRY(cx, rv_db_sync(cx));
    after = earlier(last_of(&tasks, DUE_MAX), last_of(&runs, DUE_MAX));
    after = after ? after : last_of(&page, PAGE_MAX);
    if (after) {
        memcpy(service->sweep_after, after, sizeof(FIRST_RUN));
        next->again = true;
    }
    tell_approvals(cx, service, &approvals);
    return mend_all(cx, service, &(struct mending){ tasks.items, runs.items, tasks.n, runs.n });
}
