#include "executor/reporter.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/time.h"
#include "contract/subjects.h"
#include "executor/room.h"
#include "runtime/failpoint.h"

enum {
    REPORTS_MAX = 256,
    REPORT_BYTES_MAX = 512 * 1024,
    OUTPUT_MAX = 256 * 1024,
    OUTPUT_DEPTH_MAX = 60, /* others put it into values of theirs: RV_JSON_DEPTH_MAX */
    AGAIN_MS = 200,
    AGAIN_MAX_MS = 2000,
    IDLE_MS = 1000
};

struct reporter {
    struct executor *executor;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t added;
    struct job *first, **last; /* those that wait */
    size_t waiting;            /* and those being told */
    bool ending;
    int64_t ends_at_ms;
};

static void put(struct reporter *reporter, struct job *job)
{
    job->next = NULL;
    *reporter->last = job;
    reporter->last = &job->next;
}

/* How deep @json, which is well formed, is nested. */
static int depth_of(const char *json)
{
    int depth = 0, deepest = 0;
    bool quoted = false;

    for (; *json; json++)
        if (quoted && *json == '\\' && json[1])
            json++;
        else if (*json == '"')
            quoted = !quoted;
        else if (!quoted && (*json == '{' || *json == '['))
            deepest = ++depth > deepest ? depth : deepest;
        else if (!quoted && (*json == '}' || *json == ']'))
            depth--;
    return deepest;
}

/* An output that no message can carry, or no later step can read, is a failure of its step. */
static void limit_output(struct job *job)
{
    if (job->output && strlen(job->output) > OUTPUT_MAX)
        job_fails(job, "output_too_large", false, "the output is larger than 256 KiB");
    else if (job->output && depth_of(job->output) > OUTPUT_DEPTH_MAX)
        job_fails(job, "output_too_deep", false, "the output is nested deeper than 60");
}

void reporter_add(struct reporter *reporter, struct job *job)
{
    limit_output(job);
    pthread_mutex_lock(&reporter->lock);
    put(reporter, job);
    reporter->waiting++;
    pthread_cond_signal(&reporter->added);
    pthread_mutex_unlock(&reporter->lock);
}

size_t reporter_waiting(struct reporter *reporter)
{
    size_t waiting;

    pthread_mutex_lock(&reporter->lock);
    waiting = reporter->waiting;
    pthread_mutex_unlock(&reporter->lock);
    return waiting;
}

/* What a report takes in the question or its next task in the answer, whichever is more. */
static size_t report_bytes(const struct job *job)
{
    return job->bytes + 256 + (job->output ? strlen(job->output) : 0);
}

/* With the lock held: as many as fit one message, of those whose time has come. */
static size_t take_due(struct reporter *reporter, struct job **jobs)
{
    int64_t now_ms = rv_monotonic_ms();
    struct job **at = &reporter->first;
    size_t n = 0, bytes = 0;

    while (*at && n < REPORTS_MAX) {
        struct job *job = *at;

        if (job->again_at_ms > now_ms) {
            at = &job->next;
            continue;
        }
        bytes += report_bytes(job);
        if (n > 0 && (bytes > REPORT_BYTES_MAX || job->alone))
            break;
        *at = job->next;
        jobs[n++] = job;
        if (job->alone)
            break;
    }
    for (reporter->last = &reporter->first; *reporter->last;)
        reporter->last = &(*reporter->last)->next;
    return n;
}

/* Without work it looks once in a while: a report may be due again. */
static size_t wait_for_some(struct reporter *reporter, struct job **jobs)
{
    size_t n;

    pthread_mutex_lock(&reporter->lock);
    while ((n = take_due(reporter, jobs)) == 0) {
        int64_t at_ms = rv_monotonic_ms() + (reporter->first ? AGAIN_MS / 4 : IDLE_MS);
        struct timespec until = { at_ms / 1000, at_ms % 1000 * 1000000 };

        if (reporter->ending &&
            (reporter->waiting == 0 || rv_monotonic_ms() >= reporter->ends_at_ms))
            break;
        pthread_cond_timedwait(&reporter->added, &reporter->lock, &until);
    }
    pthread_mutex_unlock(&reporter->lock);
    return n;
}

/* A step that touches nothing needs no place for what comes next; one with a place passes it on. */
static bool wants_next(struct executor *executor, struct job *job)
{
    if (atomic_load(&executor->stopping) || !job->pinned || job->outcome == OUTCOME_HANDED_BACK)
        return false;
    if (job->pinned->pure || job->has_slot)
        return true;
    job->has_slot = room_take(executor->room, 1) == 1;
    return job->has_slot;
}

static void write_report(struct rv_ctx *cx, struct executor *executor, struct job *job,
                         struct task_report *report)
{
    const struct task_claimed *claimed = &job->claimed;

    *report = (struct task_report){
        .tenant_id = claimed->tenant_id,
        .run_id = claimed->run_id,
        .task_no = claimed->task_no,
        .fence = claimed->fence,
        .executor_id = executor->executor_id,
        .outcome = job->outcome,
        .output = job->output,
        .retry_after_ms = job->retry_after_ms,
        .wants_next = wants_next(executor, job),
    };
    if (job->outcome == OUTCOME_NEEDS_APPROVAL)
        report->approval_id = job->approval_id;
    if (job->outcome == OUTCOME_FAILED) {
        report->failure = rv_new(cx, struct failure);
        *report->failure = (struct failure){ job->code, job->message, job->retryable };
    }
}

static void finish(struct reporter *reporter, struct job *job)
{
    if (job->has_slot)
        room_give(reporter->executor->room, 1);
    job_free(job);
    pthread_mutex_lock(&reporter->lock);
    reporter->waiting--;
    pthread_mutex_unlock(&reporter->lock);
}

static void start_next(struct rv_ctx *scratch, struct reporter *reporter, struct job *job,
                       const struct task_claimed *claimed, int64_t asked_ms)
{
    struct job *next = job_new(claimed, asked_ms);

    next->has_slot = job->has_slot;
    job->has_slot = false;
    executor_count(reporter->executor, METRIC_CLAIMED, 1);
    executor_accept(scratch, reporter->executor, next);
}

static void hear(struct rv_ctx *scratch, struct reporter *reporter, struct job *job,
                 const struct task_reported *answer, int64_t asked_ms)
{
    executor_count(reporter->executor, METRIC_REPORTED, 1);
    if (answer->verdict == REPORT_STALE)
        executor_count(reporter->executor, METRIC_STALE, 1);
    if (answer->next && answer->next->verdict == CLAIM_GRANTED)
        start_next(scratch, reporter, job, answer->next, asked_ms);
    finish(reporter, job);
}

static void keep(struct reporter *reporter, struct job *job)
{
    int64_t wait_ms = AGAIN_MS << (job->sends < 4 ? job->sends : 4);

    job->sends++;
    job->again_at_ms = rv_monotonic_ms() + (wait_ms < AGAIN_MAX_MS ? wait_ms : AGAIN_MAX_MS);
    pthread_mutex_lock(&reporter->lock);
    put(reporter, job);
    pthread_mutex_unlock(&reporter->lock);
}

static void drop(struct rv_ctx *cx, struct reporter *reporter, struct job *job)
{
    rv_warn(cx, "report dropped", RV_F("run_id", job->claimed.run_id),
            RV_F("task_no", job->claimed.task_no), RV_F("why", (const char *)cx->error.text));
    executor_count(reporter->executor, METRIC_DROPPED, 1);
    finish(reporter, job);
}

/*
 * Nobody answered, or the scheduler refused: one report in a batch may spoil it for all, so each
 * goes alone then; what is refused alone is reported as a failure, and dropped if that fails too.
 */
static void retry(struct rv_ctx *cx, struct reporter *reporter, struct job *job,
                  enum rv_status status, size_t n)
{
    bool refused = !rv_status_retry(status);

    if (job_lease_left_ms(job) <= 0 || (refused && n == 1 && job->refused)) {
        drop(cx, reporter, job);
        return;
    }
    if (refused && n == 1) {
        job_fails(job, "report_refused", false, cx->error.text);
        job->refused = true;
    }
    job->alone = job->alone || refused;
    keep(reporter, job);
}

static void tell(struct rv_ctx *cx, struct rv_ctx *scratch, struct reporter *reporter,
                 struct job **jobs, size_t n)
{
    struct executor *executor = reporter->executor;
    struct task_report *reports = rv_new_array(cx, struct task_report, n);
    struct task_reported *answers = rv_new_array(cx, struct task_reported, n);
    int64_t asked_ms = job_clock_ms();
    enum rv_status status;

    for (size_t i = 0; i < n; i++)
        write_report(cx, executor, jobs[i], &reports[i]);
    status = rv_failpoint(cx, "executor.report.before");
    if (status == RV_OK)
        status = rv_bus_ask_many(cx, executor->bus, &SUBJ_TASK_REPORT, reports, n, answers,
                                 executor->config.ask_timeout_ms);
    if (status == RV_OK)
        status = rv_failpoint(cx, "executor.report.after");
    for (size_t i = 0; i < n; i++)
        if (status == RV_OK)
            hear(scratch, reporter, jobs[i], &answers[i], asked_ms);
        else
            retry(cx, reporter, jobs[i], status, n);
}

static void *work(void *arg)
{
    struct reporter *reporter = arg;
    struct job *jobs[REPORTS_MAX];
    struct rv_ctx cx, scratch;
    size_t n;

    rv_ctx_init(&cx);
    rv_ctx_init(&scratch);
    while ((n = wait_for_some(reporter, jobs)) > 0) {
        tell(&cx, &scratch, reporter, jobs, n);
        rv_ctx_reset(&cx);
    }
    rv_ctx_release(&scratch);
    rv_ctx_release(&cx);
    return NULL;
}

rv_result reporter_new(struct rv_ctx *cx, struct executor *executor, struct reporter **out)
{
    struct reporter *reporter = calloc(1, sizeof(*reporter));
    pthread_condattr_t monotonic;

    if (!reporter)
        abort();
    reporter->executor = executor;
    reporter->last = &reporter->first;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&reporter->added, &monotonic);
    pthread_mutex_init(&reporter->lock, NULL);
    *out = reporter;
    if (pthread_create(&reporter->thread, NULL, work, reporter) == 0)
        return RV_OK;
    free(reporter);
    *out = NULL;
    return rv_fail(cx, RV_EXHAUSTED, "no thread for the reporter");
}

void reporter_free(struct reporter *reporter, int64_t grace_ms)
{
    struct job *job;

    if (!reporter)
        return;
    pthread_mutex_lock(&reporter->lock);
    reporter->ending = true;
    reporter->ends_at_ms = rv_monotonic_ms() + grace_ms;
    pthread_cond_signal(&reporter->added);
    pthread_mutex_unlock(&reporter->lock);
    pthread_join(reporter->thread, NULL);
    while ((job = reporter->first)) {
        reporter->first = job->next;
        job_free(job);
    }
    pthread_mutex_destroy(&reporter->lock);
    pthread_cond_destroy(&reporter->added);
    free(reporter);
}
