/* The half of value.h that knows maps. */

#include <string.h>

#include "base/hash.h"
#include "cel/value.h"

enum { SMALL_MAP = 8 };

/* Numbers that are equal become one key: an int if one fits, a uint above; CEL_NONE when no key can
 * be equal. */
static struct cel_value key_of(struct cel_value value)
{
    if (value.kind == CEL_UINT && value.natural <= INT64_MAX)
        return cel_int((int64_t)value.natural);
    if (value.kind != CEL_DOUBLE)
        return value;
    if (value.number >= -0x1p63 && value.number < 0x1p63) {
        int64_t whole = (int64_t)value.number;

        return (double)whole == value.number ? cel_int(whole) : cel_none();
    }
    if (value.number >= 0x1p63 && value.number < 0x1p64)
        return cel_uint((uint64_t)value.number);
    return cel_none();
}

/* Of keys that key_of has made. */
static bool same_key(struct cel_value a, struct cel_value b)
{
    if (a.kind != b.kind)
        return false;
    if (a.kind != CEL_STRING)
        return a.whole == b.whole;
    return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

static uint64_t hash_of(struct cel_value key)
{
    if (key.kind == CEL_STRING)
        return rv_hash64(key.text, key.len);
    return (key.natural + key.kind) * 0x9e3779b97f4a7c15u >> 7;
}

/* Where in the index @key is, or would be. */
static size_t probe(const struct cel_map *map, struct cel_value key)
{
    size_t at = hash_of(key) & map->index_mask;

    while (map->index[at] && !same_key(key_of(map->pairs[map->index[at] - 1].key), key))
        at = (at + 1) & map->index_mask;
    return at;
}

static const struct cel_pair *find(const struct cel_map *map, struct cel_value key, size_t n_pairs)
{
    key = key_of(key);
    if (key.kind == CEL_NONE)
        return NULL;
    if (map->index) {
        size_t at = probe(map, key);

        return map->index[at] ? &map->pairs[map->index[at] - 1] : NULL;
    }
    for (size_t i = 0; i < n_pairs; i++)
        if (same_key(key_of(map->pairs[i].key), key))
            return &map->pairs[i];
    return NULL;
}

struct cel_value cel_map_of(struct rv_ctx *cx, const struct cel_pair *pairs, size_t n_pairs,
                            struct cel_value *again)
{
    struct cel_map *map = rv_new(cx, struct cel_map);
    uint32_t *index = NULL;
    size_t room = 2 * SMALL_MAP;

    *again = cel_none();
    while (room < n_pairs * 2)
        room *= 2;
    if (n_pairs > SMALL_MAP)
        index = rv_new_array(cx, uint32_t, room);
    *map = (struct cel_map){ .pairs = pairs, .index = index, .index_mask = room - 1 };
    for (; map->n_pairs < n_pairs; map->n_pairs++) {
        struct cel_value key = pairs[map->n_pairs].key;

        if (find(map, key, map->n_pairs)) {
            *again = key;
            break;
        }
        if (index)
            index[probe(map, key_of(key))] = (uint32_t)map->n_pairs + 1;
    }
    return cel_map_value(map);
}

size_t cel_map_size(const struct cel_map *map)
{
    return map->ops ? map->ops->size(map) : map->n_pairs;
}

struct cel_value cel_map_get(struct rv_ctx *cx, const struct cel_map *map, struct cel_value key)
{
    const struct cel_pair *pair;

    if (map->ops)
        return map->ops->get(cx, map, key);
    pair = find(map, key, map->n_pairs);
    return pair ? pair->value : cel_none();
}

bool cel_map_next(struct rv_ctx *cx, const struct cel_map *map, struct cel_walk *walk)
{
    if (map->ops)
        return map->ops->next(cx, map, walk);
    if (walk->index == map->n_pairs)
        return false;
    walk->key = map->pairs[walk->index].key;
    walk->value = map->pairs[walk->index++].value;
    return true;
}
