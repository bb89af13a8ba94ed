#include "batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/time.h"
#include "store/sql.h"

struct lock_row {
    int64_t lock_key;
};
/* clang-format off */
static const struct rv_field lock_row_fields[] = {
    RV_INT(lock_row, lock_key, 0),
};
static RV_RECORD(lock_row, lock_row_fields);
/* clang-format on */

void batch_init(struct batch *batch, struct rv_ctx *cx, struct scheduler_service *service)
{
    *batch = (struct batch){ .cx = cx, .service = service };
}

rv_result batch_lock(struct batch *batch, const struct task_ref *refs, size_t n)
{
    struct lock_row *rows = rv_new_array(batch->cx, struct lock_row, n);

    for (size_t i = 0; i < n; i++)
        rows[i].lock_key = rv_id_key(refs[i].run_id);
    return rv_db_exec(batch->cx, &SQL_RUNS_LOCK, rv_in_many(lock_row, rows, n));
}

/* -- order: by tenant, run and task number ----------------------------------------------------- */

static int compare_run(const char *tenant_a, const char *run_a, const char *tenant_b,
                       const char *run_b)
{
    int got = strcmp(run_a, run_b);

    return got ? got : strcmp(tenant_a, tenant_b);
}

static int by_run(const void *a, const void *b)
{
    const struct run *x = a, *y = b;

    return compare_run(x->tenant_id, x->run_id, y->tenant_id, y->run_id);
}

static int compare_task(const struct task *x, const struct task *y)
{
    int got = compare_run(x->tenant_id, x->run_id, y->tenant_id, y->run_id);

    return got ? got : (x->task_no > y->task_no) - (x->task_no < y->task_no);
}

static int by_task(const void *a, const void *b)
{
    return compare_task(*(struct task *const *)a, *(struct task *const *)b);
}

struct progress *batch_run(const struct batch *batch, const char *tenant_id, const char *run_id)
{
    struct run key = { .tenant_id = tenant_id, .run_id = run_id };
    struct run *found =
        batch->n_runs ? bsearch(&key, batch->runs, batch->n_runs, sizeof(key), by_run) : NULL;

    return found && batch->progress[found - batch->runs].plan
               ? &batch->progress[found - batch->runs]
               : NULL;
}

struct task *batch_task(const struct batch *batch, const char *tenant_id, const char *run_id,
                        int64_t task_no)
{
    struct task key = { .tenant_id = tenant_id, .run_id = run_id, .task_no = task_no };
    struct task *wanted = &key, **found;

    if (!batch->n_tasks)
        return NULL;
    found = bsearch(&wanted, batch->tasks, batch->n_tasks, sizeof(*batch->tasks), by_task);
    return found ? *found : NULL;
}

struct task **batch_after(struct batch *batch, const struct progress *p, const struct task *task,
                          size_t *n)
{
    const struct dag_node *node = &p->dag->nodes[task->task_no];
    struct task **after = rv_new_array(batch->cx, struct task *, node->n_after);

    *n = 0;
    for (size_t i = 0; i < node->n_after; i++) {
        struct task *one = batch_task(batch, task->tenant_id, task->run_id, node->after[i]);

        if (one)
            after[(*n)++] = one;
    }
    return after;
}

struct task *batch_tasks_of(const struct batch *batch, const struct run *run, size_t *n)
{
    size_t first = 0;

    while (first < batch->n_tasks &&
           compare_run(batch->tasks[first]->tenant_id, batch->tasks[first]->run_id, run->tenant_id,
                       run->run_id) != 0)
        first++;
    for (*n = 0; first + *n < batch->n_tasks; ++*n)
        if (compare_run(batch->tasks[first + *n]->tenant_id, batch->tasks[first + *n]->run_id,
                        run->tenant_id, run->run_id) != 0)
            break;
    return *n ? batch->tasks[first] : NULL;
}

/* -- loading ----------------------------------------------------------------------------------- */

/* Joins what several reads have found, sorted and without doubles. */
static void gather_tasks(struct batch *batch, const struct rv_rows *reads, size_t n_reads)
{
    struct task *side_by_side;
    size_t total = 0, kept = 0;

    for (size_t r = 0; r < n_reads; r++)
        total += reads[r].n;
    batch->tasks = rv_new_array(batch->cx, struct task *, total);
    for (size_t r = 0; r < n_reads; r++)
        for (size_t i = 0; i < reads[r].n; i++)
            batch->tasks[batch->n_tasks++] = &((struct task *)reads[r].items)[i];
    qsort(batch->tasks, batch->n_tasks, sizeof(*batch->tasks), by_task);
    side_by_side = rv_new_array(batch->cx, struct task, total);
    for (size_t i = 0; i < batch->n_tasks; i++)
        if (kept == 0 || compare_task(batch->tasks[kept - 1], batch->tasks[i]) != 0) {
            side_by_side[kept] = *batch->tasks[i];
            batch->tasks[kept] = &side_by_side[kept];
            kept++;
        }
    batch->n_tasks = kept;
}

static rv_result find_plans(struct batch *batch)
{
    struct plan_key *keys = rv_new_array(batch->cx, struct plan_key, batch->n_runs);
    struct known_plan *known = rv_new_array(batch->cx, struct known_plan, batch->n_runs);

    for (size_t i = 0; i < batch->n_runs; i++)
        keys[i] = (struct plan_key){ batch->runs[i].tenant_id, batch->runs[i].plan_id, NULL };
    RV_TRY(batch->cx,
           plan_cache_find(batch->cx, batch->service->plans, keys, batch->n_runs, known));
    batch->progress = rv_new_array(batch->cx, struct progress, batch->n_runs);
    for (size_t i = 0; i < batch->n_runs; i++)
        batch->progress[i] = (struct progress){
            .cx = batch->cx,
            .outbox = &batch->outbox,
            .run = &batch->runs[i],
            .plan = known[i].plan,
            .dag = known[i].dag,
            .lease_ms = batch->service->config.lease_ms,
        };
    return RV_OK;
}

/* The tasks of runs too large to be read whole: those named, and those that wait for them. */
static size_t wanted_of_large(struct batch *batch, const struct task_ref *refs, size_t n,
                              bool after, struct task_ref **wanted)
{
    size_t room = n, count = 0;

    for (size_t i = 0; i < n; i++) {
        const struct progress *p = batch_run(batch, refs[i].tenant_id, refs[i].run_id);

        if (p && after && refs[i].task_no >= 0 && (size_t)refs[i].task_no < p->dag->n)
            room += p->dag->nodes[refs[i].task_no].n_after;
    }
    *wanted = rv_new_array(batch->cx, struct task_ref, room);
    for (size_t i = 0; i < n; i++) {
        const struct progress *p = batch_run(batch, refs[i].tenant_id, refs[i].run_id);

        if (!p || p->run->tasks_total <= SMALL_RUN_TASKS || refs[i].task_no < 0 ||
            (size_t)refs[i].task_no >= p->dag->n)
            continue;
        (*wanted)[count++] = refs[i];
        for (size_t k = 0; after && k < p->dag->nodes[refs[i].task_no].n_after; k++)
            (*wanted)[count++] = (struct task_ref){ refs[i].tenant_id, refs[i].run_id,
                                                    p->dag->nodes[refs[i].task_no].after[k] };
    }
    return count;
}

static size_t runs_to_load_whole(struct batch *batch, const struct task_ref *refs, size_t n,
                                 struct task_ref **whole)
{
    size_t count = 0;

    *whole = rv_new_array(batch->cx, struct task_ref, n);
    for (size_t i = 0; i < n; i++)
        if (refs[i].task_no < 0)
            (*whole)[count++] = refs[i];
    return count;
}

/* Reads the runs of @refs, which are locked and not at hand, and the tasks they need. */
static rv_result read_runs(struct batch *batch, const struct task_ref *refs, size_t n,
                           struct rv_rows *runs, struct rv_rows *small, struct rv_rows *whole)
{
    struct rv_ctx *cx = batch->cx;
    struct rv_in in = rv_in_many(task_ref, refs, n);
    struct task_ref *wanted;
    int64_t asked_ms = rv_monotonic_ms();
    size_t n_wanted;

    if (n == 0)
        return RV_OK;
    RV_TRY(cx, rv_db_read(cx, &SQL_RUNS_LOAD, in, &run_record, runs));
    RV_TRY(cx, rv_db_read(cx, &SQL_TASKS_OF_SMALL_RUNS, in, &task_record, small));
    n_wanted = runs_to_load_whole(batch, refs, n, &wanted);
    if (n_wanted)
        RV_TRY(cx, rv_db_read(cx, &SQL_TASKS_OF_LARGE_RUNS, rv_in_many(task_ref, wanted, n_wanted),
                              &task_record, whole));
    RV_TRY(cx, rv_db_sync(cx));
    if (runs->n)
        hand_heard(batch->service->hand, ((const struct run *)runs->items)[0].now_ms, asked_ms);
    return RV_OK;
}

static void gather_runs(struct batch *batch, const struct rv_rows *read)
{
    batch->runs = rv_new_array(batch->cx, struct run, read->n + batch->n_at_hand);
    if (read->n)
        memcpy(batch->runs, read->items, read->n * sizeof(*batch->runs));
    for (size_t i = 0; i < batch->n_at_hand; i++)
        batch->runs[read->n + i] = batch->at_hand[i]->run;
    batch->n_runs = read->n + batch->n_at_hand;
    if (batch->n_runs)
        qsort(batch->runs, batch->n_runs, sizeof(*batch->runs), by_run);
    for (size_t i = 0; i < batch->n_runs; i++)
        batch->runs[i].seen_seq = batch->runs[i].run_seq;
}

static struct rv_rows tasks_at_hand(struct batch *batch)
{
    struct task *tasks;
    size_t n = 0;

    for (size_t i = 0; i < batch->n_at_hand; i++)
        n += batch->at_hand[i]->n_tasks;
    tasks = rv_new_array(batch->cx, struct task, n);
    n = 0;
    for (size_t i = 0; i < batch->n_at_hand; i++)
        for (size_t k = 0; k < batch->at_hand[i]->n_tasks; k++)
            tasks[n++] = batch->at_hand[i]->tasks[k];
    return (struct rv_rows){ tasks, n };
}

/* @missing: those of @refs whose runs are not at hand. */
static rv_result load(struct batch *batch, const struct task_ref *refs, size_t n,
                      const struct task_ref *missing, size_t n_missing, bool after)
{
    struct rv_ctx *cx = batch->cx;
    struct rv_rows runs = { 0 }, reads[4] = { 0 };
    struct task_ref *wanted;
    size_t n_wanted;

    RV_TRY(cx, batch_lock(batch, refs, n));
    RV_TRY(cx, read_runs(batch, missing, n_missing, &runs, &reads[0], &reads[1]));
    gather_runs(batch, &runs);
    RV_TRY(cx, find_plans(batch));
    n_wanted = wanted_of_large(batch, refs, n, after, &wanted);
    if (n_wanted)
        RV_TRY(cx, rv_db_rows(cx, &SQL_TASKS_LOAD, rv_in_many(task_ref, wanted, n_wanted),
                              &task_record, &reads[2]));
    reads[3] = tasks_at_hand(batch);
    gather_tasks(batch, reads, 4);
    return RV_OK;
}

rv_result batch_load(struct batch *batch, const struct task_ref *refs, size_t n, bool after)
{
    for (size_t i = 0; i < n; i++)
        hand_drop(batch->service->hand, &refs[i]);
    return load(batch, refs, n, refs, n, after);
}

static size_t place_of(const struct batch *batch, const struct task_ref *ref)
{
    size_t i = 0;

    while (i < batch->n_at_hand && (strcmp(batch->at_hand[i]->run.run_id, ref->run_id) != 0 ||
                                    strcmp(batch->at_hand[i]->run.tenant_id, ref->tenant_id) != 0))
        i++;
    return i;
}

/* Whether the run, as it is at hand, would say yes. */
static bool fits(const struct at_hand *at_hand, const struct taking *taking)
{
    const struct task *task;

    if ((size_t)taking->ref.task_no >= at_hand->n_tasks)
        return false;
    task = &at_hand->tasks[taking->ref.task_no];
    return taking->fence ? task_is_live(task->state) && task->fence == taking->fence
                         : task->state == TASK_READY;
}

static void take_one(struct batch *batch, const struct taking *taking)
{
    size_t place = place_of(batch, &taking->ref);

    if (place == batch->n_at_hand) {
        struct at_hand *found = hand_take(batch->service->hand, batch->cx, &taking->ref);

        if (!found)
            return;
        batch->at_hand[batch->n_at_hand++] = found;
    }
    if (!fits(batch->at_hand[place], taking))
        batch->at_hand[place] = batch->at_hand[--batch->n_at_hand];
}

/* What is done again has likely met somebody who was faster: all of it is read. */
static void take_at_hand(struct batch *batch, const struct taking *takings, size_t n)
{
    batch->at_hand = rv_new_array(batch->cx, struct at_hand *, n);
    for (size_t i = 0; i < n && !batch->cx->again; i++)
        take_one(batch, &takings[i]);
    if (batch->cx->again)
        hand_rest(batch->service->hand);
    rv_count(&scheduler_metric_rows[METRIC_RUNS_AT_HAND], (int64_t)batch->n_at_hand);
}

rv_result batch_take(struct batch *batch, const struct taking *takings, size_t n, bool after)
{
    struct task_ref *refs = rv_new_array(batch->cx, struct task_ref, n);
    struct task_ref *missing = rv_new_array(batch->cx, struct task_ref, n);
    size_t n_missing = 0;

    take_at_hand(batch, takings, n);
    for (size_t i = 0; i < n; i++) {
        refs[i] = takings[i].ref;
        if (place_of(batch, &refs[i]) == batch->n_at_hand)
            missing[n_missing++] = refs[i];
    }
    return load(batch, refs, n, missing, n_missing, after);
}
