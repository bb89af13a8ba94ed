/* Evaluation: fields, indexes, and whether they are there. */

#include <math.h>

#include "cel/program.h"

static struct cel_value fail_at(struct cel_run *run, const struct cel_node *node, const char *why,
                                struct cel_value value)
{
    run->at = node->at;
    return cel_fail(run, "%s %s", cel_kind_name(value.kind), why);
}

/* Looking into an optional gives an optional; into nothing, nothing. */
struct opened {
    struct cel_value value;
    bool optional, empty;
};

static struct opened open(struct cel_value value)
{
    struct opened opened = { .value = value };

    while (opened.value.kind == CEL_OPTIONAL && !opened.empty) {
        opened.optional = true;
        opened.empty = !opened.value.held;
        if (!opened.empty)
            opened.value = *opened.value.held;
    }
    return opened;
}

/* @found as the node wants it: as it is, or as an optional; CEL_NONE is nothing. */
static struct cel_value wrapped(struct cel_run *run, struct cel_value found)
{
    if (found.kind == CEL_ERROR || found.kind == CEL_OPTIONAL)
        return found;
    return cel_spend(run, 1) ? cel_optional(run->cx, found) : cel_spent(run);
}

/* What @key leads to in a map or list; CEL_NONE when there is nothing. */
static struct cel_value look_up(struct cel_run *run, const struct cel_node *node,
                                struct cel_value in, struct cel_value key)
{
    if (in.kind == CEL_MAP) {
        if (key.kind == CEL_STRING && !cel_spend(run, key.len / 16))
            return cel_spent(run);
        if (!cel_is_key(key) && key.kind != CEL_DOUBLE)
            return fail_at(run, node, "is no key of a map", key);
        return cel_run_found(run, cel_map_get(run->cx, in.map, key));
    }
    if (in.kind != CEL_LIST)
        return fail_at(run, node, "has no elements", in);
    if (key.kind == CEL_DOUBLE && key.number >= 0 && key.number < 0x1p53 &&
        floor(key.number) == key.number)
        key = cel_int((int64_t)key.number);
    if (key.kind != CEL_INT && key.kind != CEL_UINT)
        return fail_at(run, node, "is no index of a list", key);
    if (key.natural >= cel_list_size(in.list))
        return cel_none();
    return cel_run_found(run, cel_list_at(run->cx, in.list, key.natural));
}

static struct cel_value missing(struct cel_run *run, const struct cel_node *node,
                                struct cel_value key)
{
    run->at = node->at;
    if (key.kind == CEL_STRING)
        return cel_fail(run, "no such key: \"%.*s\"", key.len > 60 ? 60 : (int)key.len, key.text);
    if (key.kind == CEL_INT)
        return cel_fail(run, "no such index or key: %lld", (long long)key.whole);
    return cel_fail(run, "no such key");
}

static struct cel_value get(struct cel_run *run, const struct cel_node *node,
                            struct cel_value target, struct cel_value key)
{
    struct opened opened = open(target);
    bool optional = opened.optional || node->optional;
    struct cel_value found;

    if (opened.empty)
        return opened.value;
    found = look_up(run, node, opened.value, key);
    if (optional)
        return wrapped(run, found);
    return found.kind == CEL_NONE ? missing(run, node, key) : found;
}

struct cel_value cel_run_select(struct cel_run *run, const struct cel_node *node)
{
    struct cel_value target = cel_run_node(run, node->args[0]);

    if (target.kind == CEL_ERROR)
        return target;
    if (target.kind != CEL_MAP && target.kind != CEL_OPTIONAL)
        return fail_at(run, node, "has no fields", target);
    return get(run, node, target, node->value);
}

/* A field of a record whose place the compiler knew; other data is looked at by name. */
struct cel_value cel_run_field(struct cel_run *run, const struct cel_node *node)
{
    struct cel_value target = cel_run_node(run, node->args[0]);

    if (target.kind == CEL_MAP && target.map->ops == &cel_record_ops &&
        target.map->shape == node->record)
        return cel_run_found(run, cel_record_field(run->cx, node->field, target.map->object));
    if (target.kind == CEL_ERROR)
        return target;
    if (target.kind != CEL_MAP)
        return fail_at(run, node, "has no fields", target);
    return get(run, node, target, node->value);
}

/* Of a record: whether the field is set, for it always is there. */
static bool is_there(struct cel_run *run, struct cel_value map, struct cel_value key)
{
    if (map.map->ops == &cel_record_ops) {
        const struct rv_record *record = map.map->shape;
        const struct rv_field *field = rv_record_field(record, key.text);

        return field && rv_field_is_set(field, map.map->object);
    }
    return cel_map_get(run->cx, map.map, key).kind != CEL_NONE;
}

struct cel_value cel_run_has(struct cel_run *run, const struct cel_node *node)
{
    struct cel_value target = cel_run_node(run, node->args[0]);
    struct opened opened;

    if (target.kind == CEL_ERROR)
        return target;
    opened = open(target);
    if (opened.empty)
        return cel_bool(false);
    if (opened.value.kind != CEL_MAP)
        return fail_at(run, node, "has no fields", opened.value);
    return cel_bool(is_there(run, opened.value, node->value));
}

struct cel_value cel_run_index(struct cel_run *run, const struct cel_node *node)
{
    struct cel_value target = cel_run_node(run, node->args[0]), key;

    if (target.kind == CEL_ERROR)
        return target;
    key = cel_run_node(run, node->args[1]);
    return key.kind == CEL_ERROR ? key : get(run, node, target, key);
}
