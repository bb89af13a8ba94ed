#include "executor/slots.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/time.h"
#include "executor/keeper.h"
#include "executor/reporter.h"
#include "executor/room.h"
#include "executor/step.h"

struct slots {
    struct executor *executor;
    pthread_mutex_t lock;
    pthread_cond_t pushed, idle;
    struct job *first, **last;
    size_t busy, n_threads;
    bool ending;
    pthread_t threads[];
};

/* "http://127.0.0.1:8080/v1" → "127.0.0.1:8080": the operator named it, so it may be reached. */
static void host_of(const char *url, char *host, size_t size)
{
    const char *at = strstr(url, "://"), *name = at ? at + 3 : url;
    size_t len = strcspn(name, "/?#");
    const char *port = memchr(name, ':', len);
    bool tls = strncmp(url, "https", 5) == 0;

    if (name[0] == '[')
        port = memchr(name, ']', len) && strchr(memchr(name, ']', len), ':') ? name : NULL;
    snprintf(host, size, "%.*s%s", (int)len, name, port ? "" : tls ? ":443" : ":80");
}

void slot_open(const struct executor *executor, struct slot *slot)
{
    struct rv_http_client_options options = { .allow = executor->config.http_allow,
                                              .user_agent = "reeve" };
    char host[300] = "";

    slot->http = rv_http_client_new(&options);
    if (*executor->config.llm_base_url)
        host_of(executor->config.llm_base_url, host, sizeof(host));
    options.allow = host;
    slot->llm_http = rv_http_client_new(&options);
}

void slot_close(struct slot *slot)
{
    rv_http_client_free(slot->http);
    rv_http_client_free(slot->llm_http);
}

static struct job *pop(struct slots *slots)
{
    struct job *job;

    pthread_mutex_lock(&slots->lock);
    while (!slots->first && !slots->ending)
        pthread_cond_wait(&slots->pushed, &slots->lock);
    job = slots->first;
    if (job) {
        slots->first = job->next;
        if (!slots->first)
            slots->last = &slots->first;
        slots->busy++;
    }
    pthread_mutex_unlock(&slots->lock);
    return job;
}

static void done(struct slots *slots)
{
    pthread_mutex_lock(&slots->lock);
    slots->busy--;
    pthread_cond_broadcast(&slots->idle);
    pthread_mutex_unlock(&slots->lock);
    executor_count(slots->executor, METRIC_BUSY, -1);
}

static void do_job(struct rv_ctx *cx, struct slots *slots, struct slot *slot, struct job *job)
{
    struct executor *executor = slots->executor;

    executor_count(executor, METRIC_BUSY, 1);
    cx->trace_id = job->claimed.trace_id;
    if (atomic_load(&executor->stopping))
        job_stop(job, JOB_HANDED_BACK);
    if (job_stopped(job) == JOB_GOES_ON)
        step_do(cx, executor, slot, job);
    else
        job->outcome = job_stopped(job) == JOB_CANCELLED ? OUTCOME_CANCELLED : OUTCOME_HANDED_BACK;
    keeper_drop(executor->keeper, job);
    rv_ctx_reset(cx); /* it may hold texts of the job */
    cx->trace_id = NULL;
    if (atomic_load(&job->stop) == JOB_LOST) {
        room_give(executor->room, 1);
        job_free(job);
    } else {
        if (job->outcome == OUTCOME_HANDED_BACK)
            executor_count(executor, METRIC_HANDED_BACK, 1);
        reporter_add(executor->reporter, job);
    }
}

static void *work(void *arg)
{
    struct slots *slots = arg;
    struct slot slot;
    struct rv_ctx cx;
    struct job *job;

    rv_ctx_init(&cx);
    slot_open(slots->executor, &slot);
    while ((job = pop(slots))) {
        do_job(&cx, slots, &slot, job);
        done(slots);
    }
    slot_close(&slot);
    rv_ctx_release(&cx);
    return NULL;
}

rv_result slots_new(struct rv_ctx *cx, struct executor *executor, struct slots **out)
{
    size_t n = (size_t)executor->config.slots;
    struct slots *slots = calloc(1, sizeof(*slots) + n * sizeof(slots->threads[0]));
    pthread_condattr_t monotonic;

    if (!slots)
        abort();
    slots->executor = executor;
    slots->last = &slots->first;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&slots->lock, NULL);
    pthread_cond_init(&slots->pushed, NULL);
    pthread_cond_init(&slots->idle, &monotonic);
    *out = slots;
    for (; slots->n_threads < n; slots->n_threads++)
        if (pthread_create(&slots->threads[slots->n_threads], NULL, work, slots) != 0)
            return rv_fail(cx, RV_EXHAUSTED, "no thread for a slot");
    return RV_OK;
}

void slots_push(struct slots *slots, struct job *job)
{
    keeper_add(slots->executor->keeper, job);
    pthread_mutex_lock(&slots->lock);
    job->next = NULL;
    *slots->last = job;
    slots->last = &job->next;
    pthread_cond_signal(&slots->pushed);
    pthread_mutex_unlock(&slots->lock);
}

void slots_end(struct slots *slots, int64_t grace_ms)
{
    int64_t until_ms = rv_monotonic_ms() + grace_ms;
    struct timespec until = { until_ms / 1000, until_ms % 1000 * 1000000 };
    int late = 0;

    pthread_mutex_lock(&slots->lock);
    slots->ending = true;
    pthread_cond_broadcast(&slots->pushed);
    while ((slots->busy > 0 || slots->first) && !late)
        late = pthread_cond_timedwait(&slots->idle, &slots->lock, &until);
    pthread_mutex_unlock(&slots->lock);
    keeper_stop_all(slots->executor->keeper, JOB_HANDED_BACK);
    for (size_t i = 0; i < slots->n_threads; i++)
        pthread_join(slots->threads[i], NULL);
}

void slots_free(struct slots *slots)
{
    if (!slots)
        return;
    pthread_mutex_destroy(&slots->lock);
    pthread_cond_destroy(&slots->pushed);
    pthread_cond_destroy(&slots->idle);
    free(slots);
}
