#pragma once

/*
 * Topics: the newest frames of one run, or of all runs of a tenant, in order. One thread appends;
 * any number read at their own pace by position. Who falls behind by more than the ring has lost
 * its place, and looks into Postgres instead. The ring is bounded in bytes as well.
 */

#include <pthread.h>
#include <stdatomic.h>

#include "frame.h"

enum { TOPIC_RUN_FRAMES = 1024, TOPIC_TENANT_FRAMES = 16384, TOPIC_BYTES = 32 * 1024 * 1024 };

struct listener;

struct topic {
    char key[48];       /* the run's or the tenant's id */
    char tenant_id[40]; /* whose it is */
    size_t size;        /* a power of two */
    struct frame **ring;
    _Atomic uint64_t head;      /* where the next one goes */
    uint64_t tail;              /* the oldest that is still there */
    size_t bytes;               /* of all that are */
    pthread_rwlock_t lock;      /* of the ring */
    struct listener *listeners; /* the hub's list */
    int64_t *recent;            /* the events added last, by seq */
    struct topic *touched;      /* the hub's: appended to in this round */
    bool is_touched;
};

struct topic *topic_new(const char *key, const char *tenant_id, size_t size);
void topic_free(struct topic *topic);
void topic_add(struct topic *topic, struct frame *frame); /* until it is pushed out */

/* Whether the event @seq was added lately: after a crash of the relay it may come twice. */
bool topic_has(const struct topic *topic, int64_t seq);

/* For readers, between lock and unlock: the frame at @at, NULL when that has been pushed out. */
const struct frame *topic_at(const struct topic *topic, uint64_t at);
