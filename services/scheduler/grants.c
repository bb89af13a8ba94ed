#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "batch.h"
#include "store/sql.h"

/* A grant without its input and outputs, at most; and what an answer may hold of them. */
enum { GRANT_BYTES = 512, ANSWER_BYTES_MAX = 800 * 1024 };

static const struct dag_node *node_of(const struct batch *batch, const struct task *task)
{
    return &batch_run(batch, task->tenant_id, task->run_id)->dag->nodes[task->task_no];
}

static size_t n_flags(const struct dag_node *node)
{
    return node->needs ? (size_t)node->n_needs : 0;
}

static void add_refs(struct task_ref *refs, size_t *n_refs, const struct task *task,
                     const int64_t *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        refs[(*n_refs)++] = (struct task_ref){ task->tenant_id, task->run_id, numbers[i] };
}

/* The tasks before the granted ones that they may look at, or that may have been skipped. */
static rv_result read_outputs(struct batch *batch, struct task *const *tasks, size_t n,
                              struct rv_rows *outputs)
{
    struct task_ref *refs;
    size_t room = 0, n_refs = 0;

    for (size_t i = 0; i < n; i++)
        room += node_of(batch, tasks[i])->n_reads + n_flags(node_of(batch, tasks[i]));
    if (room == 0)
        return RV_OK;
    refs = rv_new_array(batch->cx, struct task_ref, room);
    for (size_t i = 0; i < n; i++) {
        const struct dag_node *node = node_of(batch, tasks[i]);

        add_refs(refs, &n_refs, tasks[i], node->reads, node->n_reads);
        add_refs(refs, &n_refs, tasks[i], node->needs, n_flags(node));
    }
    return rv_db_rows(batch->cx, &SQL_OUTPUTS_LOAD, rv_in_many(task_ref, refs, n_refs),
                      &task_record, outputs);
}

static int by_place(const void *a, const void *b)
{
    const struct task *x = a, *y = b;
    int got = strcmp(x->run_id, y->run_id);

    got = got ? got : strcmp(x->tenant_id, y->tenant_id);
    return got ? got : (x->task_no > y->task_no) - (x->task_no < y->task_no);
}

/* What was reported in this very batch is not saved yet, so that comes first; NULL: nowhere. */
static const struct task *look_up(const struct batch *batch, const struct task *reader,
                                  int64_t task_no, const struct rv_rows *outputs)
{
    const struct task *fresh = batch_task(batch, reader->tenant_id, reader->run_id, task_no);
    struct task key = { .tenant_id = reader->tenant_id,
                        .run_id = reader->run_id,
                        .task_no = task_no };

    if (fresh && (fresh->output || fresh->skipped))
        return fresh;
    return outputs->n ? bsearch(&key, outputs->items, outputs->n, sizeof(key), by_place) : NULL;
}

static const char *outputs_text(struct batch *batch, const struct progress *p,
                                const struct task *task, const struct rv_rows *outputs)
{
    const struct dag_node *node = &p->dag->nodes[task->task_no];
    auto_buf buf = { 0 };

    if (node->n_reads == 0)
        return NULL;
    rv_buf_text(&buf, "{");
    for (size_t i = 0; i < node->n_reads; i++) {
        const struct task *read = look_up(batch, task, node->reads[i], outputs);

        rv_buf_text(&buf, i ? "," : "");
        rv_buf_json(&buf, p->plan->nodes[node->reads[i]].node_id);
        rv_buf_printf(&buf, ":%s", read && read->output ? read->output : "null");
    }
    rv_buf_text(&buf, "}");
    return rv_strndup(batch->cx, buf.data, buf.len);
}

static void add_skipped(struct batch *batch, const struct progress *p, const struct task *task,
                        const struct rv_rows *outputs, struct task_claimed *claimed)
{
    const struct dag_node *node = &p->dag->nodes[task->task_no];
    size_t n = node->n_reads + n_flags(node);

    if (!p->dag->conditional)
        return;
    claimed->skipped = rv_new_array(batch->cx, const char *, n);
    for (size_t i = 0; i < n; i++) {
        int64_t number = i < node->n_reads ? node->reads[i] : node->needs[i - node->n_reads];
        const struct task *before = look_up(batch, task, number, outputs);

        if (before && before->skipped)
            claimed->skipped[claimed->n_skipped++] = p->plan->nodes[number].node_id;
    }
}

static size_t length(const char *text)
{
    return text ? strlen(text) : 0;
}

struct task_claimed grant_of(const struct progress *p, const struct task *task, const char *outputs)
{
    return (struct task_claimed){
        .verdict = CLAIM_GRANTED,
        .tenant_id = task->tenant_id,
        .run_id = task->run_id,
        .task_no = task->task_no,
        .fence = task->fence,
        .attempt = task->attempt,
        .calls = task->calls,
        .lease_ms = p->lease_ms,
        .plan_id = p->run->plan_id,
        .project_id = p->run->project_id,
        .hold_id = p->run->hold_id,
        .trace_id = p->run->trace_id,
        .input = p->run->input,
        .outputs = outputs,
    };
}

/*
 * One answer carries all grants of a message, and a message has an end: what does not fit any more
 * is handed back for later; what never fits fails, or it would be claimed and lost for ever.
 */
rv_result batch_grants(struct batch *batch, struct task *const *tasks, size_t n,
                       struct task_claimed **claimed)
{
    struct rv_rows outputs = { 0 };
    size_t said = 0;

    RV_TRY(batch->cx, read_outputs(batch, tasks, n, &outputs));
    if (outputs.n)
        qsort(outputs.items, outputs.n, sizeof(struct task), by_place);
    for (size_t i = 0; i < n; i++) {
        struct task *task = tasks[i];
        struct progress *p = batch_run(batch, task->tenant_id, task->run_id);
        const char *text = outputs_text(batch, p, task, &outputs);
        size_t size = length(p->run->input) + length(text) + GRANT_BYTES;

        *claimed[i] = (struct task_claimed){ .verdict = CLAIM_GONE };
        if (said + size > ANSWER_BYTES_MAX) {
            progress_ungrant(p, task, size > ANSWER_BYTES_MAX);
            continue;
        }
        said += size;
        *claimed[i] = grant_of(p, task, text);
        add_skipped(batch, p, task, &outputs, claimed[i]);
    }
    return RV_OK;
}
