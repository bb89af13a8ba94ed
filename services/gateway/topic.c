#include "topic.h"

#include <stdio.h>
#include <stdlib.h>

/* Readers are many and hold it briefly, one after the other: the writer must not wait for ever. */
static void init_lock(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t writer_first;

    pthread_rwlockattr_init(&writer_first);
    pthread_rwlockattr_setkind_np(&writer_first, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(lock, &writer_first);
    pthread_rwlockattr_destroy(&writer_first);
}

struct topic *topic_new(const char *key, const char *tenant_id, size_t size)
{
    struct topic *topic = calloc(1, sizeof(*topic));

    if (!topic || !(topic->ring = calloc(size, sizeof(*topic->ring))))
        abort();
    snprintf(topic->key, sizeof(topic->key), "%s", key);
    snprintf(topic->tenant_id, sizeof(topic->tenant_id), "%s", tenant_id);
    topic->size = size;
    if (!(topic->recent = calloc(size, sizeof(*topic->recent))))
        abort();
    init_lock(&topic->lock);
    return topic;
}

void topic_free(struct topic *topic)
{
    for (size_t i = 0; i < topic->size; i++)
        frame_drop(topic->ring[i]);
    pthread_rwlock_destroy(&topic->lock);
    free(topic->ring);
    free(topic->recent);
    free(topic);
}

static size_t weight(const struct frame *frame)
{
    return sizeof(*frame) + frame->run_head + frame->tenant_head + frame->body;
}

/* The oldest. */
static void push_out(struct topic *topic)
{
    struct frame **place = &topic->ring[topic->tail++ & (topic->size - 1)];

    topic->bytes -= weight(*place);
    frame_drop(*place);
    *place = NULL;
}

void topic_add(struct topic *topic, struct frame *frame)
{
    uint64_t head = atomic_load_explicit(&topic->head, memory_order_relaxed);

    frame->refs++;
    if (frame->seq)
        topic->recent[frame->seq & (int64_t)(topic->size - 1)] = frame->seq;
    pthread_rwlock_wrlock(&topic->lock);
    while (topic->tail < head &&
           (head - topic->tail >= topic->size || topic->bytes + weight(frame) > TOPIC_BYTES))
        push_out(topic);
    topic->ring[head & (topic->size - 1)] = frame;
    topic->bytes += weight(frame);
    atomic_store(&topic->head, head + 1);
    pthread_rwlock_unlock(&topic->lock);
}

bool topic_has(const struct topic *topic, int64_t seq)
{
    return seq && topic->recent[seq & (int64_t)(topic->size - 1)] == seq;
}

const struct frame *topic_at(const struct topic *topic, uint64_t at)
{
    uint64_t head = atomic_load(&topic->head);

    if (at >= head || at < topic->tail)
        return NULL;
    return topic->ring[at & (topic->size - 1)];
}
