#include "hub.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/time.h"
#include "contract/subjects.h"
#include "mailbox.h"
#include "wait.h"

enum { TICK_MS = 100, QUIET_MS = 15000 };

struct hub {
    struct gateway *gateway;
    pthread_t thread;
    bool running;

    struct mailbox mail;

    pthread_mutex_t lock; /* of topics and listeners */
    struct rv_hash *topics;
    _Atomic size_t n_listeners;
    uint32_t connects; /* the thread's own: as it was last time */
};

/* -- from the bus -- */

/* Nothing is copied while nobody listens. */
static bool is_needed(struct hub *hub)
{
    return atomic_load(&hub->n_listeners) > 0 || waits_any(hub->gateway);
}

static void on_event(void *arg, const struct rv_heard *heard)
{
    struct hub *hub = arg;

    if (is_needed(hub))
        mailbox_put(&hub->mail, heard, false);
}

static void on_delta(void *arg, const struct rv_heard *heard)
{
    struct hub *hub = arg;

    if (is_needed(hub))
        mailbox_put(&hub->mail, heard, true);
}

static void free_letters(struct letter *letters)
{
    for (struct letter *next; letters; letters = next) {
        next = letters->next;
        free(letters);
    }
}

/* -- to the topics -- */

static void touch(struct topic *topic, struct frame *frame, struct topic **touched)
{
    if (topic_has(topic, frame->seq))
        return;
    topic_add(topic, frame);
    if (topic->is_touched)
        return;
    topic->is_touched = true;
    topic->touched = *touched;
    *touched = topic;
}

static void deliver_event(struct rv_ctx *cx, struct hub *hub, const struct event *event,
                          struct topic **touched)
{
    struct topic *run = rv_hash_get(hub->topics, event->run_id);
    struct topic *tenant = rv_hash_get(hub->topics, event->tenant_id);
    struct frame *frame;

    if (run && strcmp(run->tenant_id, event->tenant_id) != 0)
        run = NULL;
    if ((!run && !tenant) || !(frame = frame_of_event(cx, event)))
        return;
    if (run)
        touch(run, frame, touched);
    if (tenant)
        touch(tenant, frame, touched);
    frame_drop(frame);
}

static bool is_whole(const struct event *event)
{
    return event->tenant_id && event->run_id && event->project_id && event->type;
}

/* Garbage on the bus is nobody's event. */
static void deliver_events(struct rv_ctx *cx, struct hub *hub, const struct letter *letter,
                           struct topic **touched)
{
    const struct event *events;
    void *items;
    size_t n;

    if (rv_pb_read_many(cx, &SUBJ_EVENT_RELAYED.in, letter->bytes, letter->len, &items, &n) !=
        RV_OK)
        return;
    events = items;
    for (size_t i = 0; i < n; i++) {
        if (!is_whole(&events[i]))
            continue;
        deliver_event(cx, hub, &events[i], touched);
        if (frame_is_last(events[i].type))
            waits_over(hub->gateway->waits, events[i].run_id);
    }
}

static void deliver_delta(struct rv_ctx *cx, struct hub *hub, const struct letter *letter,
                          struct topic **touched)
{
    struct topic *run = rv_hash_get(hub->topics, letter->run_id);
    struct live_delta delta = { 0 };
    struct frame *frame;

    if (!run)
        return;
    if (rv_pb_read(cx, &SUBJ_LIVE.in, letter->bytes, letter->len, &delta) == RV_OK &&
        delta.tenant_id && strcmp(run->tenant_id, delta.tenant_id) == 0 &&
        (frame = frame_of_delta(cx, &delta)) != NULL) {
        touch(run, frame, touched);
        frame_drop(frame);
    }
    cx->error = (struct rv_error){ 0 };
}

static void wake_all(struct topic *touched)
{
    for (; touched; touched = touched->touched) {
        touched->is_touched = false;
        for (struct listener *l = touched->listeners; l; l = l->next)
            rv_http_wake(l->http);
    }
}

/* Everything that has come since the last time, as one round: whoever listens is woken once. */
static void deliver(struct rv_ctx *cx, struct hub *hub, struct letter *letters)
{
    struct topic *touched = NULL;

    pthread_mutex_lock(&hub->lock);
    for (const struct letter *l = letters; l; l = l->next) {
        (l->live ? deliver_delta : deliver_events)(cx, hub, l, &touched);
        rv_ctx_reset(cx); /* what was read of a letter may be many times its size */
    }
    wake_all(touched);
    pthread_mutex_unlock(&hub->lock);
    free_letters(letters);
}

/* -- the clock -- */

/* Also a busy one looks into Postgres now and then: that is where its key is found revoked. */
static void look_after(struct listener *listener, int64_t now_ms, bool missed)
{
    bool quiet = now_ms - atomic_load(&listener->quiet_since_ms) >= QUIET_MS;

    if (!quiet && !missed && now_ms - listener->looked_ms < QUIET_MS)
        return;
    if (quiet) {
        atomic_store(&listener->quiet_since_ms, now_ms);
        atomic_store(&listener->comment, true);
    }
    listener->looked_ms = now_ms;
    atomic_store(&listener->behind, true);
    rv_http_wake(listener->http);
}

/* News may be missed while the bus is away; a stream that was quiet for long looks as well. */
static void tick(struct hub *hub, bool lost)
{
    uint32_t connects = rv_bus_connects(hub->gateway->bus);
    bool missed = lost || connects != hub->connects;
    size_t at = 0;
    const char *key;
    void *topic;

    hub->connects = connects;
    pthread_mutex_lock(&hub->lock);
    while (rv_hash_next(hub->topics, &at, &key, &topic))
        for (struct listener *l = ((struct topic *)topic)->listeners; l; l = l->next)
            look_after(l, rv_monotonic_ms(), missed);
    pthread_mutex_unlock(&hub->lock);
    waits_tick(hub->gateway->waits, missed);
}

/* While nobody listens there is nothing to look after, so nothing wakes up. */
static void *listen_on(void *arg)
{
    struct hub *hub = arg;
    int64_t ticked_ms = 0;
    struct letter *letters;
    struct rv_ctx cx;
    bool lost;

    rv_ctx_init(&cx);
    while (mailbox_take(&hub->mail, is_needed(hub) ? TICK_MS : -1, &letters, &lost)) {
        if (letters)
            deliver(&cx, hub, letters);
        if (lost || rv_monotonic_ms() - ticked_ms >= TICK_MS) {
            tick(hub, lost);
            ticked_ms = rv_monotonic_ms();
        }
    }
    free_letters(letters);
    rv_ctx_release(&cx);
    return NULL;
}

/* -- opening and closing -- */

struct hub *hub_new(struct gateway *gateway)
{
    struct hub *hub = calloc(1, sizeof(*hub));

    if (!hub)
        abort();
    hub->gateway = gateway;
    mailbox_init(&hub->mail);
    hub->topics = rv_hash_new();
    pthread_mutex_init(&hub->lock, NULL);
    return hub;
}

rv_result hub_open(struct rv_ctx *cx, struct hub *hub)
{
    hub->connects = rv_bus_connects(hub->gateway->bus);
    RV_TRY(cx, rv_bus_listen(cx, hub->gateway->bus, SUBJ_EVENT_RELAYED.name, NULL, on_event, hub));
    RV_TRY(cx, rv_bus_listen(cx, hub->gateway->bus, "reeve.live.>", NULL, on_delta, hub));
    if (pthread_create(&hub->thread, NULL, listen_on, hub) != 0)
        return rv_fail(cx, RV_EXHAUSTED, "no thread for the hub");
    hub->running = true;
    return RV_OK;
}

void hub_close(struct hub *hub)
{
    if (!hub)
        return;
    mailbox_stop(&hub->mail);
    if (!hub->running)
        return;
    pthread_join(hub->thread, NULL);
    hub->running = false;
}

void hub_free(struct hub *hub)
{
    if (!hub)
        return;
    mailbox_release(&hub->mail);
    rv_hash_free(hub->topics, NULL);
    hub->topics = NULL;
    pthread_mutex_destroy(&hub->lock);
}

void hub_stir(struct hub *hub)
{
    mailbox_stir(&hub->mail);
}

/* -- listeners -- */

static struct topic *topic_for(struct hub *hub, const char *tenant_id, const char *run_id)
{
    const char *key = run_id ? run_id : tenant_id;
    struct topic *topic = rv_hash_get(hub->topics, key);

    if (topic)
        return topic;
    topic = topic_new(key, tenant_id, run_id ? TOPIC_RUN_FRAMES : TOPIC_TENANT_FRAMES);
    rv_hash_put(hub->topics, key, topic);
    return topic;
}

static void leave(struct hub *hub, struct listener *listener)
{
    struct topic *topic = listener->topic;

    if (listener->next)
        listener->next->prev = listener->prev;
    if (listener->prev)
        listener->prev->next = listener->next;
    else
        topic->listeners = listener->next;
    listener->topic = NULL;
    listener->http = NULL;
    atomic_fetch_sub(&hub->n_listeners, 1);
    if (topic->listeners)
        return;
    rv_hash_take(hub->topics, topic->key);
    topic_free(topic);
}

bool hub_join(struct hub *hub, struct listener *listener, const char *tenant_id, const char *run_id,
              struct rv_http_request *request, const struct rv_http_stream_ops *ops)
{
    static const struct rv_http_header_row rows[] = { { "Cache-Control", "no-cache" },
                                                      { "X-Accel-Buffering", "no" },
                                                      { 0 } };
    struct topic *topic;
    bool joined;

    pthread_mutex_lock(&hub->lock);
    topic = topic_for(hub, tenant_id, run_id);
    listener->topic = topic;
    listener->prev = NULL;
    listener->next = topic->listeners;
    if (topic->listeners)
        topic->listeners->prev = listener;
    topic->listeners = listener;
    atomic_fetch_add(&hub->n_listeners, 1);
    atomic_store(&listener->quiet_since_ms, rv_monotonic_ms());
    listener->looked_ms = rv_monotonic_ms();
    listener->http = rv_http_stream(request, "text/event-stream", rows, ops, listener);
    joined = listener->http != NULL;
    if (!joined)
        leave(hub, listener);
    pthread_mutex_unlock(&hub->lock);
    hub_stir(hub);
    return joined;
}

void hub_leave(struct hub *hub, struct listener *listener)
{
    pthread_mutex_lock(&hub->lock);
    leave(hub, listener);
    pthread_mutex_unlock(&hub->lock);
}

bool hub_mark(struct hub *hub, struct listener *listener, uint64_t *head)
{
    bool there;

    pthread_mutex_lock(&hub->lock);
    there = listener->topic != NULL;
    if (there)
        *head = atomic_load(&listener->topic->head);
    pthread_mutex_unlock(&hub->lock);
    return there;
}

void hub_wake(struct hub *hub, struct listener *listener)
{
    pthread_mutex_lock(&hub->lock);
    if (listener->http)
        rv_http_wake(listener->http);
    pthread_mutex_unlock(&hub->lock);
}
