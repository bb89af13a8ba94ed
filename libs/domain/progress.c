#include "domain/progress.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"

/* clang-format off */
static const struct rv_field attempt_fields[] = {
    RV_UUID(attempt, tenant_id, 0),
    RV_UUID(attempt, run_id, 0),
    RV_INT(attempt,  task_no, 0),
    RV_INT(attempt,  fence, 0),
    RV_TEXT(attempt, executor_id, 0),
};
RV_RECORD(attempt, attempt_fields);
/* clang-format on */

/* Room for one more in an array of the outbox, which lives as long as the unit of work. */
static void *room_for(struct rv_ctx *cx, void *items, size_t size, size_t n, size_t *room)
{
    size_t more = *room ? *room * 2 : 32;
    void *grown;

    if (n < *room)
        return items;
    grown = rv_arena_array(cx->arena, size, more);
    if (n)
        memcpy(grown, items, n * size);
    *room = more;
    return grown;
}

#define ONE_MORE(p, list)                                                                          \
    ((p)->outbox->list = room_for((p)->cx, (p)->outbox->list, sizeof(*(p)->outbox->list),          \
                                  (p)->outbox->n_##list, &(p)->outbox->list##_room),               \
     &(p)->outbox->list[(p)->outbox->n_##list++])

struct event *progress_event(struct progress *p, const char *type, const struct task *task,
                             const char *data)
{
    struct event *event = ONE_MORE(p, events);

    *event = (struct event){
        .tenant_id = p->run->tenant_id,
        .project_id = p->run->project_id,
        .run_id = p->run->run_id,
        .run_seq = ++p->run->run_seq,
        .type = type,
        .node_id = task ? task->node_id : NULL,
        .data = data,
        .trace_id = p->run->trace_id,
        .at_ms = p->run->now_ms,
    };
    p->run->changed = true;
    return event;
}

/* -- data of events: small JSON objects ----------------------------------------------------- */

struct fact {
    const char *name, *text; /* text NULL: a number */
    int64_t number;
};

static const char *facts_text(struct rv_ctx *cx, const struct fact *facts)
{
    auto_buf buf = { 0 };

    rv_buf_text(&buf, "{");
    for (; facts->name; facts++) {
        rv_buf_printf(&buf, "%s\"%s\":", buf.len > 1 ? "," : "", facts->name);
        if (facts->text)
            rv_buf_json(&buf, facts->text);
        else
            rv_buf_printf(&buf, "%" PRId64, facts->number);
    }
    rv_buf_text(&buf, "}");
    return rv_strndup(cx, buf.data, buf.len);
}

#define FACTS(p, ...) facts_text((p)->cx, (const struct fact[]){ __VA_ARGS__, { 0 } })

static const char *said(const char *text)
{
    return text ? text : "";
}

/* -- moves ------------------------------------------------------------------------------------ */

static bool move(struct task *task, enum task_event event)
{
    enum task_state to = task_next(task->state, event);

    if (!to)
        return false;
    task->state = to;
    task->changed = true;
    return true;
}

static void run_to(struct progress *p, enum run_event event, enum run_phase phase)
{
    enum run_state to = run_next(p->run->state, event);

    if (to)
        p->run->state = to;
    p->run->phase = phase;
    p->run->changed = true;
}

static void announce(struct progress *p, const struct task *task)
{
    *ONE_MORE(p, ready) = (struct announcement){
        .ref = { task->tenant_id, task->run_id, task->task_no },
        .class_name = p->dag->nodes[task->task_no].class_name,
        .priority = p->run->priority,
    };
}

static void make_ready(struct progress *p, struct task *task, enum task_event event)
{
    if (!move(task, event))
        return;
    task->ready_at_ms = task->announced_at_ms = p->run->now_ms;
    task->not_before_ms = 0;
    announce(p, task);
}

static const char *failure_text(struct progress *p, const char *code, const char *message,
                                bool retryable)
{
    const char *facts = FACTS(p, { "code", code, 0 }, { "message", message, 0 });

    return rv_printf(p->cx, "%.*s,\"retryable\":%s}", (int)strlen(facts) - 1, facts,
                     retryable ? "true" : "false");
}

/* The run is over: nothing of it is live or open, whatever its tasks were doing. */
static void end_run(struct progress *p, enum run_event event, enum run_phase phase)
{
    run_to(p, event, phase);
    p->run->ended_at_ms = p->run->now_ms;
    p->run->tasks_open = p->run->tasks_live = 0;
    *ONE_MORE(p, over) = p->run;
}

static void fail_run(struct progress *p, const struct task *task, enum run_phase phase,
                     const char *code, const char *message)
{
    p->run->error = failure_text(p, code, message, false);
    progress_event(p, "run.failed", task,
                   FACTS(p, { "code", code, 0 }, { "message", message, 0 },
                         { "cost_microusd", NULL, p->run->cost_microusd }));
    end_run(p, p->run->state == RUN_PENDING ? RUN_REFUSE : RUN_BREAK, phase);
}

static void cancel_if_idle(struct progress *p)
{
    if (p->run->phase != PHASE_CANCELLING || p->run->tasks_live > 0)
        return;
    progress_event(p, "run.cancelled", NULL,
                   FACTS(p, { "cost_microusd", NULL, p->run->cost_microusd }));
    end_run(p, RUN_CANCEL, PHASE_USER);
}

static void complete_run(struct progress *p, const struct task *last)
{
    if (p->dag->n_ends == 1)
        p->run->output = last->output;
    progress_event(p, "run.completed", NULL,
                   FACTS(p, { "plan_id", p->run->plan_id, 0 },
                         { "scorers", NULL, (int64_t)p->plan->n_scorers },
                         { "cost_microusd", NULL, p->run->cost_microusd },
                         { "took_ms", NULL, p->run->now_ms - p->run->created_at_ms }));
    end_run(p, RUN_FINISH, PHASE_DONE);
}

/* -- admission -------------------------------------------------------------------------------- */

static void fill_task(struct progress *p, struct task *task, size_t number, bool admitted)
{
    const struct node *node = &p->plan->nodes[number];

    *task = (struct task){
        .tenant_id = p->run->tenant_id,
        .run_id = p->run->run_id,
        .task_no = (int64_t)number,
        .node_id = node->node_id,
        .kind = rv_enum_word(&step_kind_enum, (int)node->kind),
        .state = TASK_PENDING,
        .open_needs = p->dag->nodes[number].n_needs,
    };
    if (admitted && task->open_needs == 0)
        make_ready(p, task, TASK_RELEASE);
}

struct task *progress_create(struct progress *p, const struct run_ask *ask, bool admitted)
{
    struct task *tasks = rv_new_array(p->cx, struct task, p->dag->n);
    struct run *run = p->run;

    run->state = RUN_PENDING;
    run->phase = PHASE_QUEUED;
    run->priority = ask->priority ? ask->priority : PRIORITY_NORMAL;
    run->name = p->plan->name;
    run->tasks_total = run->tasks_open = (int64_t)p->dag->n;
    progress_event(p, "run.created", NULL,
                   FACTS(p, { "name", run->name, 0 }, { "plan_id", run->plan_id, 0 },
                         { "tasks_total", NULL, run->tasks_total },
                         { "decision_id", run->decision_id, 0 }, { "hold_id", run->hold_id, 0 },
                         { "limit_microusd", NULL, run->limit_microusd }));
    for (size_t i = 0; i < p->dag->n; i++)
        fill_task(p, &tasks[i], i, admitted);
    return tasks;
}

void progress_parked(struct progress *p, const struct decision *decision)
{
    p->run->phase = PHASE_AWAITING_APPROVAL;
    p->run->approval_id = decision->approval_id;
    progress_event(p, "run.approval_required", NULL,
                   FACTS(p, { "approval_id", said(decision->approval_id), 0 },
                         { "policy", said(decision->policy), 0 }, { "rule", said(decision->rule), 0 },
                         { "reason", said(decision->reason), 0 }));
}

void progress_refused(struct progress *p, enum run_phase phase, const char *code, const char *reason,
                      const struct decision *decision)
{
    progress_event(p, "run.denied", NULL,
                   FACTS(p, { "code", code, 0 }, { "reason", reason, 0 },
                         { "policy", said(decision->policy), 0 }, { "rule", said(decision->rule), 0 }));
    p->run->error = failure_text(p, code, reason, false);
    end_run(p, RUN_REFUSE, phase);
}

void progress_approved(struct progress *p, struct task *tasks, size_t n_tasks, const char *by)
{
    if (p->run->phase != PHASE_AWAITING_APPROVAL)
        return;
    p->run->phase = PHASE_QUEUED;
    progress_event(p, "run.approved", NULL,
                   FACTS(p, { "approval_id", said(p->run->approval_id), 0 }, { "by", said(by), 0 }));
    for (size_t i = 0; i < n_tasks; i++)
        if (tasks[i].open_needs == 0)
            make_ready(p, &tasks[i], TASK_RELEASE);
}

/* -- claims ----------------------------------------------------------------------------------- */

/* Fence, lease and executor of a claim; the task is on its way at once: whoever asks has room. */
static void grant(struct progress *p, struct task *task, const char *executor_id)
{
    struct run *run = p->run;

    move(task, TASK_CLAIM);
    move(task, TASK_START);
    task->fence++;
    task->attempt++;
    task->executor_id = executor_id;
    task->lease_until_ms = run->now_ms + p->lease_ms;
    task->started_at_ms = run->now_ms;
    run->tasks_live++;
    *ONE_MORE(p, attempts) = (struct attempt){ task->tenant_id, task->run_id, task->task_no,
                                               task->fence, executor_id };
    if (run->state == RUN_PENDING) {
        run_to(p, RUN_START, PHASE_EXECUTING);
        run->started_at_ms = run->now_ms;
        progress_event(p, "run.started", NULL, NULL);
    }
    progress_event(p, "task.started", task,
                   FACTS(p, { "task_no", NULL, task->task_no }, { "attempt", NULL, task->attempt },
                         { "executor_id", said(executor_id), 0 },
                         { "waited_ms", NULL, run->now_ms - task->ready_at_ms }));
}

static bool may_claim(const struct progress *p, const struct task *task)
{
    return task->state == TASK_READY && p->run->phase != PHASE_CANCELLING &&
           (p->run->state == RUN_RUNNING ||
            (p->run->state == RUN_PENDING && p->run->phase == PHASE_QUEUED));
}

bool progress_claim(struct progress *p, struct task *task, const char *executor_id)
{
    if (!may_claim(p, task))
        return false;
    grant(p, task, executor_id);
    return true;
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
    move(task, event);
    task->ended_at_ms = p->run->now_ms;
    p->run->tasks_open--;
}

enum report_verdict progress_record(struct progress *p, struct task *task,
                                    const struct task_call *call)
{
    bool llm = call->kind == CALL_LLM;

    if (task->fence != call->fence || !task_is_live(task->state) || run_is_over(p->run->state))
        return REPORT_STALE;
    if (call->call_no <= task->calls) /* said before: twice is once */
        return REPORT_RECORDED;
    task->calls = call->call_no;
    task->cost_microusd += call->cost_microusd;
    task->tokens_in += call->tokens_in;
    task->tokens_out += call->tokens_out;
    task->changed = true;
    p->run->cost_microusd += call->cost_microusd;
    p->run->tokens_in += call->tokens_in;
    p->run->tokens_out += call->tokens_out;
    progress_event(p, llm ? "llm.generation_finished" : "tool.call_finished", task,
                   FACTS(p, { "call_no", NULL, call->call_no }, { "name", said(call->name), 0 },
                         { "ok", NULL, call->ok }, { "took_ms", NULL, call->took_ms },
                         { "tokens_in", NULL, call->tokens_in },
                         { "tokens_out", NULL, call->tokens_out },
                         { "cost_microusd", NULL, call->cost_microusd }));
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
            make_ready(p, task, TASK_RELEASE);
            continue;
        }
        next = task; /* no need to tell anybody: it goes to whoever has just reported */
        move(task, TASK_RELEASE);
        task->ready_at_ms = task->announced_at_ms = p->run->now_ms;
        grant(p, task, report->executor_id);
    }
    return next;
}

static void completed(struct progress *p, struct task *task, const struct task_report *report,
                      struct task **after, size_t n_after, struct task **next)
{
    task->output = report->output;
    close_task(p, task, TASK_COMPLETE);
    progress_event(p, "task.completed", task,
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
    move(task, TASK_BACK_OFF);
    task->not_before_ms = p->run->now_ms + wait_ms;
}

static void failed(struct progress *p, struct task *task, const struct failure *why,
                   int64_t retry_after_ms)
{
    const struct retry_spec *retry = p->plan->nodes[task->task_no].retry;
    int64_t most = retry && retry->max_attempts ? retry->max_attempts : 1;
    int64_t wait = back_off_ms(retry, task->attempt);

    task->error = failure_text(p, why->code, said(why->message), why->retryable);
    if (why->retryable && task->attempt < most && p->run->phase != PHASE_CANCELLING) {
        wait = retry_after_ms > wait ? retry_after_ms : wait;
        back_off(p, task, wait);
        progress_event(p, "task.retry_scheduled", task,
                       FACTS(p, { "task_no", NULL, task->task_no }, { "attempt", NULL, task->attempt },
                             { "in_ms", NULL, wait }, { "code", why->code, 0 },
                             { "message", said(why->message), 0 }));
        return;
    }
    close_task(p, task, TASK_FAIL);
    progress_event(p, "task.failed", task,
                   FACTS(p, { "task_no", NULL, task->task_no }, { "attempt", NULL, task->attempt },
                         { "code", why->code, 0 }, { "message", said(why->message), 0 }));
    if (p->run->phase != PHASE_CANCELLING)
        fail_run(p, task,
                 strcmp(why->code, "over_budget") == 0 ? PHASE_BUDGET_EXCEEDED
                 : strcmp(why->code, "timeout") == 0   ? PHASE_TIMEOUT
                                                       : PHASE_ERROR,
                 why->code, rv_printf(p->cx, "%s: %s", task->node_id, said(why->message)));
}

static void handed_back(struct progress *p, struct task *task)
{
    task->attempt--; /* nothing was tried */
    back_off(p, task, 100);
    progress_event(p, "task.handed_back", task, FACTS(p, { "task_no", NULL, task->task_no }));
}

static void needs_approval(struct progress *p, struct task *task, const char *approval_id)
{
    move(task, TASK_ASK_APPROVAL);
    task->approval_id = approval_id;
    task->attempt--; /* it goes on where it stopped */
    progress_event(p, "task.approval_requested", task,
                   FACTS(p, { "task_no", NULL, task->task_no },
                         { "approval_id", said(approval_id), 0 }));
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

enum report_verdict progress_report(struct progress *p, struct task *task,
                                    const struct task_report *report, struct task **after,
                                    size_t n_after, struct task **next)
{
    static const struct failure unknown = { "failed", "the executor gave no reason", false };

    *next = NULL;
    if (task->fence != report->fence || !task_is_live(task->state) || run_is_over(p->run->state))
        return REPORT_STALE;
    let_go(p, task);
    switch (report->outcome) {
    case OUTCOME_COMPLETED:
        completed(p, task, report, after, n_after, next);
        break;
    case OUTCOME_FAILED:
        failed(p, task, report->failure && report->failure->code ? report->failure : &unknown,
               report->retry_after_ms);
        break;
    case OUTCOME_CANCELLED:
        cancelled(p, task);
        break;
    case OUTCOME_HANDED_BACK:
        handed_back(p, task);
        break;
    case OUTCOME_NEEDS_APPROVAL:
        needs_approval(p, task, report->approval_id);
        break;
    default:
        failed(p, task, &unknown, 0);
    }
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
        announce(p, task);
    } else {
        make_ready(p, task, TASK_RELEASE);
    }
}

void progress_lost(struct progress *p, struct task *task)
{
    const struct retry_spec *retry = p->plan->nodes[task->task_no].retry;
    int64_t most = retry ? retry->max_attempts : 0;

    progress_event(p, "task.lease_expired", task,
                   FACTS(p, { "task_no", NULL, task->task_no }, { "attempt", NULL, task->attempt },
                         { "executor_id", said(task->executor_id), 0 }));
    let_go(p, task);
    task->fence++; /* whatever the lost executor still says is stale from here on */
    if (p->run->phase == PHASE_CANCELLING) {
        close_task(p, task, TASK_CANCEL);
        cancel_if_idle(p);
    } else if (task->attempt >= (most > ATTEMPTS_LOST_MAX ? most : ATTEMPTS_LOST_MAX)) {
        close_task(p, task, TASK_FAIL);
        fail_run(p, task, PHASE_WORKER_LOST, "worker_lost",
                 rv_printf(p->cx, "%s: its executors were lost %" PRId64 " times", task->node_id,
                           task->attempt));
    } else {
        make_ready(p, task, TASK_LOSE);
    }
}

void progress_expired(struct progress *p)
{
    fail_run(p, NULL, PHASE_TIMEOUT, "timeout", "the run took longer than its duration_ms");
}

void progress_task_approved(struct progress *p, struct task *task, const char *by)
{
    if (task->state != TASK_AWAITING_APPROVAL)
        return;
    progress_event(p, "task.approved", task,
                   FACTS(p, { "task_no", NULL, task->task_no }, { "by", said(by), 0 }));
    make_ready(p, task, TASK_APPROVE);
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
