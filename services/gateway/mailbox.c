#include "mailbox.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/time.h"

void mailbox_init(struct mailbox *box)
{
    pthread_condattr_t monotonic;

    *box = (struct mailbox){ 0 };
    box->last = &box->first;
    pthread_mutex_init(&box->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&box->came, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void mailbox_release(struct mailbox *box)
{
    pthread_mutex_lock(&box->lock);
    for (struct letter *next; box->first; box->first = next) {
        next = box->first->next;
        free(box->first);
    }
    pthread_mutex_unlock(&box->lock);
}

/* reeve.live.<project>.<run> */
static void read_run_id(const char *subject, char run_id[MAILBOX_TOKEN])
{
    const char *last = strrchr(subject, '.');

    run_id[0] = '\0';
    if (last && strlen(last + 1) < MAILBOX_TOKEN)
        strcpy(run_id, last + 1);
}

static struct letter *letter_of(const struct rv_heard *heard, bool live)
{
    struct letter *letter = malloc(sizeof(*letter) + heard->len);

    if (!letter)
        abort();
    letter->next = NULL;
    letter->live = live;
    letter->len = heard->len;
    if (heard->len > 0)
        memcpy(letter->bytes, heard->bytes, heard->len);
    read_run_id(heard->subject, letter->run_id);
    return letter;
}

static size_t size_of(const struct letter *letter)
{
    return sizeof(*letter) + letter->len;
}

static bool has_room(const struct mailbox *box, const struct letter *letter)
{
    return box->n < MAILBOX_LETTERS && box->bytes + size_of(letter) <= MAILBOX_BYTES;
}

void mailbox_put(struct mailbox *box, const struct rv_heard *heard, bool live)
{
    struct letter *letter = letter_of(heard, live);

    pthread_mutex_lock(&box->lock);
    if (box->stopping) {
        pthread_mutex_unlock(&box->lock);
        free(letter);
        return;
    }
    if (has_room(box, letter)) {
        *box->last = letter;
        box->last = &letter->next;
        box->n++;
        box->bytes += size_of(letter);
        letter = NULL;
    } else {
        box->lost = true;
    }
    pthread_cond_signal(&box->came);
    pthread_mutex_unlock(&box->lock);
    free(letter);
}

void mailbox_stir(struct mailbox *box)
{
    pthread_mutex_lock(&box->lock);
    box->stirred = true;
    pthread_cond_signal(&box->came);
    pthread_mutex_unlock(&box->lock);
}

void mailbox_stop(struct mailbox *box)
{
    pthread_mutex_lock(&box->lock);
    box->stopping = true;
    pthread_cond_signal(&box->came);
    pthread_mutex_unlock(&box->lock);
}

static bool is_quiet(const struct mailbox *box)
{
    return !box->first && !box->stopping && !box->stirred;
}

bool mailbox_take(struct mailbox *box, int64_t wait_ms, struct letter **letters, bool *lost)
{
    int64_t at_ms = rv_monotonic_ms() + (wait_ms > 0 ? wait_ms : 0);
    struct timespec at = { at_ms / 1000, at_ms % 1000 * 1000000 };
    bool goes_on;

    pthread_mutex_lock(&box->lock);
    if (is_quiet(box) && wait_ms >= 0)
        pthread_cond_timedwait(&box->came, &box->lock, &at);
    while (is_quiet(box) && wait_ms < 0)
        pthread_cond_wait(&box->came, &box->lock);
    *letters = box->first;
    *lost = box->lost;
    goes_on = !box->stopping;
    box->first = NULL;
    box->last = &box->first;
    box->n = box->bytes = 0;
    box->lost = box->stirred = false;
    pthread_mutex_unlock(&box->lock);
    return goes_on;
}
