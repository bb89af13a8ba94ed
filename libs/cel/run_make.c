/* Evaluation: lists and maps made of their parts. */

#include "cel/program.h"

/* The value of part @i of @node. CEL_NONE: ?e with nothing in it. */
static struct cel_value part(struct cel_run *run, const struct cel_node *node, size_t i,
                             bool optional)
{
    struct cel_value value = cel_run_node(run, node->args[i]);

    if (!optional || value.kind == CEL_ERROR)
        return value;
    run->at = node->args[i]->at;
    if (value.kind != CEL_OPTIONAL)
        return cel_fail(run, "%s is no optional", cel_kind_name(value.kind));
    return value.held ? *value.held : cel_none();
}

struct cel_value cel_run_list(struct cel_run *run, const struct cel_node *node)
{
    struct cel_value *items = cel_room(run, node->n_args * sizeof(*items));
    size_t n_items = 0;

    if (!items)
        return cel_spent(run);
    for (size_t i = 0; i < node->n_args; i++) {
        struct cel_value value = part(run, node, i, node->optionals[i]);

        if (value.kind == CEL_ERROR)
            return value;
        if (value.kind != CEL_NONE)
            items[n_items++] = value;
    }
    return cel_list_of(run->cx, items, n_items);
}

struct cel_value cel_make_map(struct cel_run *run, const struct cel_node *node,
                              const struct cel_pair *pairs, size_t n_pairs)
{
    struct cel_value again, map;
    size_t weight = n_pairs * 2;

    for (size_t i = 0; i < n_pairs; i++)
        weight += pairs[i].key.kind == CEL_STRING ? pairs[i].key.len / 16 : 0;
    run->at = node->at;
    if (!cel_spend(run, weight))
        return cel_spent(run);
    map = cel_map_of(run->cx, pairs, n_pairs, &again);
    if (again.kind == CEL_STRING)
        return cel_fail(run, "the key \"%.*s\" comes twice", again.len > 60 ? 60 : (int)again.len,
                        again.text);
    return again.kind == CEL_NONE ? map : cel_fail(run, "a key comes twice");
}

/* Keys and values take turns in the arguments. */
struct cel_value cel_run_map(struct cel_run *run, const struct cel_node *node)
{
    struct cel_pair *pairs = cel_room(run, node->n_args / 2 * sizeof(*pairs));
    size_t n_pairs = 0;

    if (!pairs)
        return cel_spent(run);
    for (size_t i = 0; i < node->n_args; i += 2) {
        struct cel_value key = cel_run_node(run, node->args[i]), value;

        if (key.kind == CEL_ERROR)
            return key;
        run->at = node->args[i]->at;
        if (!cel_is_key(key))
            return cel_fail(run, "%s is no key of a map", cel_kind_name(key.kind));
        value = part(run, node, i + 1, node->optionals[i / 2]);
        if (value.kind == CEL_ERROR)
            return value;
        if (value.kind != CEL_NONE)
            pairs[n_pairs++] = (struct cel_pair){ key, value };
    }
    return cel_make_map(run, node, pairs, n_pairs);
}
