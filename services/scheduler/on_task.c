#include <string.h>

#include "base/id.h"
#include "batch.h"
#include "runtime/failpoint.h"
#include "runtime/secret.h"
#include "store/sql.h"

static bool is_good(const struct task_ref *ref)
{
    return ref->tenant_id && ref->run_id && rv_id_is(ref->tenant_id) && rv_id_is(ref->run_id) &&
           ref->task_no >= 0;
}

/* Every message about a task begins with these three; a batch is loaded by them. */
static struct task_ref *refs_of(struct rv_ctx *cx, const void *items, size_t size, size_t n,
                                size_t *n_good)
{
    struct task_ref *refs = rv_new_array(cx, struct task_ref, n);

    *n_good = 0;
    for (size_t i = 0; i < n; i++) {
        const struct task_ref *ref = (const void *)((const char *)items + i * size);

        if (is_good(ref))
            refs[(*n_good)++] = *ref;
    }
    return refs;
}

#define BEGINS_LIKE_A_REF(type)                                                                    \
    _Static_assert(offsetof(struct type, task_no) == offsetof(struct task_ref, task_no) &&         \
                       offsetof(struct type, run_id) == offsetof(struct task_ref, run_id),         \
                   "a " #type " begins like a task_ref")
BEGINS_LIKE_A_REF(task_claim);
BEGINS_LIKE_A_REF(task_report);
BEGINS_LIKE_A_REF(task_renew);
BEGINS_LIKE_A_REF(task_call);

static rv_result load(struct batch *batch, struct rv_ctx *cx, struct scheduler_service *service,
                      const void *items, size_t size, size_t n)
{
    size_t n_refs;
    struct task_ref *refs = refs_of(cx, items, size, n, &n_refs);

    batch_init(batch, cx, service);
    return n_refs ? batch_load(batch, refs, n_refs, false) : RV_OK;
}

/* The run and the task that an item is about; false when there is none. */
static bool find(const struct batch *batch, const void *item, struct progress **p,
                 struct task **task)
{
    const struct task_ref *ref = item;

    if (!ref->tenant_id || !ref->run_id)
        return false;
    *p = batch_run(batch, ref->tenant_id, ref->run_id);
    *task = batch_task(batch, ref->tenant_id, ref->run_id, ref->task_no);
    return *p && *task;
}

/* Claims and reports begin or end a lease; what needs to know how long one was renewed to reads. */
static rv_result take_claims(struct batch *batch, struct rv_ctx *cx,
                             struct scheduler_service *service, const struct task_claim *claims,
                             size_t n)
{
    struct taking *takings = rv_new_array(cx, struct taking, n);
    size_t n_good = 0;

    for (size_t i = 0; i < n; i++) {
        const struct task_ref *ref = (const void *)&claims[i];

        if (is_good(ref) && claims[i].executor_id)
            takings[n_good++] = (struct taking){ *ref, 0 };
    }
    batch_init(batch, cx, service);
    return n_good ? batch_take(batch, takings, n_good, false) : RV_OK;
}

static rv_result take_reports(struct batch *batch, struct rv_ctx *cx,
                              struct scheduler_service *service, const struct task_report *reports,
                              size_t n)
{
    struct taking *takings = rv_new_array(cx, struct taking, n);
    size_t n_good = 0;

    for (size_t i = 0; i < n; i++) {
        const struct task_ref *ref = (const void *)&reports[i];

        if (is_good(ref) && reports[i].fence > 0)
            takings[n_good++] = (struct taking){ *ref, reports[i].fence };
    }
    batch_init(batch, cx, service);
    return n_good ? batch_take(batch, takings, n_good, true) : RV_OK;
}

RV_BATCH_HANDLER(on_task_claim, struct scheduler_service *service, const struct task_claim *claims,
                 struct task_claimed *answers, size_t n)
{
    struct task **granted = rv_new_array(cx, struct task *, n);
    struct task_claimed **filled = rv_new_array(cx, struct task_claimed *, n);
    size_t n_granted = 0;
    struct batch batch;

    RV_TRY(cx, take_claims(&batch, cx, service, claims, n));
    for (size_t i = 0; i < n; i++) {
        struct progress *p;
        struct task *task;

        answers[i].verdict = CLAIM_GONE;
        if (!claims[i].executor_id || !find(&batch, &claims[i], &p, &task) ||
            !progress_claim(p, task, claims[i].executor_id))
            continue;
        granted[n_granted] = task;
        filled[n_granted++] = &answers[i];
    }
    RV_TRY(cx, batch_grants(&batch, granted, n_granted, filled));
    return batch_save(&batch);
}

RV_BATCH_HANDLER(on_task_report, struct scheduler_service *service,
                 const struct task_report *reports, struct task_reported *answers, size_t n)
{
    struct task **granted = rv_new_array(cx, struct task *, n);
    struct task_claimed **filled = rv_new_array(cx, struct task_claimed *, n);
    size_t n_granted = 0;
    struct batch batch;

    RV_TRY(cx, take_reports(&batch, cx, service, reports, n));
    for (size_t i = 0; i < n; i++) {
        struct task *task, *next = NULL, **after;
        struct progress *p;
        size_t n_after;

        answers[i].verdict = REPORT_STALE;
        if (find(&batch, &reports[i], &p, &task)) {
            after = batch_after(&batch, p, task, &n_after);
            answers[i].verdict = progress_report(p, task, &reports[i], after, n_after, &next);
        }
        rv_count(&scheduler_metric_rows[METRIC_TASKS_STALE], answers[i].verdict == REPORT_STALE);
        if (next && !run_is_over(p->run->state)) {
            answers[i].next = rv_new(cx, struct task_claimed);
            granted[n_granted] = next;
            filled[n_granted++] = answers[i].next;
        }
    }
    RV_TRY(cx, batch_grants(&batch, granted, n_granted, filled));
    for (size_t i = 0; i < n; i++)
        if (answers[i].next && answers[i].next->verdict != CLAIM_GRANTED)
            answers[i].next = NULL;
    return batch_save(&batch);
}

/* -- leases ------------------------------------------------------------------------------------ */

struct renewal {
    const char *tenant_id, *run_id;
    int64_t task_no, fence, lease_ms;
    bool cancelling;
};
/* clang-format off */
static const struct rv_field renewal_fields[] = {
    RV_UUID(renewal, tenant_id, 0),
    RV_UUID(renewal, run_id, 0),
    RV_INT(renewal,  task_no, 0),
    RV_INT(renewal,  fence, 0),
    RV_INT(renewal,  lease_ms, 0),
    RV_BOOL(renewal, cancelling, 0),
};
static RV_RECORD(renewal, renewal_fields);
/* clang-format on */

static bool is_about(const struct renewal *row, const struct task_renew *ask)
{
    return row->task_no == ask->task_no && row->fence == ask->fence && ask->run_id &&
           strcmp(row->run_id, ask->run_id) == 0;
}

RV_BATCH_HANDLER(on_task_renew, struct scheduler_service *service, const struct task_renew *asks,
                 struct task_renewed *answers, size_t n)
{
    struct renewal *wanted = rv_new_array(cx, struct renewal, n);
    struct rv_rows rows = { 0 };
    size_t n_wanted = 0, n_refs;
    struct task_ref *refs = refs_of(cx, asks, sizeof(*asks), n, &n_refs);
    struct batch batch;

    for (size_t i = 0; i < n; i++)
        if (asks[i].tenant_id && asks[i].run_id && rv_id_is(asks[i].tenant_id) &&
            rv_id_is(asks[i].run_id))
            wanted[n_wanted++] =
                (struct renewal){ asks[i].tenant_id, asks[i].run_id,           asks[i].task_no,
                                  asks[i].fence,     service->config.lease_ms, false };
    batch_init(&batch, cx, service);
    if (n_refs) /* or the sweeper, which has seen the old lease, would take the task away */
        RV_TRY(cx, batch_lock(&batch, refs, n_refs));
    if (n_wanted)
        RV_TRY(cx, rv_db_rows(cx, &SQL_TASKS_RENEW, rv_in_many(renewal, wanted, n_wanted),
                              &renewal_record, &rows));
    for (size_t i = 0; i < n; i++) {
        answers[i] = (struct task_renewed){ REPORT_STALE, service->config.lease_ms };
        for (size_t r = 0; r < rows.n; r++) {
            const struct renewal *row = &((struct renewal *)rows.items)[r];

            if (is_about(row, &asks[i]))
                answers[i].verdict = row->cancelling ? REPORT_CANCEL : REPORT_RECORDED;
        }
    }
    return RV_OK;
}

/* -- the journal ------------------------------------------------------------------------------- */

/* A call as it is kept: its frame is a blob, named by its hash. */
struct step_row {
    struct task_call call;
    struct rv_bytes blob_hash;
};

static struct rv_record step_row_record_made(struct rv_ctx *cx)
{
    struct rv_field *fields = rv_new_array(cx, struct rv_field, task_call_record.field_count + 1);

    memcpy(fields, task_call_record.fields, task_call_record.field_count * sizeof(*fields));
    fields[task_call_record.field_count] = (struct rv_field){
        .name = "blob_hash", .kind = RV_KIND_BYTES, .offset = offsetof(struct step_row, blob_hash)
    };
    return (struct rv_record){ "step_row", sizeof(struct step_row), fields,
                               task_call_record.field_count + 1 };
}

static struct rv_bytes hash_of(struct rv_ctx *cx, struct rv_bytes frame)
{
    uint8_t *hash = rv_new_array(cx, uint8_t, RV_HASH_BYTES);

    rv_hash256(frame.data, frame.len, hash);
    return (struct rv_bytes){ hash, RV_HASH_BYTES };
}

static bool call_is_whole(const struct task_call *call)
{
    return call->call_no > 0 && call->kind && call->name && call->decision_id && call->hold_id &&
           rv_id_is(call->decision_id) && rv_id_is(call->hold_id) && call->frame.len > 0;
}

RV_BATCH_HANDLER(on_task_record, struct scheduler_service *service, const struct task_call *calls,
                 struct task_recorded *answers, size_t n)
{
    struct step_row *rows = rv_new_array(cx, struct step_row, n);
    struct rv_record row_record = step_row_record_made(cx);
    size_t n_rows = 0;
    struct batch batch;

    RV_TRY(cx, load(&batch, cx, service, calls, sizeof(*calls), n));
    for (size_t i = 0; i < n; i++) {
        struct progress *p;
        struct task *task;
        int64_t before;

        answers[i].verdict = REPORT_STALE;
        if (!call_is_whole(&calls[i]) || !find(&batch, &calls[i], &p, &task))
            continue;
        before = task->calls;
        answers[i].verdict = progress_record(p, task, &calls[i]);
        if (answers[i].verdict == REPORT_STALE || task->calls == before)
            continue;
        rows[n_rows++] = (struct step_row){ calls[i], hash_of(cx, calls[i].frame) };
    }
    if (n_rows) {
        struct rv_in in = { &row_record, rows, n_rows };

        RV_TRY(cx, rv_db_exec(cx, &SQL_BLOBS_NEW, in));
        RV_TRY(cx, rv_db_exec(cx, &SQL_RUN_STEPS_NEW, in));
    }
    return batch_save(&batch);
}

/* A page of the journal: what one message can carry, and one call at least. */
static size_t calls_that_fit(const struct task_call *calls, size_t n)
{
    size_t bytes = 0, fit = 0;

    for (; fit < n; fit++) {
        bytes += calls[fit].frame.len + 512;
        if (fit > 0 && bytes > JOURNAL_PAGE_BYTES)
            break;
    }
    return fit;
}

RV_HANDLER(on_journal_get, struct scheduler_service *service, const struct journal_ask *ask,
           struct journal *answer)
{
    struct rv_rows rows;

    if (!ask->tenant_id || !ask->run_id || !rv_id_is(ask->tenant_id) || !rv_id_is(ask->run_id))
        return rv_fail(cx, RV_INVALID, "run_id is not a UUID");
    RV_TRY(cx,
           rv_db_rows(cx, &SQL_JOURNAL_LOAD, rv_in(journal_ask, ask), &task_call_record, &rows));
    answer->calls = rows.items;
    answer->n_calls = calls_that_fit(answer->calls, rows.n);
    return RV_OK;
}
