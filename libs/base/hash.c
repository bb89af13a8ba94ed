#include "base/hash.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct entry {
    char *key; /* NULL: taken away */
    void *value;
    uint64_t hash;
};

/* Entries in order of insertion, and slots that point to them: index + 1, 0 is a free slot. */
struct rv_hash {
    struct entry *entries;
    uint32_t *slots;
    size_t used, size; /* entries, with those taken away; slots: twice as many */
    size_t count;
};

enum { FIRST_SIZE = 8 };

uint64_t rv_hash64(const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ at[i]) * 0x100000001b3u;
    return hash;
}

static uint64_t seed;

static void make_seed(void)
{
    if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        seed = (uint64_t)(uintptr_t)&seed;
}

static uint64_t hash_of(const char *key)
{
    uint64_t hash = seed;

    for (; *key; key++)
        hash = (hash ^ (uint8_t)*key) * 0x100000001b3u;
    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccdu;
    return hash ^ hash >> 33;
}

static void *must(void *memory)
{
    if (!memory) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return memory;
}

struct rv_hash *rv_hash_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_seed);
    return must(calloc(1, sizeof(struct rv_hash)));
}

void rv_hash_free(struct rv_hash *hash, void (*drop)(void *value))
{
    if (!hash)
        return;
    for (size_t i = 0; i < hash->used; i++) {
        if (hash->entries[i].key && drop)
            drop(hash->entries[i].value);
        free(hash->entries[i].key);
    }
    free(hash->entries);
    free(hash->slots);
    free(hash);
}

/* The slot of @key, or the free one where it would go. */
static uint32_t *slot_of(const struct rv_hash *hash, const char *key, uint64_t code)
{
    size_t mask = hash->size * 2 - 1;

    for (size_t at = code & mask;; at = (at + 1) & mask) {
        uint32_t *slot = &hash->slots[at];
        const struct entry *entry = *slot ? &hash->entries[*slot - 1] : NULL;

        if (!entry || (entry->key && entry->hash == code && strcmp(entry->key, key) == 0))
            return slot;
    }
}

static struct entry *find(const struct rv_hash *hash, const char *key)
{
    uint32_t slot = hash->count ? *slot_of(hash, key, hash_of(key)) : 0;

    return slot ? &hash->entries[slot - 1] : NULL;
}

/* Leaves the holes behind; grows only when there are few of them. */
static void make_room(struct rv_hash *hash)
{
    size_t size = hash->count * 2 < FIRST_SIZE ? FIRST_SIZE : hash->size;
    struct entry *old = hash->entries;
    size_t n_old = hash->used;

    if (hash->count * 2 > size)
        size *= 2;
    free(hash->slots);
    hash->slots = must(calloc(size * 2, sizeof(*hash->slots)));
    hash->entries = must(calloc(size, sizeof(*hash->entries)));
    hash->size = size;
    hash->used = 0;
    for (size_t i = 0; i < n_old; i++)
        if (old[i].key) {
            hash->entries[hash->used] = old[i];
            *slot_of(hash, old[i].key, old[i].hash) = (uint32_t)++hash->used;
        }
    free(old);
}

void *rv_hash_get(const struct rv_hash *hash, const char *key)
{
    const struct entry *entry = find(hash, key);

    return entry ? entry->value : NULL;
}

void *rv_hash_put(struct rv_hash *hash, const char *key, void *value)
{
    struct entry *entry = find(hash, key);
    void *before = entry ? entry->value : NULL;

    if (entry) {
        entry->value = value;
        return before;
    }
    if (hash->used == hash->size)
        make_room(hash);
    entry = &hash->entries[hash->used];
    *entry = (struct entry){ must(strdup(key)), value, hash_of(key) };
    *slot_of(hash, key, entry->hash) = (uint32_t)++hash->used;
    hash->count++;
    return NULL;
}

void *rv_hash_take(struct rv_hash *hash, const char *key)
{
    struct entry *entry = find(hash, key);
    void *value = entry ? entry->value : NULL;

    if (entry) {
        free(entry->key);
        *entry = (struct entry){ 0 };
        hash->count--;
    }
    return value;
}

size_t rv_hash_count(const struct rv_hash *hash)
{
    return hash->count;
}

bool rv_hash_next(const struct rv_hash *hash, size_t *at, const char **key, void **value)
{
    while (*at < hash->used && !hash->entries[*at].key)
        ++*at;
    if (*at == hash->used)
        return false;
    *key = hash->entries[*at].key;
    *value = hash->entries[*at].value;
    ++*at;
    return true;
}
