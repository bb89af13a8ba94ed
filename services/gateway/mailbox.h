#pragma once

/*
 * Mailbox: messages from the bus' thread, which only enqueues, to the hub's. Bounded in number and
 * in bytes: what does not fit is dropped, and whoever reads hears that something was.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/bus.h"

enum { MAILBOX_TOKEN = 64, MAILBOX_LETTERS = 200000, MAILBOX_BYTES = 32 * 1024 * 1024 };

/* One message, copied out of the bus' hands. */
struct letter {
    struct letter *next;
    bool live;                  /* a delta, not events */
    char run_id[MAILBOX_TOKEN]; /* of a delta, as the subject says */
    size_t len;
    uint8_t bytes[];
};

struct mailbox {
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct letter *first, **last;
    size_t n, bytes;
    bool lost, stopping, stirred;
};

void mailbox_init(struct mailbox *box);
void mailbox_release(struct mailbox *box); /* after stop: putting goes on to do no harm */

void mailbox_put(struct mailbox *box, const struct rv_heard *heard, bool live);
void mailbox_stir(struct mailbox *box); /* ends a wait */
void mailbox_stop(struct mailbox *box);

/*
 * Waits for letters, @wait_ms at most or, below 0, for as long as it takes. Returns all there are,
 * in order. @lost: some did not fit. False: it was stopped.
 */
bool mailbox_take(struct mailbox *box, int64_t wait_ms, struct letter **letters, bool *lost);
