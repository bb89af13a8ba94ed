#include "domain/progress.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "domain/progress_inside.h"

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

void *progress_room(struct rv_ctx *cx, void *items, size_t size, size_t n, size_t *room)
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

/* What somebody has said may be long; an event must fit into a message. */
static const char *cut_text(struct rv_ctx *cx, const char *text)
{
    size_t len = strlen(text);

    return len <= FACT_BYTES_MAX ? text
                                 : rv_strndup(cx, text, rv_utf8_cut(text, len, FACT_BYTES_MAX));
}

const char *progress_facts(struct rv_ctx *cx, const struct fact *facts)
{
    struct rv_buf buf = { .arena = cx->arena };

    rv_buf_char(&buf, '{');
    for (; facts->name; facts++) {
        if (buf.len > 1)
            rv_buf_char(&buf, ',');
        rv_buf_json(&buf, facts->name);
        rv_buf_char(&buf, ':');
        if (facts->text)
            rv_buf_json(&buf, cut_text(cx, facts->text));
        else
            rv_buf_int(&buf, facts->number);
    }
    rv_buf_char(&buf, '}');
    return buf.data;
}

/* -- moves ------------------------------------------------------------------------------------ */

bool progress_move(struct task *task, enum task_event event)
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

void progress_announce(struct progress *p, const struct task *task)
{
    *ONE_MORE(p, ready) = (struct announcement){
        .ref = { task->tenant_id, task->run_id, task->task_no },
        .class_name = p->dag->nodes[task->task_no].class_name,
        .priority = p->run->priority,
    };
}

void progress_make_ready(struct progress *p, struct task *task, enum task_event event)
{
    if (!progress_move(task, event))
        return;
    task->ready_at_ms = task->announced_at_ms = p->run->now_ms;
    task->not_before_ms = 0;
    progress_announce(p, task);
}

const char *progress_failure(struct progress *p, const char *code, const char *message,
                             bool retryable)
{
    const char *facts = FACTS(p, { "code", code, 0 }, { "message", message, 0 });

    return rv_printf(p->cx, "%.*s,\"retryable\":%s}", (int)strlen(facts) - 1, facts,
                     retryable ? "true" : "false");
}

void progress_end(struct progress *p, enum run_event event, enum run_phase phase)
{
    run_to(p, event, phase);
    p->run->ended_at_ms = p->run->now_ms;
    p->run->tasks_open = p->run->tasks_live = 0;
    *ONE_MORE(p, over) = p->run;
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
        progress_make_ready(p, task, TASK_RELEASE);
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
                   FACTS(p, { "name", said(run->name), 0 }, { "plan_id", said(run->plan_id), 0 },
                         { "tasks_total", NULL, run->tasks_total },
                         { "decision_id", said(run->decision_id), 0 },
                         { "hold_id", said(run->hold_id), 0 },
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
                         { "policy", said(decision->policy), 0 },
                         { "rule", said(decision->rule), 0 },
                         { "reason", said(decision->reason), 0 }));
}

void progress_refused(struct progress *p, enum run_phase phase, const char *code,
                      const char *reason, const struct decision *decision)
{
    if (!run_next(p->run->state, RUN_REFUSE))
        return;
    progress_event(p, "run.denied", NULL,
                   FACTS(p, { "code", code, 0 }, { "reason", said(reason), 0 },
                         { "policy", said(decision->policy), 0 },
                         { "rule", said(decision->rule), 0 }));
    p->run->error = progress_failure(p, code, said(reason), false);
    progress_end(p, RUN_REFUSE, phase);
}

void progress_approved(struct progress *p, struct task *tasks, size_t n_tasks, const char *by)
{
    if (p->run->phase != PHASE_AWAITING_APPROVAL)
        return;
    p->run->phase = PHASE_QUEUED;
    progress_event(
        p, "run.approved", NULL,
        FACTS(p, { "approval_id", said(p->run->approval_id), 0 }, { "by", said(by), 0 }));
    for (size_t i = 0; i < n_tasks; i++)
        if (tasks[i].open_needs == 0)
            progress_make_ready(p, &tasks[i], TASK_RELEASE);
}

/* -- claims ----------------------------------------------------------------------------------- */

void progress_grant(struct progress *p, struct task *task, const char *executor_id)
{
    struct run *run = p->run;

    progress_move(task, TASK_CLAIM);
    progress_move(task, TASK_START);
    task->fence++;
    task->attempt++;
    task->executor_id = executor_id;
    task->lease_until_ms = run->now_ms + p->lease_ms;
    task->started_at_ms = run->now_ms;
    run->tasks_live++;
    *ONE_MORE(p, attempts) =
        (struct attempt){ task->tenant_id, task->run_id, task->task_no, task->fence, executor_id };
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
    progress_grant(p, task, executor_id);
    return true;
}
