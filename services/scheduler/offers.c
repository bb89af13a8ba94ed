#include "offers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "batch.h"
#include "contract/subjects.h"
#include "runtime/failpoint.h"

enum {
    OFFERS_MAX = 256,
    OFFER_BYTES_MAX = 4096,
    GOOD_MS = 1000,
    GRANTS_MAX = 64,
    LEASE_MAX_MS = 10000,
    GRANTS_BYTES_MAX = 400 * 1024
};

/* One as it came. */
struct heard {
    struct heard *next;
    int64_t heard_ms;
    size_t len;
    char *reply;
    uint8_t bytes[];
};

struct offers {
    pthread_mutex_t lock;
    struct heard *first, **last;
    size_t n;
    struct rv_bus *bus;
};

struct offers *offers_new(void)
{
    struct offers *offers = calloc(1, sizeof(*offers));

    if (!offers)
        abort();
    pthread_mutex_init(&offers->lock, NULL);
    offers->last = &offers->first;
    return offers;
}

static struct heard *pop(struct offers *offers)
{
    struct heard *heard = offers->first;

    if (!heard)
        return NULL;
    offers->first = heard->next;
    if (!offers->first)
        offers->last = &offers->first;
    offers->n--;
    return heard;
}

void offers_free(struct offers *offers)
{
    if (!offers)
        return;
    for (struct heard *heard; (heard = pop(offers));)
        free(heard);
    pthread_mutex_destroy(&offers->lock);
    free(offers);
}

/* -- from the bus ------------------------------------------------------------------------------ */

static struct heard *keep(const struct rv_heard *message)
{
    size_t reply = strlen(message->reply) + 1;
    struct heard *heard = malloc(sizeof(*heard) + message->len + reply);

    if (!heard)
        abort();
    *heard = (struct heard){ .heard_ms = rv_monotonic_ms(), .len = message->len };
    if (message->len)
        memcpy(heard->bytes, message->bytes, message->len);
    heard->reply = memcpy(heard->bytes + message->len, message->reply, reply);
    return heard;
}

static void on_offer(void *arg, const struct rv_heard *message)
{
    struct offers *offers = arg;
    struct heard *heard, *pushed_out = NULL;

    if (!message->reply || message->len > OFFER_BYTES_MAX)
        return;
    heard = keep(message);
    pthread_mutex_lock(&offers->lock);
    if (offers->n == OFFERS_MAX)
        pushed_out = pop(offers);
    *offers->last = heard;
    offers->last = &heard->next;
    offers->n++;
    pthread_mutex_unlock(&offers->lock);
    free(pushed_out);
}

rv_result offers_listen(struct rv_ctx *cx, struct offers *offers, struct rv_bus *bus)
{
    offers->bus = bus;
    return rv_bus_listen(cx, bus, SUBJ_TASK_OFFER.name, "scheduler", on_offer, offers);
}

/* -- taking ------------------------------------------------------------------------------------ */

/* Nobody needed it, or it is none: who offered hears so, and offers again. */
static void turn_down(struct offers *offers, struct heard *heard)
{
    rv_bus_answer(offers->bus, heard->reply, "", 0);
    free(heard);
}

static bool is_good(const struct heard *heard, int64_t good_ms)
{
    return rv_monotonic_ms() - heard->heard_ms < good_ms;
}

static struct heard *next_good(struct offers *offers, int64_t good_ms)
{
    for (;;) {
        struct heard *heard;

        pthread_mutex_lock(&offers->lock);
        heard = pop(offers);
        pthread_mutex_unlock(&offers->lock);
        if (!heard || is_good(heard, good_ms))
            return heard;
        turn_down(offers, heard);
    }
}

static struct offer *read_offer(struct rv_ctx *cx, const struct heard *heard)
{
    struct offer *offer = rv_new(cx, struct offer);

    if (rv_pb_read(cx, &SUBJ_TASK_OFFER.in, heard->bytes, heard->len, &offer->ask) != RV_OK ||
        !offer->ask.executor_id) {
        cx->error = (struct rv_error){ 0 };
        return NULL;
    }
    offer->reply = rv_strdup(cx, heard->reply);
    return offer;
}

static size_t share_of(struct offers *offers, size_t n)
{
    size_t share;

    pthread_mutex_lock(&offers->lock);
    share = (n + offers->n) / (offers->n + 1);
    pthread_mutex_unlock(&offers->lock);
    return share < GRANTS_MAX ? share : GRANTS_MAX;
}

struct offer *offers_take(struct offers *offers, struct rv_ctx *cx, size_t n, int64_t lease_ms)
{
    int64_t short_ms = lease_ms < LEASE_MAX_MS ? lease_ms : LEASE_MAX_MS;
    int64_t good_ms = short_ms / 4 < GOOD_MS ? short_ms / 4 : GOOD_MS;
    struct heard *heard = n ? next_good(offers, good_ms) : NULL;
    struct offer *offer = heard ? read_offer(cx, heard) : NULL;

    if (!offer) {
        if (heard)
            turn_down(offers, heard);
        return NULL;
    }
    free(heard);
    offer->lease_ms = short_ms;
    offer->room = share_of(offers, n);
    offer->grants.items = rv_new_array(cx, struct task_claimed, offer->room);
    return offer;
}

enum rv_status tick_offers(struct rv_ctx *cx, void *state, struct rv_tick_next *next)
{
    struct scheduler_service *service = state;
    struct offers *offers = service->offers;

    (void)cx, (void)next;
    for (;;) {
        struct heard *old = NULL;

        pthread_mutex_lock(&offers->lock);
        if (offers->first && !is_good(offers->first, GOOD_MS))
            old = pop(offers);
        pthread_mutex_unlock(&offers->lock);
        if (!old)
            return RV_OK;
        turn_down(offers, old);
    }
}

/* -- giving ------------------------------------------------------------------------------------ */

static bool holds(const char *const *texts, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++)
        if (texts[i] && strcmp(texts[i], text) == 0)
            return true;
    return false;
}

static bool takes_class(const struct task_offer *ask, const char *class_name)
{
    return strcmp(class_name, "any") == 0 || holds(ask->classes, ask->n_classes, class_name);
}

bool offer_claim(struct offer *offer, struct progress *p, struct task *task)
{
    bool at_once = holds(offer->ask.at_once, offer->ask.n_at_once, task->kind);
    struct task_claimed grant;

    p->lease_ms = offer->lease_ms;
    if (offer->grants.n_items == offer->room || (!at_once && offer->ask.places <= 0) ||
        offer->bytes > GRANTS_BYTES_MAX ||
        !takes_class(&offer->ask, p->dag->nodes[task->task_no].class_name) ||
        !progress_claim(p, task, offer->ask.executor_id))
        return false;
    grant = grant_of(p, task, NULL);
    offer->ask.places -= !at_once;
    offer->bytes += 512 + (grant.input ? strlen(grant.input) : 0);
    offer->grants.items[offer->grants.n_items++] = grant;
    return true;
}

struct answering {
    struct scheduler_service *service;
    struct offer *offer;
};

static enum rv_status say(struct rv_ctx *cx, const struct answering *answering)
{
    const uint8_t *bytes;
    size_t len;

    RV_TRY(cx, rv_failpoint(cx, "scheduler.grant.before"));
    RV_TRY(cx, rv_pb_write(cx, &SUBJ_TASK_OFFER.out, &answering->offer->grants, &bytes, &len));
    rv_bus_answer(answering->service->runtime->bus, answering->offer->reply, bytes, len);
    return rv_failpoint(cx, "scheduler.grant.after");
}

static void answer(struct rv_ctx *cx, void *arg)
{
    if (say(cx, arg) != RV_OK)
        rv_log_failure(cx, "tasks were granted and not told; their leases will run out",
                       SUBJ_TASK_OFFER.name);
    cx->error = (struct rv_error){ 0 };
}

void offer_answer_after_commit(struct rv_ctx *cx, struct scheduler_service *service,
                               struct offer *offer)
{
    struct answering *answering = rv_new(cx, struct answering);

    *answering = (struct answering){ service, offer };
    rv_after(cx, answer, answering);
}
