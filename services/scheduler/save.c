#include <string.h>

#include "batch.h"
#include "contract/subjects.h"
#include "domain/budget.h"
#include "store/sql.h"
#include "tell.h"

/* The ends of a run with several, whose output is an object of theirs. */
struct gather {
    const char *tenant_id, *run_id;
    const char **ends;
    size_t n_ends;
};
/* clang-format off */
static const struct rv_field gather_fields[] = {
    RV_UUID(gather,  tenant_id, 0),
    RV_UUID(gather,  run_id, 0),
    RV_TEXTS(gather, ends, 0),
};
static RV_RECORD(gather, gather_fields);
/* clang-format on */

enum { GATHER_MAX = 100 }; /* more ends than this are read through the tasks */

static rv_result gather_output(struct batch *batch, const struct run *run)
{
    const struct progress *p = batch_run(batch, run->tenant_id, run->run_id);
    struct gather gather = { .tenant_id = run->tenant_id, .run_id = run->run_id };

    if (!p || run->state != RUN_COMPLETED || p->dag->n_ends < 2 || p->dag->n_ends > GATHER_MAX)
        return RV_OK;
    gather.n_ends = p->dag->n_ends;
    gather.ends = rv_new_array(batch->cx, const char *, gather.n_ends);
    for (size_t i = 0; i < gather.n_ends; i++)
        gather.ends[i] = rv_printf(batch->cx, "%lld", (long long)p->dag->ends[i]);
    return rv_db_exec(batch->cx, &SQL_RUNS_GATHER, rv_in(gather, &gather));
}

static rv_result save_tasks(struct batch *batch)
{
    struct task *changed = rv_new_array(batch->cx, struct task, batch->n_tasks);
    size_t n = 0;

    for (size_t i = 0; i < batch->n_tasks; i++)
        if (batch->tasks[i]->changed)
            changed[n++] = *batch->tasks[i];
    return n ? rv_db_exec(batch->cx, &SQL_TASKS_SAVE, rv_in_many(task, changed, n)) : RV_OK;
}

/* A run has another version when one of its tasks has changed. */
static void raise_versions(struct batch *batch)
{
    for (size_t i = 0; i < batch->n_tasks; i++) {
        const struct task *task = batch->tasks[i];
        struct progress *p = task->changed ? batch_run(batch, task->tenant_id, task->run_id) : NULL;

        if (p)
            p->run->changed = true;
    }
    for (size_t i = 0; i < batch->n_runs; i++)
        batch->runs[i].version += batch->runs[i].changed;
}

/* Nothing finds out that what was at hand is old but saving it. Done again, it is read. */
static rv_result check_at_hand(struct batch *batch)
{
    for (size_t i = 0; i < batch->n_at_hand; i++) {
        const struct run *run = &batch->at_hand[i]->run;
        const struct progress *p = batch_run(batch, run->tenant_id, run->run_id);

        if (!p || !p->run->changed)
            return rv_fail(batch->cx, RV_UNAVAILABLE, "run %s was at hand, and is not saved",
                           run->run_id);
    }
    return RV_OK;
}

static rv_result save_runs(struct batch *batch)
{
    struct run *changed = rv_new_array(batch->cx, struct run, batch->n_runs);
    size_t n = 0;

    for (size_t i = 0; i < batch->n_runs; i++)
        if (batch->runs[i].changed)
            changed[n++] = batch->runs[i];
    return n ? rv_db_exec(batch->cx, &SQL_RUNS_SAVE, rv_in_many(run, changed, n)) : RV_OK;
}

static rv_result stop_tasks(struct batch *batch, const struct rv_sql *sql, struct run **runs,
                            size_t n_runs, bool only_unfinished)
{
    struct task_ref *refs = rv_new_array(batch->cx, struct task_ref, n_runs);
    size_t n = 0;

    for (size_t i = 0; i < n_runs; i++)
        if (!only_unfinished || runs[i]->state != RUN_COMPLETED)
            refs[n++] = (struct task_ref){ runs[i]->tenant_id, runs[i]->run_id, -1 };
    return n ? rv_db_exec(batch->cx, sql, rv_in_many(task_ref, refs, n)) : RV_OK;
}

rv_result batch_save(struct batch *batch)
{
    struct rv_ctx *cx = batch->cx;
    struct outbox *out = &batch->outbox;

    raise_versions(batch);
    RV_TRY(cx, check_at_hand(batch));
    RV_TRY(cx, save_tasks(batch));
    RV_TRY(cx, save_runs(batch));
    if (out->n_attempts)
        RV_TRY(cx, rv_db_exec(cx, &SQL_ATTEMPTS_NEW,
                              rv_in_many(attempt, out->attempts, out->n_attempts)));
    if (out->n_events)
        RV_TRY(cx, rv_db_exec(cx, &SQL_EVENTS_NEW, rv_in_many(event, out->events, out->n_events)));
    RV_TRY(cx,
           stop_tasks(batch, &SQL_TASKS_STOP_WAITING, out->cancelling, out->n_cancelling, false));
    RV_TRY(cx, stop_tasks(batch, &SQL_TASKS_STOP_ALL, out->over, out->n_over, true));
    for (size_t i = 0; i < out->n_over; i++)
        RV_TRY(cx, gather_output(batch, out->over[i]));
    keep_after_commit(batch); /* before anybody is told, who comes back with it */
    tell_after_commit(batch);
    return RV_OK;
}
