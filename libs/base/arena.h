#pragma once

/*
 * Arena: memory that is freed all at once.
 *
 * Allocation never returns NULL: out of memory ends the process. What bounds an arena is
 * the size of its input, so every edge (HTTP body, NATS payload, page of rows) has a limit.
 */

#include <stddef.h>

struct rv_arena;

struct rv_arena *rv_arena_new(void);
void rv_arena_free(struct rv_arena *arena);  /* NULL is fine */
void rv_arena_reset(struct rv_arena *arena); /* frees what was allocated, keeps the arena */

/* @size zeroed bytes, aligned for any type. */
void *rv_arena_alloc(struct rv_arena *arena, size_t size);

/* @count elements of @size zeroed bytes; a product over SIZE_MAX ends the process. */
void *rv_arena_array(struct rv_arena *arena, size_t size, size_t count);

/* What the arena has taken from the system, in bytes: for limits and tests. */
size_t rv_arena_bytes(const struct rv_arena *arena);
