#include "domain/progress_inside.h"

#include <inttypes.h>
#include <string.h>

/* -- ends -------------------------------------------------------------------------------------- */

static void fail_run(struct progress *p, const struct task *task, enum run_phase phase,
                     const char *code, const char *message)
{
    p->run->error = progress_failure(p, code, message, false);
    progress_event(p, "run.failed", task,
                   FACTS(p, { "code", code, 0 }, { "message", message, 0 },
                         { "cost_microusd", NULL, p->run->cost_microusd }));
    progress_end(p, p->run->state == RUN_PENDING ? RUN_REFUSE : RUN_BREAK, phase);
}

static void cancel_if_idle(struct progress *p)
{
    if (p->run->phase != PHASE_CANCELLING || p->run->tasks_live > 0)
        return;
    progress_event(p, "run.cancelled", NULL,
                   FACTS(p, { "cost_microusd", NULL, p->run->cost_microusd }));
    progress_end(p, RUN_CANCEL, PHASE_USER);
}

static void complete_run(struct progress *p, const struct task *last)
{
    if (p->dag->n_ends == 1)
        p->run->output = last->output;
    progress_event(p, "run.completed", NULL,
                   FACTS(p, { "plan_id", said(p->run->plan_id), 0 },
                         { "scorers", NULL, (int64_t)p->plan->n_scorers },
                         { "cost_microusd", NULL, p->run->cost_microusd },
                         { "took_ms", NULL, p->run->now_ms - p->run->created_at_ms }));
    progress_end(p, RUN_FINISH, PHASE_DONE);
}

/* -- reports ---------------------------------------------------------------------------------- */

int64_t back_off_ms(const struct retry_spec *retry, int64_t attempt)
{
    int64_t wait = retry && retry->initial_ms ? retry->initial_ms : 1000;

    for (int64_t i = 1; i < attempt && wait < BACK_OFF_MAX_MS; i++)
        wait *= 2;
    return wait < BACK_OFF_MAX_MS ? wait : BACK_OFF_MAX_MS;
}

/* The executor has let go of the task, whatever comes next. */
static void let_go(struct progress *p, struct task *task)
{
    p->run->tasks_live--;
    p->run->changed = true;
    task->lease_until_ms = 0;
    task->changed = true;
}

static void close_task(struct progress *p, struct task *task, enum task_event event)
{
    progress_move(task, event);
    task->ended_at_ms = p->run->now_ms;
    p->run->tasks_open--;
}

static void count_call(struct progress *p, struct task *task, const struct task_call *call)
{
    task->calls = call->call_no;
    task->cost_microusd += call->cost_microusd;
    task->tokens_in += call->tokens_in;
    task->tokens_out += call->tokens_out;
    task->changed = true;
    p->run->cost_microusd += call->cost_microusd;
    p->run->tokens_in += call->tokens_in;
    p->run->tokens_out += call->tokens_out;
}

enum report_verdict progress_record(struct progress *p, struct task *task,
                                    const struct task_call *call)
{
    bool llm = call->kind == CALL_LLM;

    if (task->fence != call->fence || !task_is_live(task->state) || run_is_over(p->run->state))
        return REPORT_STALE;
    if (call->call_no > task->calls) { /* else said before: twice is once */
        count_call(p, task, call);
        progress_event(p, llm ? "llm.generation_finished" : "tool.call_finished", task,
                       FACTS(p, { "call_no", NULL, call->call_no }, { "name", said(call->name), 0 },
                             { "ok", NULL, call->ok }, { "took_ms", NULL, call->took_ms },
                             { "tokens_in", NULL, call->tokens_in },
                             { "tokens_out", NULL, call->tokens_out },
                             { "cost_microusd", NULL, call->cost_microusd }));
    }
    return p->run->phase == PHASE_CANCELLING ? REPORT_CANCEL : REPORT_RECORDED;
}

static struct task *release_after(struct progress *p, struct task **after, size_t n_after,
                                  const struct task_report *report, const char *class_name)
{
    struct task *next = NULL;

    for (size_t i = 0; i < n_after; i++) {
        struct task *task = after[i];
        bool mine = !next && report->wants_next &&
                    strcmp(p->dag->nodes[task->task_no].class_name, class_name) == 0;

        task->changed = true;
        if (--task->open_needs > 0 || task->state != TASK_PENDING)
            continue;
        if (!mine) {
            progress_make_ready(p, task, TASK_RELEASE);
            continue;
        }
        next = task; /* no need to tell anybody: it goes to whoever has just reported */
        progress_move(task, TASK_RELEASE);
        task->ready_at_ms = task->announced_at_ms = p->run->now_ms;
        progress_grant(p, task, report->executor_id);
    }
    return next;
}

static void completed(struct progress *p, struct task *task, const struct task_report *report,
                      struct task **after, size_t n_after, struct task **next)
{
    task->skipped = report->outcome == OUTCOME_SKIPPED;
    task->output = task->skipped ? NULL : report->output;
    close_task(p, task, TASK_COMPLETE);
    progress_event(p, task->skipped ? "task.skipped" : "task.completed", task,
                   FACTS(p, { "task_no", NULL, task->task_no }, { "attempt", NULL, task->attempt },
                         { "took_ms", NULL, p->run->now_ms - task->started_at_ms },
                         { "waited_ms", NULL, task->started_at_ms - task->ready_at_ms },
                         { "cost_microusd", NULL, task->cost_microusd }));
    if (p->run->phase == PHASE_CANCELLING)
        return;
    *next = release_after(p, after, n_after, report, p->dag->nodes[task->task_no].class_name);
    if (p->run->tasks_open == 0)
        complete_run(p, task);
}

static void back_off(struct progress *p, struct task *task, int64_t wait_ms)
{
    progress_move(task, TASK_BACK_OFF);
    task->not_before_ms = p->run->now_ms + wait_ms;
}

static void retry_later(struct progress *p, struct task *task, const struct failure *why,
                        int64_t retry_after_ms)
{
    int64_t wait = back_off_ms(p->plan->nodes[task->task_no].retry, task->attempt);

    wait = retry_after_ms > wait ? retry_after_ms : wait; /* a server asked for more time */
    wait = wait < RETRY_AFTER_MAX_MS ? wait : RETRY_AFTER_MAX_MS;
    back_off(p, task, wait);
    progress_event(p, "task.retry_scheduled", task,
                   FACTS(p, { "task_no", NULL, task->task_no }, { "attempt", NULL, task->attempt },
                         { "in_ms", NULL, wait }, { "code", why->code, 0 },
                         { "message", said(why->message), 0 }));
}

static enum run_phase phase_of(const struct failure *why)
{
    return strcmp(why->code, "over_budget") == 0 ? PHASE_BUDGET_EXCEEDED
           : strcmp(why->code, "timeout") == 0   ? PHASE_TIMEOUT
                                                 : PHASE_ERROR;
}

static void failed(struct progress *p, struct task *task, const struct failure *why,
                   int64_t retry_after_ms)
{
    const struct retry_spec *retry = p->plan->nodes[task->task_no].retry;
    int64_t most = retry && retry->max_attempts ? retry->max_attempts : 1;
    bool stops = p->run->phase == PHASE_CANCELLING;

    task->error = progress_failure(p, why->code, said(why->message), why->retryable);
    if (why->retryable && task->attempt < most && !stops) {
        retry_later(p, task, why, retry_after_ms);
        return;
    }
    close_task(p, task, TASK_FAIL);
    progress_event(p, "task.failed", task,
                   FACTS(p, { "task_no", NULL, task->task_no }, { "attempt", NULL, task->attempt },
                         { "code", why->code, 0 }, { "message", said(why->message), 0 }));
    if (!stops)
        fail_run(p, task, phase_of(why), why->code,
                 rv_printf(p->cx, "%s: %s", task->node_id, said(why->message)));
}

static void handed_back(struct progress *p, struct task *task)
{
    task->attempt--; /* nothing was tried */
    back_off(p, task, 100);
    progress_event(p, "task.handed_back", task, FACTS(p, { "task_no", NULL, task->task_no }));
}

static void needs_approval(struct progress *p, struct task *task, const char *approval_id)
{
    progress_move(task, TASK_ASK_APPROVAL);
    task->approval_id = approval_id;
    task->attempt--; /* it goes on where it stopped */
    progress_event(
        p, "task.approval_requested", task,
        FACTS(p, { "task_no", NULL, task->task_no }, { "approval_id", said(approval_id), 0 }));
}

static void cancelled(struct progress *p, struct task *task)
{
    static const struct failure aborted = { "cancelled", "the executor gave it up", true };

    if (p->run->phase != PHASE_CANCELLING) {
        failed(p, task, &aborted, 0);
        return;
    }
    close_task(p, task, TASK_CANCEL);
    progress_event(p, "task.cancelled", task, FACTS(p, { "task_no", NULL, task->task_no }));
}

/* What waits in a run that is being cancelled never goes on; nor what waits for no approval. */
static enum outcome outcome_of(const struct progress *p, const struct task_report *report)
{
    bool asks = report->outcome == OUTCOME_NEEDS_APPROVAL;

    if (p->run->phase == PHASE_CANCELLING && (asks || report->outcome == OUTCOME_HANDED_BACK))
        return OUTCOME_CANCELLED;
    return asks && !report->approval_id ? OUTCOME_FAILED : report->outcome;
}

static void take(struct progress *p, struct task *task, const struct task_report *report,
                 struct task **after, size_t n_after, struct task **next)
{
    static const struct failure unknown = { "failed", "the executor gave no reason", false };

    switch (outcome_of(p, report)) {
    case OUTCOME_COMPLETED:
    case OUTCOME_SKIPPED:
        completed(p, task, report, after, n_after, next);
        return;
    case OUTCOME_CANCELLED:
        cancelled(p, task);
        return;
    case OUTCOME_HANDED_BACK:
        handed_back(p, task);
        return;
    case OUTCOME_NEEDS_APPROVAL:
        needs_approval(p, task, report->approval_id);
        return;
    case OUTCOME_FAILED:
        break;
    }
    failed(p, task, report->failure && report->failure->code ? report->failure : &unknown,
           report->retry_after_ms);
}

void progress_ungrant(struct progress *p, struct task *task, bool too_large)
{
    static const struct failure large = {
        "input_too_large", "its input and the outputs it reads do not fit into a message", false
    };

    if (!task_is_live(task->state))
        return;
    let_go(p, task);
    if (too_large)
        failed(p, task, &large, 0);
    else
        handed_back(p, task);
}

enum report_verdict progress_report(struct progress *p, struct task *task,
                                    const struct task_report *report, struct task **after,
                                    size_t n_after, struct task **next)
{
    *next = NULL;
    if (task->fence != report->fence || !task_is_live(task->state) || run_is_over(p->run->state))
        return REPORT_STALE;
    let_go(p, task);
    take(p, task, report, after, n_after, next);
    if (!run_is_over(p->run->state))
        cancel_if_idle(p);
    return REPORT_RECORDED;
}

/* -- mending ---------------------------------------------------------------------------------- */

void progress_ready(struct progress *p, struct task *task)
{
    if (task->state == TASK_READY) { /* nobody took it: say it again */
        task->announced_at_ms = p->run->now_ms;
        task->changed = true;
        progress_announce(p, task);
    } else if (task->open_needs == 0) {
        progress_make_ready(p, task, TASK_RELEASE);
    }
}

void progress_lost(struct progress *p, struct task *task)
{
    const struct retry_spec *retry = p->plan->nodes[task->task_no].retry;
    int64_t most = retry ? retry->max_attempts : 0;

    if (!task_is_live(task->state))
        return;
    progress_event(p, "task.lease_expired", task,
                   FACTS(p, { "task_no", NULL, task->task_no }, { "attempt", NULL, task->attempt },
                         { "executor_id", said(task->executor_id), 0 }));
    let_go(p, task);
    task->fence++; /* whatever the lost executor still says is stale from here on */
    if (p->run->phase == PHASE_CANCELLING) {
        cancelled(p, task);
        cancel_if_idle(p);
    } else if (task->attempt >= (most > ATTEMPTS_LOST_MAX ? most : ATTEMPTS_LOST_MAX)) {
        close_task(p, task, TASK_FAIL);
        fail_run(p, task, PHASE_WORKER_LOST, "worker_lost",
                 rv_printf(p->cx, "%s: its executors were lost %" PRId64 " times", task->node_id,
                           task->attempt));
    } else {
        progress_make_ready(p, task, TASK_LOSE);
    }
}

void progress_expired(struct progress *p)
{
    if (!run_is_over(p->run->state))
        fail_run(p, NULL, PHASE_TIMEOUT, "timeout", "the run took longer than its duration_ms");
}

void progress_plan_broken(struct progress *p)
{
    if (!run_is_over(p->run->state))
        fail_run(p, NULL, PHASE_ERROR, "plan_broken", "its plan cannot be read");
}

/* Yes or no, the step goes on: it asks policy again and is told. */
void progress_task_decided(struct progress *p, struct task *task, bool approved, const char *by)
{
    if (task->state != TASK_AWAITING_APPROVAL)
        return;
    progress_event(p, approved ? "task.approved" : "task.approval_refused", task,
                   FACTS(p, { "task_no", NULL, task->task_no }, { "by", said(by), 0 }));
    progress_make_ready(p, task, TASK_APPROVE);
}

enum control_verdict progress_cancel(struct progress *p, const char *reason, const char *by)
{
    struct run *run = p->run;

    if (run->state == RUN_CANCELLED || run->phase == PHASE_CANCELLING)
        return CONTROL_ALREADY;
    if (!run_next(run->state, RUN_CANCEL))
        return CONTROL_ILLEGAL;
    run->phase = PHASE_CANCELLING;
    run->cancel_requested_at_ms = run->now_ms;
    progress_event(p, "run.cancel_requested", NULL,
                   FACTS(p, { "by", said(by), 0 }, { "reason", said(reason), 0 }));
    run->tasks_open = run->tasks_live;
    *ONE_MORE(p, cancelling) = run;
    cancel_if_idle(p);
    return CONTROL_DONE;
}
