#include "executor/executor.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "executor/keeper.h"
#include "executor/offering.h"
#include "executor/pullers.h"
#include "executor/reporter.h"
#include "executor/room.h"
#include "executor/slots.h"
#include "executor/step.h"

void executor_count(const struct executor *executor, enum executor_metric metric, int64_t by)
{
    if (executor->metrics)
        rv_count(&executor->metrics[metric], by);
}

static rv_result split_classes(struct rv_ctx *cx, struct executor *executor)
{
    char *rest = executor->classes_text = strdup(executor->config.classes);

    if (!rest)
        abort();
    for (char *one; (one = strsep(&rest, ",")) != NULL;) {
        if (!*one || strcmp(one, "any") == 0)
            continue;
        if (executor->n_classes == CLASSES_MAX - 1)
            return rv_fail(cx, RV_INVALID, "REEVE_EXECUTOR_CLASSES has more than %d classes",
                           CLASSES_MAX - 1);
        executor->classes[executor->n_classes++] = one;
    }
    return RV_OK;
}

rv_result executor_start(struct rv_ctx *cx, struct executor *executor)
{
    RV_TRY(cx, split_classes(cx, executor));
    executor->plans =
        plans_new(executor->bus, (size_t)executor->config.plans, executor->config.ask_timeout_ms);
    executor->room = room_new((size_t)executor->config.slots);
    RV_TRY(cx, keeper_new(cx, executor, &executor->keeper));
    RV_TRY(cx, reporter_new(cx, executor, &executor->reporter));
    RV_TRY(cx, slots_new(cx, executor, &executor->slots));
    RV_TRY(cx, pullers_new(cx, executor, &executor->pullers));
    return offering_new(cx, executor, &executor->offering);
}

void executor_stop(struct executor *executor)
{
    int64_t report_ms = executor->drain_ms / 4, grace_ms = executor->drain_ms - report_ms;

    atomic_store(&executor->drained_at_ms, rv_monotonic_ms() + grace_ms);
    atomic_store(&executor->stopping, true);
    if (executor->room)
        room_close(executor->room);
    if (executor->pullers)
        pullers_end(executor->pullers);
    offering_end(executor->offering);
    executor->offering = NULL;
    if (executor->slots)
        slots_end(executor->slots, grace_ms);
    reporter_free(executor->reporter, report_ms);
    executor->reporter = NULL;
    if (executor->keeper)
        keeper_end(executor->keeper);
}

void executor_free(struct executor *executor)
{
    pullers_free(executor->pullers);
    slots_free(executor->slots);
    keeper_free(executor->keeper);
    room_free(executor->room);
    plans_free(executor->plans);
    free(executor->classes_text);
}

/* Finds out what the task is; what is wrong with that is written into the job. */
static void look_up(struct rv_ctx *cx, struct executor *executor, struct job *job)
{
    const struct task_claimed *claimed = &job->claimed;
    enum rv_status status = RV_OK;

    if (!job->pinned)
        status = plan_pin(cx, executor->plans, claimed->tenant_id, claimed->plan_id, &job->pinned);
    if (status == RV_OK && claimed->task_no >= 0 &&
        (size_t)claimed->task_no < job->pinned->plan->n_nodes)
        job->node = &job->pinned->plan->nodes[claimed->task_no];
    else if (status == RV_OK)
        job_fails(job, "plan_broken", false, "the plan has no such step");
    else if (rv_status_retry(status))
        job->outcome = OUTCOME_HANDED_BACK;
    else
        job_fails(job, "plan_missing", false, cx->error.text);
}

void executor_accept(struct rv_ctx *cx, struct executor *executor, struct job *job)
{
    look_up(cx, executor, job);
    if (job->node && step_is_pure(job->node->kind)) {
        step_do(cx, executor, NULL, job);
    } else if (job->node && job->has_slot && !atomic_load(&executor->stopping)) {
        slots_push(executor->slots, job);
        rv_ctx_reset(cx);
        return;
    } else if (job->node) {
        job->outcome = OUTCOME_HANDED_BACK;
    }
    if (job->outcome == OUTCOME_HANDED_BACK)
        executor_count(executor, METRIC_HANDED_BACK, 1);
    rv_ctx_reset(cx);
    reporter_add(executor->reporter, job);
}
