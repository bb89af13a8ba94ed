#include "executor/offering.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/time.h"
#include "contract/subjects.h"
#include "executor/claim.h"
#include "executor/job.h"
#include "executor/room.h"
#include "executor/step.h"
#include "runtime/failpoint.h"

/* The scheduler answers within a second; who waits for less loses what was granted late. */
enum { PATIENCE_MS = 5000, AGAIN_MS = 500, KINDS_MAX = 16 };

struct offering {
    struct executor *executor;
    pthread_t thread;
    const char *at_once[KINDS_MAX];
    size_t n_at_once;
};

static struct task_offer offer_of(struct offering *offering)
{
    struct executor *executor = offering->executor;
    struct task_offer offer = { .executor_id = executor->executor_id,
                                .classes = executor->classes,
                                .n_classes = executor->n_classes,
                                .at_once = offering->at_once,
                                .n_at_once = offering->n_at_once };
    size_t taken = room_taken(executor->room);

    if (taken < (size_t)executor->config.slots)
        offer.places = executor->config.slots - (int64_t)taken;
    return offer;
}

static rv_result offer_once(struct rv_ctx *cx, struct rv_ctx *scratch, struct offering *offering)
{
    struct executor *executor = offering->executor;
    struct task_offer offer = offer_of(offering);
    struct task_grants grants = { 0 };
    int64_t asked_ms = job_clock_ms();

    RV_TRY(cx, rv_bus_ask(cx, executor->bus, &SUBJ_TASK_OFFER, &offer, &grants, PATIENCE_MS));
    RV_TRY(cx, rv_failpoint(cx, "executor.offer.after"));
    claim_granted(cx, scratch, executor, grants.items, grants.n_items, asked_ms);
    return RV_OK;
}

static void *work(void *arg)
{
    struct offering *offering = arg;
    struct rv_ctx cx, scratch;

    rv_ctx_init(&cx);
    rv_ctx_init(&scratch);
    while (!atomic_load(&offering->executor->stopping)) {
        if (offer_once(&cx, &scratch, offering) != RV_OK) {
            rv_debug(&cx, "nobody takes an offer", RV_F("why", (const char *)cx.error.text));
            rv_sleep_ms(AGAIN_MS);
        }
        rv_ctx_reset(&cx);
    }
    rv_ctx_release(&scratch);
    rv_ctx_release(&cx);
    return NULL;
}

static void find_kinds(struct offering *offering)
{
    for (int kind = 1; *rv_enum_word(&step_kind_enum, kind); kind++)
        if (step_is_pure((enum step_kind)kind) && offering->n_at_once < KINDS_MAX)
            offering->at_once[offering->n_at_once++] = rv_enum_word(&step_kind_enum, kind);
}

rv_result offering_new(struct rv_ctx *cx, struct executor *executor, struct offering **out)
{
    struct offering *offering = calloc(1, sizeof(*offering));

    if (!offering)
        abort();
    offering->executor = executor;
    find_kinds(offering);
    if (pthread_create(&offering->thread, NULL, work, offering) == 0) {
        *out = offering;
        return RV_OK;
    }
    free(offering);
    return rv_fail(cx, RV_EXHAUSTED, "no thread to offer from");
}

void offering_end(struct offering *offering)
{
    if (!offering)
        return;
    pthread_join(offering->thread, NULL);
    free(offering);
}
