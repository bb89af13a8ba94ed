#include "strikes.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/time.h"

enum { SETS = 1024, WAYS = 4 };

/* Who, and what came since the first bad key of this minute. */
struct entry {
    uint64_t who;
    int64_t since_ms;
    int n;
};

struct strikes {
    pthread_mutex_t lock;
    struct entry sets[SETS][WAYS];
};

struct strikes *strikes_new(void)
{
    struct strikes *strikes = calloc(1, sizeof(*strikes));

    if (!strikes)
        abort();
    pthread_mutex_init(&strikes->lock, NULL);
    return strikes;
}

void strikes_free(struct strikes *strikes)
{
    if (!strikes)
        return;
    pthread_mutex_destroy(&strikes->lock);
    free(strikes);
}

/* Who has an IPv6 address has all that begin with the same 64 bits. */
static uint64_t who_is(const char *client)
{
    struct in6_addr six;

    if (inet_pton(AF_INET6, client, &six) == 1 && !IN6_IS_ADDR_V4MAPPED(&six))
        return rv_hash64(&six, 8);
    return rv_hash64(client, strlen(client));
}

/* The entry of @who, or NULL. One whose minute is over is as good as none. */
static struct entry *entry_of(struct strikes *strikes, uint64_t who, int64_t now_ms)
{
    struct entry *set = strikes->sets[who % SETS];

    for (size_t i = 0; i < WAYS; i++)
        if (set[i].n > 0 && set[i].who == who && now_ms - set[i].since_ms < STRIKES_MS)
            return &set[i];
    return NULL;
}

static struct entry *begin(struct strikes *strikes, uint64_t who, int64_t now_ms)
{
    struct entry *set = strikes->sets[who % SETS], *oldest = set;

    for (size_t i = 1; i < WAYS; i++)
        if (set[i].n == 0 || (oldest->n > 0 && set[i].since_ms < oldest->since_ms))
            oldest = &set[i];
    *oldest = (struct entry){ .who = who, .since_ms = now_ms };
    return oldest;
}

void strikes_add(struct strikes *strikes, const char *client)
{
    uint64_t who = who_is(client);
    int64_t now_ms = rv_monotonic_ms();
    struct entry *entry;

    pthread_mutex_lock(&strikes->lock);
    entry = entry_of(strikes, who, now_ms);
    if (!entry)
        entry = begin(strikes, who, now_ms);
    entry->n++;
    pthread_mutex_unlock(&strikes->lock);
}

int64_t strikes_back_ms(struct strikes *strikes, const char *client)
{
    int64_t now_ms = rv_monotonic_ms(), back_ms = 0;
    const struct entry *entry;

    pthread_mutex_lock(&strikes->lock);
    entry = entry_of(strikes, who_is(client), now_ms);
    if (entry && entry->n > STRIKES_MAX)
        back_ms = entry->since_ms + STRIKES_MS - now_ms;
    pthread_mutex_unlock(&strikes->lock);
    return back_ms;
}
