#include "executor/keeper.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "contract/subjects.h"

enum {
    LOOK_MS = 250,
    RENEW_MAX = 256,
    NEWS_MAX = 1000,
    NEWS_BYTES_MAX = 4 * 1024 * 1024,
    RENEW_TIMEOUT_MS = 3000
};

struct news {
    struct news *next;
    size_t len;
    uint8_t bytes[];
};

struct keeper {
    struct executor *executor;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job *jobs; /* doubly linked: keeps is the next, kept the one before */
    struct news *news;
    size_t n_news, news_bytes;
    bool ending;
};

/* A renewal under way; the job may be dropped meanwhile, so it is found again by its name. */
struct renewing {
    struct task_renew *asks;
    struct task_renewed *answers;
    size_t n;
};

void keeper_add(struct keeper *keeper, struct job *job)
{
    pthread_mutex_lock(&keeper->lock);
    job->kept = NULL;
    job->keeps = keeper->jobs;
    if (keeper->jobs)
        keeper->jobs->kept = job;
    keeper->jobs = job;
    pthread_mutex_unlock(&keeper->lock);
}

void keeper_drop(struct keeper *keeper, struct job *job)
{
    pthread_mutex_lock(&keeper->lock);
    *(job->kept ? &job->kept->keeps : &keeper->jobs) = job->keeps;
    if (job->keeps)
        job->keeps->kept = job->kept;
    pthread_mutex_unlock(&keeper->lock);
}

void keeper_stop_all(struct keeper *keeper, enum job_stop why)
{
    pthread_mutex_lock(&keeper->lock);
    for (struct job *job = keeper->jobs; job; job = job->keeps)
        job_stop(job, why);
    pthread_mutex_unlock(&keeper->lock);
}

static struct news *news_new(const struct rv_heard *heard)
{
    struct news *news = malloc(sizeof(*news) + heard->len);

    if (!news)
        abort();
    news->len = heard->len;
    memcpy(news->bytes, heard->bytes, heard->len);
    return news;
}

/* From libnats' thread: only kept for later. Beyond the limit it is lost; the renewal will say it.
 */
static void on_cancel_news(void *arg, const struct rv_heard *heard)
{
    struct keeper *keeper = arg;

    pthread_mutex_lock(&keeper->lock);
    if (keeper->n_news < NEWS_MAX && keeper->news_bytes + heard->len <= NEWS_BYTES_MAX) {
        struct news *news = news_new(heard);

        news->next = keeper->news;
        keeper->news = news;
        keeper->n_news++;
        keeper->news_bytes += heard->len;
        pthread_cond_signal(&keeper->changed);
    }
    pthread_mutex_unlock(&keeper->lock);
}

static void cancel(struct keeper *keeper, const struct task_ref *ref)
{
    pthread_mutex_lock(&keeper->lock);
    for (struct job *job = keeper->jobs; job; job = job->keeps)
        if (rv_text_same(job->claimed.run_id, ref->run_id) &&
            rv_text_same(job->claimed.tenant_id, ref->tenant_id) &&
            (ref->task_no < 0 || ref->task_no == job->claimed.task_no))
            job_stop(job, JOB_CANCELLED);
    pthread_mutex_unlock(&keeper->lock);
}

static void read_news(struct rv_ctx *cx, struct keeper *keeper, struct news *news)
{
    while (news) {
        struct news *next = news->next;
        void *refs;
        size_t n;

        if (rv_pb_read_many(cx, &SUBJ_TASK_CANCEL.in, news->bytes, news->len, &refs, &n) == RV_OK)
            for (size_t i = 0; i < n; i++)
                cancel(keeper, (const struct task_ref *)refs + i);
        else
            rv_log_failure(cx, "news cannot be read", SUBJ_TASK_CANCEL.name);
        free(news);
        news = next;
        rv_ctx_reset(cx);
    }
}

static bool is_due(const struct job *job)
{
    return job_clock_ms() - atomic_load(&job->renewed_ms) >= atomic_load(&job->lease_ms) / 3 &&
           atomic_load(&job->stop) != JOB_LOST;
}

/* Copies what it asks about: the jobs may be gone when the answer comes. */
static void collect_due(struct rv_ctx *cx, struct keeper *keeper, struct renewing *renewing)
{
    pthread_mutex_lock(&keeper->lock);
    for (struct job *job = keeper->jobs; job && renewing->n < RENEW_MAX; job = job->keeps)
        if (is_due(job)) {
            if (!renewing->asks)
                renewing->asks = rv_new_array(cx, struct task_renew, RENEW_MAX);
            renewing->asks[renewing->n++] =
                (struct task_renew){ rv_strdup(cx, job->claimed.tenant_id),
                                     rv_strdup(cx, job->claimed.run_id), job->claimed.task_no,
                                     job->claimed.fence, keeper->executor->executor_id };
        }
    pthread_mutex_unlock(&keeper->lock);
}

static struct job *find(struct keeper *keeper, const struct task_renew *ask)
{
    for (struct job *job = keeper->jobs; job; job = job->keeps)
        if (job->claimed.fence == ask->fence && job->claimed.task_no == ask->task_no &&
            strcmp(job->claimed.run_id, ask->run_id) == 0)
            return job;
    return NULL;
}

static void hear(struct keeper *keeper, const struct task_renew *ask,
                 const struct task_renewed *answer, int64_t asked_ms)
{
    struct job *job = find(keeper, ask);

    if (!job)
        return;
    if (answer->verdict == REPORT_STALE) {
        job_stop(job, JOB_LOST);
        executor_count(keeper->executor, METRIC_STALE, 1);
        return;
    }
    if (answer->lease_ms > 0)
        atomic_store(&job->lease_ms, answer->lease_ms);
    atomic_store(&job->renewed_ms, asked_ms);
    if (answer->verdict == REPORT_CANCEL)
        job_stop(job, JOB_CANCELLED);
}

static void renew(struct rv_ctx *cx, struct keeper *keeper)
{
    struct renewing renewing = { 0 };
    int64_t asked_ms = job_clock_ms();

    collect_due(cx, keeper, &renewing);
    if (renewing.n == 0)
        return;
    renewing.answers = rv_new_array(cx, struct task_renewed, renewing.n);
    if (rv_bus_ask_many(cx, keeper->executor->bus, &SUBJ_TASK_RENEW, renewing.asks, renewing.n,
                        renewing.answers, RENEW_TIMEOUT_MS) != RV_OK) {
        rv_warn(cx, "leases are not renewed", RV_F("n", (int64_t)renewing.n),
                RV_F("why", (const char *)cx->error.text));
        return;
    }
    pthread_mutex_lock(&keeper->lock);
    for (size_t i = 0; i < renewing.n; i++)
        hear(keeper, &renewing.asks[i], &renewing.answers[i], asked_ms);
    pthread_mutex_unlock(&keeper->lock);
}

static bool wait_a_while(struct keeper *keeper, struct news **news)
{
    int64_t at_ms = rv_monotonic_ms() + LOOK_MS;
    struct timespec until = { at_ms / 1000, at_ms % 1000 * 1000000 };
    bool ending;

    pthread_mutex_lock(&keeper->lock);
    if (!keeper->news && !keeper->ending)
        pthread_cond_timedwait(&keeper->changed, &keeper->lock, &until);
    *news = keeper->news;
    keeper->news = NULL;
    keeper->n_news = keeper->news_bytes = 0;
    ending = keeper->ending;
    pthread_mutex_unlock(&keeper->lock);
    return !ending;
}

static void *work(void *arg)
{
    struct keeper *keeper = arg;
    struct news *news;
    struct rv_ctx cx;
    bool goes_on;

    rv_ctx_init(&cx);
    do {
        goes_on = wait_a_while(keeper, &news);
        read_news(&cx, keeper, news);
        renew(&cx, keeper);
        rv_ctx_reset(&cx);
    } while (goes_on);
    rv_ctx_release(&cx);
    return NULL;
}

rv_result keeper_new(struct rv_ctx *cx, struct executor *executor, struct keeper **out)
{
    struct keeper *keeper = calloc(1, sizeof(*keeper));
    pthread_condattr_t monotonic;

    if (!keeper)
        abort();
    keeper->executor = executor;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&keeper->changed, &monotonic);
    pthread_mutex_init(&keeper->lock, NULL);
    if (pthread_create(&keeper->thread, NULL, work, keeper) != 0) {
        free(keeper);
        return rv_fail(cx, RV_EXHAUSTED, "no thread for the keeper");
    }
    *out = keeper;
    return rv_bus_listen(cx, executor->bus, SUBJ_TASK_CANCEL.name, NULL, on_cancel_news, keeper);
}

void keeper_end(struct keeper *keeper)
{
    pthread_mutex_lock(&keeper->lock);
    keeper->ending = true;
    pthread_cond_signal(&keeper->changed);
    pthread_mutex_unlock(&keeper->lock);
    pthread_join(keeper->thread, NULL);
}

void keeper_free(struct keeper *keeper)
{
    struct news *news;

    if (!keeper)
        return;
    while ((news = keeper->news)) {
        keeper->news = news->next;
        free(news);
    }
    pthread_mutex_destroy(&keeper->lock);
    pthread_cond_destroy(&keeper->changed);
    free(keeper);
}
