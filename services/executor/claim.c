#include "executor/claim.h"

#include "base/log.h"
#include "base/time.h"
#include "contract/dead_letters.h"
#include "contract/subjects.h"
#include "executor/room.h"
#include "runtime/failpoint.h"

enum { CLAIM_MAX = 256, REACH_FIRST = 16, DELAY_MS = 500 };

/* The tasks of some messages: those of message i end before ends[i]. */
struct bundles {
    struct task_claim *asks;
    size_t n, room, *ends;
};

size_t claim_messages(const struct claiming *claiming, const struct executor *executor, size_t most)
{
    size_t taken = room_taken(executor->room);
    size_t places = (size_t)executor->config.slots, free = taken < places ? places - taken : 1;
    size_t tasks = claiming->reach > free ? claiming->reach : free;
    size_t per_message = claiming->per_message ? claiming->per_message : 1;
    size_t n = (tasks + per_message - 1) / per_message;

    return n < 1 ? 1 : n > most ? most : n;
}

void claim_refuse(struct executor *executor, const struct rv_delivery *items, size_t n,
                  int64_t delay_ms)
{
    for (size_t i = 0; i < n; i++)
        rv_consumer_nak(executor->bus, items[i].ack, delay_ms);
}

static void add_tasks(struct rv_ctx *cx, const struct executor *executor, struct bundles *bundles,
                      const struct task_bundle *bundle)
{
    if (bundles->n + bundle->n_items > bundles->room) {
        struct task_claim *asks;

        bundles->room = (bundles->n + bundle->n_items) * 2;
        asks = rv_new_array(cx, struct task_claim, bundles->room);
        for (size_t i = 0; i < bundles->n; i++)
            asks[i] = bundles->asks[i];
        bundles->asks = asks;
    }
    for (size_t i = 0; i < bundle->n_items; i++)
        bundles->asks[bundles->n++] =
            (struct task_claim){ bundle->items[i].tenant_id, bundle->items[i].run_id,
                                 bundle->items[i].task_no, executor->executor_id };
}

/* A message that cannot be read is ended: it would come again for ever. */
static void read_all(struct rv_ctx *cx, struct executor *executor, struct bundles *bundles,
                     const struct rv_delivery *items, size_t n)
{
    bundles->ends = rv_new_array(cx, size_t, n);
    for (size_t i = 0; i < n; i++) {
        struct task_bundle bundle = { 0 };

        if (rv_pb_read(cx, &SUBJ_WORK.in, items[i].bytes, items[i].len, &bundle) == RV_OK) {
            add_tasks(cx, executor, bundles, &bundle);
        } else {
            rv_log_failure(cx, "work cannot be read", items[i].subject);
            dead_letter_tell(cx, executor->bus, "executor",
                             &(struct rv_dead){ items[i].subject, rv_strdup(cx, cx->error.text),
                                                items[i].bytes, items[i].len,
                                                items[i].deliveries });
            rv_consumer_term(executor->bus, items[i].ack);
            cx->error = (struct rv_error){ 0 };
        }
        bundles->ends[i] = bundles->n;
    }
}

/* Messages whose tasks were all asked for are done with; the others are for somebody else. */
static void settle_messages(struct executor *executor, const struct bundles *bundles,
                            size_t n_asked, const struct rv_delivery *items, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bundles->ends[i] <= n_asked)
            rv_consumer_ack(executor->bus, items[i].ack);
        else
            rv_consumer_nak(executor->bus, items[i].ack, 0);
}

/* Whether all that was granted is pure; learned before it is started, as jobs end soon. */
static struct job *new_job(struct rv_ctx *scratch, struct executor *executor,
                           const struct task_claimed *claimed, int64_t asked_ms, bool *pure)
{
    struct job *job = job_new(claimed, asked_ms);

    if (plan_pin(scratch, executor->plans, claimed->tenant_id, claimed->plan_id, &job->pinned) ==
        RV_OK)
        *pure = *pure && job->pinned->pure;
    rv_ctx_reset(scratch);
    return job;
}

/* Steps that need a slot go first, so that they wait no longer; then the pure ones are done here.
 */
static void start_all(struct rv_ctx *scratch, struct executor *executor, struct job **jobs,
                      size_t n, size_t *places)
{
    for (size_t i = 0; i < n; i++) {
        const struct job *job = jobs[i];

        if (*places > 0 && job->pinned && !job->pinned->pure) {
            jobs[i]->has_slot = true;
            --*places;
        }
        if (jobs[i]->has_slot) {
            executor_accept(scratch, executor, jobs[i]);
            jobs[i] = NULL;
        }
    }
    for (size_t i = 0; i < n; i++)
        if (jobs[i])
            executor_accept(scratch, executor, jobs[i]);
}

static size_t make_jobs(struct rv_ctx *scratch, struct executor *executor,
                        const struct task_claimed *answers, size_t n, int64_t asked_ms,
                        struct job **jobs, bool *pure)
{
    size_t granted = 0;

    for (size_t i = 0; i < n; i++)
        if (answers[i].verdict == CLAIM_GRANTED)
            jobs[granted++] = new_job(scratch, executor, &answers[i], asked_ms, pure);
    executor_count(executor, METRIC_CLAIMED, (int64_t)granted);
    return granted;
}

static void learn(struct claiming *claiming, size_t granted, bool pure)
{
    claiming->most = claiming->most * 2 < CLAIM_MAX ? claiming->most * 2 : 0;
    if (!pure)
        claiming->reach = 0;
    else if (granted > 0)
        claiming->reach = claiming->reach == 0              ? REACH_FIRST
                          : claiming->reach * 2 < CLAIM_MAX ? claiming->reach * 2
                                                            : CLAIM_MAX;
}

void claim_granted(struct rv_ctx *cx, struct rv_ctx *scratch, struct executor *executor,
                   const struct task_claimed *granted, size_t n, int64_t asked_ms)
{
    struct job **jobs = rv_new_array(cx, struct job *, n);
    size_t places = room_take(executor->room, n);
    bool pure = true;

    n = make_jobs(scratch, executor, granted, n, asked_ms, jobs, &pure);
    start_all(scratch, executor, jobs, n, &places);
    room_give(executor->room, places);
}

/* Asks for @n tasks and starts what was granted; uses up @places. */
static rv_result claim(struct rv_ctx *cx, struct rv_ctx *scratch, struct executor *executor,
                       struct claiming *claiming, const struct task_claim *asks, size_t n,
                       size_t *places)
{
    struct task_claimed *answers = rv_new_array(cx, struct task_claimed, n);
    struct job **jobs = rv_new_array(cx, struct job *, n);
    int64_t asked_ms = job_clock_ms();
    bool pure = true;
    size_t granted;

    RV_TRY(cx, rv_bus_ask_many(cx, executor->bus, &SUBJ_TASK_CLAIM, asks, n, answers,
                               executor->config.ask_timeout_ms));
    RV_TRY(cx, rv_failpoint(cx, "executor.claim.after"));
    granted = make_jobs(scratch, executor, answers, n, asked_ms, jobs, &pure);
    learn(claiming, granted, pure);
    start_all(scratch, executor, jobs, granted, places);
    return RV_OK;
}

/* How many of @left tasks may be claimed at once now. */
static size_t at_once(const struct claiming *claiming, size_t places, size_t left)
{
    size_t most = claiming->most ? claiming->most : CLAIM_MAX;
    size_t n = claiming->reach > places ? claiming->reach : places;

    n = n < most ? n : most;
    return n < left ? n : left;
}

/*
 * Goes through all tasks as long as there are places: others may have claimed many of them, and
 * the first of a message that came again are always gone.
 */
static rv_result claim_each(struct rv_ctx *cx, struct rv_ctx *scratch, struct executor *executor,
                            struct claiming *claiming, const struct bundles *bundles,
                            size_t *places, size_t *asked)
{
    while (*asked < bundles->n && !atomic_load(&executor->stopping)) {
        size_t n = at_once(claiming, *places, bundles->n - *asked);

        if (n == 0)
            return RV_OK;
        RV_TRY(cx, claim(cx, scratch, executor, claiming, bundles->asks + *asked, n, places));
        *asked += n;
    }
    return RV_OK;
}

/* Messages come again; what was claimed all the same is found when its lease has run out. */
static void fail(struct rv_ctx *cx, struct executor *executor, struct claiming *claiming,
                 const struct rv_delivery *items, size_t n)
{
    rv_log_failure(cx, "work cannot be claimed", SUBJ_TASK_CLAIM.name);
    claim_refuse(executor, items, n, DELAY_MS);
    claiming->reach = 0;
    if (cx->error.status == RV_TOO_LARGE)
        claiming->most = claiming->most > 4 ? claiming->most / 4
                         : claiming->most   ? 1
                                            : CLAIM_MAX / 4;
    rv_sleep_ms(DELAY_MS / 2);
}

void claim_all(struct rv_ctx *cx, struct rv_ctx *scratch, struct executor *executor,
               struct claiming *claiming, const struct rv_delivery *items, size_t n)
{
    struct bundles bundles = { 0 };
    size_t places, asked = 0;

    if (n == 0)
        return;
    read_all(cx, executor, &bundles, items, n);
    claiming->per_message = (bundles.n + n - 1) / n;
    places = room_take(executor->room, bundles.n);
    if (claim_each(cx, scratch, executor, claiming, &bundles, &places, &asked) == RV_OK)
        settle_messages(executor, &bundles, asked, items, n);
    else
        fail(cx, executor, claiming, items, n);
    room_give(executor->room, places);
}
