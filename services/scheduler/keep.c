#include <string.h>

#include "batch.h"

static bool same_run(const struct task *task, const struct run *run)
{
    return strcmp(task->run_id, run->run_id) == 0 && strcmp(task->tenant_id, run->tenant_id) == 0;
}

static bool is_at_work(const struct run *run)
{
    return run->tasks_total <= SMALL_RUN_TASKS && !run_is_over(run->state) &&
           (run->phase == PHASE_QUEUED || run->phase == PHASE_EXECUTING);
}

/* Runs and tasks are in one order, so the tasks of a run are found where those before it end. */
static void keep(struct rv_ctx *cx, void *arg)
{
    struct batch *batch = arg;
    size_t first = 0;

    (void)cx;
    for (size_t i = 0; i < batch->n_runs; i++) {
        const struct run *run = &batch->runs[i];
        size_t n = 0;

        while (first + n < batch->n_tasks && same_run(batch->tasks[first + n], run))
            n++;
        if (is_at_work(run) && (int64_t)n == run->tasks_total)
            hand_put(batch->service->hand, run, batch->tasks + first, n);
        first += n;
    }
}

void keep_after_commit(struct batch *batch)
{
    struct batch *kept = rv_new(batch->cx, struct batch);

    *kept = *batch;
    rv_after(batch->cx, keep, kept);
}
