#pragma once

/*
 * Offers: executors with free hands, who wait for an answer. The commit that makes tasks ready
 * grants them to one of these, which saves their announcement and their claim. What nobody offers
 * for is announced as ever, so all of this may be lost at any time: an answer that goes astray
 * costs its tasks their lease.
 */

#include "domain/progress.h"
#include "scheduler.h"

struct offers;

struct offers *offers_new(void);
void offers_free(struct offers *offers);

/* Hears them from now on. They are kept in memory, a few, for a second. */
rv_result offers_listen(struct rv_ctx *cx, struct offers *offers, struct rv_bus *bus);

/* One that was taken out, and what it has been given. */
struct offer {
    const char *reply;
    struct task_offer ask;
    struct task_grants grants;
    size_t room, bytes;
    int64_t lease_ms;
};

/*
 * The oldest that is still good, for its share of @n tasks: others offer too. NULL: there is none.
 * It is used up. Its lease, which began with the offer, is short: who has died in between was
 * given something all the same, and is soon found out. Who lives renews it.
 */
struct offer *offers_take(struct offers *offers, struct rv_ctx *cx, size_t n, int64_t lease_ms);

/* Claims @task, which is ready and the first of its run, for whoever offered, if he takes it. */
bool offer_claim(struct offer *offer, struct progress *p, struct task *task);

/* Once it is committed, whoever offered is told. */
void offer_answer_after_commit(struct rv_ctx *cx, struct scheduler_service *service,
                               struct offer *offer);
