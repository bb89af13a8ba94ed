#include "executor/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

enum { FRESH_PERCENT = 60, LEASE_DEFAULT_MS = 30000 };

int64_t job_clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The texts of a claim, all that a copy must take along. */
enum { N_TEXTS = 8 };

static void texts_of(struct task_claimed *claimed, const char **texts[N_TEXTS])
{
    const char **all[N_TEXTS] = { &claimed->tenant_id,  &claimed->run_id,  &claimed->plan_id,
                                  &claimed->project_id, &claimed->hold_id, &claimed->trace_id,
                                  &claimed->input,      &claimed->outputs };

    memcpy(texts, all, sizeof(all));
}

/* The list and its texts in one piece; NULL when it is empty. */
static const char **copy_list(const char *const *items, size_t n)
{
    size_t size = n * sizeof(char *);
    const char **copy;
    char *at;

    for (size_t i = 0; i < n; i++)
        size += strlen(items[i]) + 1;
    copy = n ? malloc(size) : NULL;
    if (n && !copy)
        abort();
    at = (char *)(copy + n);
    for (size_t i = 0; i < n; i++) {
        copy[i] = at;
        at = stpcpy(at, items[i]) + 1;
    }
    return copy;
}

struct job *job_new(const struct task_claimed *claimed, int64_t asked_ms)
{
    struct task_claimed copy = *claimed;
    const char **texts[N_TEXTS];
    size_t len[N_TEXTS] = { 0 }, size = 0;
    struct job *job;
    char *at;

    texts_of(&copy, texts);
    for (size_t i = 0; i < N_TEXTS; i++) {
        len[i] = *texts[i] ? strlen(*texts[i]) + 1 : 0;
        size += len[i];
    }
    job = calloc(1, sizeof(*job) + size);
    if (!job)
        abort();
    at = job->texts;
    for (size_t i = 0; i < N_TEXTS; at += len[i], i++)
        if (len[i])
            *texts[i] = memcpy(at, *texts[i], len[i]);
    copy.skipped = copy_list(claimed->skipped, claimed->n_skipped);
    job->claimed = copy;
    job->bytes = size;
    job->renewed_ms = asked_ms;
    job->lease_ms = claimed->lease_ms > 0 ? claimed->lease_ms : LEASE_DEFAULT_MS;
    return job;
}

void job_free(struct job *job)
{
    if (!job)
        return;
    plan_unpin(job->pinned);
    free(job->claimed.skipped);
    free(job->output);
    free(job);
}

int64_t job_lease_left_ms(const struct job *job)
{
    return atomic_load(&job->renewed_ms) + atomic_load(&job->lease_ms) - job_clock_ms();
}

bool job_is_fresh(const struct job *job)
{
    int64_t passed_ms = job_clock_ms() - atomic_load(&job->renewed_ms);

    return passed_ms * 100 < atomic_load(&job->lease_ms) * FRESH_PERCENT;
}

bool job_stop(struct job *job, enum job_stop why)
{
    int goes_on = JOB_GOES_ON;

    return atomic_compare_exchange_strong(&job->stop, &goes_on, (int)why);
}

enum job_stop job_stopped(const struct job *job)
{
    enum job_stop why = (enum job_stop)atomic_load(&job->stop);

    if (why == JOB_GOES_ON && job_lease_left_ms(job) <= 0)
        return JOB_LOST;
    return why;
}

void job_completes(struct job *job, const char *output)
{
    job->outcome = OUTCOME_COMPLETED;
    free(job->output);
    job->output = output ? strdup(output) : NULL;
    if (output && !job->output)
        abort();
}

void job_fails(struct job *job, const char *code, bool retryable, const char *message)
{
    job->outcome = OUTCOME_FAILED;
    job->retryable = retryable;
    snprintf(job->code, sizeof(job->code), "%s", code);
    snprintf(job->message, sizeof(job->message), "%s", message);
    rv_utf8_mend(job->message); /* or the report is refused as a whole */
    free(job->output);
    job->output = NULL;
}
