#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 16 * 1024 };

struct block {
    struct block *next;
    size_t used, size;
    alignas(max_align_t) char bytes[];
};

struct rv_arena {
    struct block *blocks;
    size_t bytes;
};

static void *must(void *memory)
{
    if (!memory) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return memory;
}

struct rv_arena *rv_arena_new(void)
{
    return must(calloc(1, sizeof(struct rv_arena)));
}

/* A reset keeps one ordinary block, so that a busy worker does not go to malloc each time. */
void rv_arena_reset(struct rv_arena *arena)
{
    struct block *kept = NULL;

    while (arena->blocks) {
        struct block *block = arena->blocks;

        arena->blocks = block->next;
        if (!kept && block->size == BLOCK_SIZE) {
            memset(block->bytes, 0, block->used);
            block->used = 0;
            kept = block;
        } else {
            arena->bytes -= block->size;
            free(block);
        }
    }
    if (kept)
        kept->next = NULL;
    arena->blocks = kept;
}

void rv_arena_free(struct rv_arena *arena)
{
    if (!arena)
        return;
    rv_arena_reset(arena);
    free(arena->blocks);
    free(arena);
}

/* What fills most of a block gets one of its own, and the open one stays open. */
static struct block *add_block(struct rv_arena *arena, size_t need)
{
    size_t room = need > BLOCK_SIZE ? need : BLOCK_SIZE;
    struct block *open = arena->blocks;
    struct block **place = open && need > BLOCK_SIZE / 2 ? &open->next : &arena->blocks;
    struct block *block = must(calloc(1, sizeof(*block) + room));

    block->size = room;
    block->next = *place;
    *place = block;
    arena->bytes += room;
    return block;
}

void *rv_arena_alloc(struct rv_arena *arena, size_t size)
{
    size_t need = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct block *block = arena->blocks;

    if (need < size || need > SIZE_MAX / 2)
        abort();
    if (!block || block->size - block->used < need)
        block = add_block(arena, need);
    block->used += need;
    return block->bytes + block->used - need;
}

void *rv_arena_array(struct rv_arena *arena, size_t size, size_t count)
{
    size_t bytes;

    if (__builtin_mul_overflow(size, count, &bytes))
        abort();
    return rv_arena_alloc(arena, bytes);
}

size_t rv_arena_bytes(const struct rv_arena *arena)
{
    return arena->bytes;
}
