#pragma once

/*
 * Hash: text → pointer, with one owner. Keys are copied; values are the caller's. Iteration is in
 * order of insertion. Not for hostile keys by the million: the seed is random per process.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rv_hash;

struct rv_hash *rv_hash_new(void);
void rv_hash_free(struct rv_hash *hash, void (*drop)(void *value));    /* NULLs are fine */
void *rv_hash_get(const struct rv_hash *hash, const char *key);        /* NULL: not there */
void *rv_hash_put(struct rv_hash *hash, const char *key, void *value); /* the one it replaces */
void *rv_hash_take(struct rv_hash *hash, const char *key);             /* removes and returns it */
size_t rv_hash_count(const struct rv_hash *hash);

/* @at starts at 0; false at the end. Putting or taking while walking is not allowed. */
bool rv_hash_next(const struct rv_hash *hash, size_t *at, const char **key, void **value);

uint64_t rv_hash64(const void *bytes, size_t len); /* stable over processes (FNV-1a) */
