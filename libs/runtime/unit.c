#include "runtime/unit.h"

#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "runtime/failpoint.h"

/* How far a failed attempt had come: only what was rolled back for certain is tried again. */
enum phase { HANDLING, COMMITTING, COMMITTED };

static rv_result call(struct rv_ctx *cx, const struct rv_work *work, const void *items, size_t n,
                      void *answers)
{
    if (work->handle)
        return work->handle(cx, work->state, items, answers);
    return work->handle_many(cx, work->state, items, answers, n);
}

static rv_result attempt(struct rv_ctx *cx, const struct rv_work *work, const void *items, size_t n,
                         void *answers, enum phase *phase)
{
    *phase = HANDLING;
    RV_TRY(cx, rv_failpoint_at(cx, work->name, "begin"));
    RV_TRY(cx, call(cx, work, items, n, answers));
    RV_TRY(cx, rv_failpoint_at(cx, work->name, "commit.before"));
    *phase = COMMITTING;
    RV_TRY(cx, rv_db_commit(cx));
    *phase = COMMITTED;
    return rv_failpoint_at(cx, work->name, "commit.after");
}

static bool may_repeat(const struct rv_ctx *cx, enum rv_status status, enum phase phase)
{
    if (status != RV_UNAVAILABLE || phase == COMMITTED)
        return false;
    return phase == HANDLING || !rv_db_fate_unknown(cx);
}

static void start_over(struct rv_ctx *cx)
{
    rv_db_rollback(cx);
    cx->after = NULL;
    cx->again = true;
    cx->error = (struct rv_error){ 0 };
}

rv_result rv_unit_try(struct rv_ctx *cx, const struct rv_work *work, const void *items, size_t n,
                      void **answers)
{
    const struct rv_record *out = work->subject->out.record;
    enum rv_status status;
    enum phase phase;

    *answers = out ? rv_arena_array(cx->arena, out->size, n) : NULL;
    status = attempt(cx, work, items, n, *answers, &phase);
    if (may_repeat(cx, status, phase)) {
        rv_debug(cx, "unit of work is done again", RV_F("what", work->name),
                 RV_F("why", cx->error.text));
        start_over(cx);
        if (out)
            memset(*answers, 0, out->size * n);
        status = attempt(cx, work, items, n, *answers, &phase);
    }
    if (status == RV_OK) {
        rv_ctx_run_after(cx);
        return RV_OK;
    }
    rv_db_rollback(cx);
    cx->after = NULL;
    return status;
}

/* One part after the other, each with a transaction of its own. Returns how many failed. */
static size_t run_each(struct rv_ctx *cx, const struct rv_work *work, const void *items,
                       const struct rv_part *parts, size_t n_parts, rv_part_done_fn *done,
                       void *arg)
{
    size_t size = work->subject->in.record->size, failed = 0;
    void *answers;

    for (size_t i = 0; i < n_parts; i++) {
        enum rv_status status;

        cx->error = (struct rv_error){ 0 };
        status = rv_unit_try(cx, work, (const char *)items + parts[i].first * size, parts[i].n,
                             &answers);
        if (status != RV_OK) {
            rv_log_failure(cx, "work failed", work->name);
            failed++;
        }
        done(arg, cx, i, status == RV_OK ? (answers ? answers : work) : NULL);
    }
    return failed;
}

static void tell_all(struct rv_ctx *cx, const struct rv_work *work, const struct rv_part *parts,
                     size_t n_parts, const char *answers, rv_part_done_fn *done, void *arg)
{
    const struct rv_record *out = work->subject->out.record;

    for (size_t i = 0; i < n_parts; i++)
        done(arg, cx, i, answers && out ? answers + parts[i].first * out->size : answers);
}

void rv_unit_run(struct rv_ctx *cx, const struct rv_work *work, const void *items,
                 const struct rv_part *parts, size_t n_parts, rv_part_done_fn *done, void *arg)
{
    size_t n = parts[n_parts - 1].first + parts[n_parts - 1].n;
    int64_t start_ns = rv_monotonic_ns();
    void *answers;
    enum rv_status status = rv_unit_try(cx, work, items, n, &answers);
    const char *failed = status == RV_OK ? NULL : rv_status_text(status);

    if (status == RV_OK) {
        tell_all(cx, work, parts, n_parts, answers ? answers : (const void *)work, done, arg);
    } else if (n_parts > 1 && !rv_status_retry(status)) {
        run_each(cx, work, items, parts, n_parts, done, arg);
    } else {
        rv_log_failure(cx, "work failed", work->name);
        tell_all(cx, work, parts, n_parts, NULL, done, arg);
    }
    if (rv_failpoint_at(cx, work->name, "reply.after") != RV_OK)
        rv_log_failure(cx, "after the answer", work->name);
    rv_meter_add(work->meter, n, rv_monotonic_ns() - start_ns, failed);
}

rv_result rv_unit_read(struct rv_ctx *cx, const struct rv_subject *subject, const uint8_t *bytes,
                       size_t len, void **items, size_t *n)
{
    if (subject->speech == RV_BATCH || subject->speech == RV_NEWS)
        return rv_pb_read_many(cx, &subject->in, bytes, len, items, n);
    *items = rv_arena_alloc(cx->arena, subject->in.record->size);
    *n = 1;
    return rv_pb_read(cx, &subject->in, bytes, len, *items);
}
