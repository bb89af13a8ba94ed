/* Extension lists, and the + of lists. */

#include "cel/functions.h"

/* Room for @n elements; NULL when too little is left. */
static struct cel_value *elements(struct cel_run *run, size_t n)
{
    size_t size;

    return __builtin_mul_overflow(n + 1, sizeof(struct cel_value), &size) ? NULL
                                                                          : cel_room(run, size);
}

static void copy(struct cel_run *run, const struct cel_list *list, size_t from, size_t n,
                 struct cel_value *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = cel_list_at(run->cx, list, from + i);
}

CEL_FUNCTION(cel_list_add)
{
    size_t left = cel_list_size(args[0].list), right = cel_list_size(args[1].list);
    struct cel_value *items = elements(run, left + right);

    if (!items)
        return cel_spent(run);
    copy(run, args[0].list, 0, left, items);
    copy(run, args[1].list, 0, right, items + left);
    return cel_list_of(run->cx, items, left + right);
}

CEL_FUNCTION(cel_list_reverse)
{
    size_t size = cel_list_size(args[0].list);
    struct cel_value *items = elements(run, size);

    for (size_t i = 0; items && i < size; i++)
        items[i] = cel_list_at(run->cx, args[0].list, size - 1 - i);
    return items ? cel_list_of(run->cx, items, size) : cel_spent(run);
}

static CEL_FUNCTION(slice)
{
    int64_t size = (int64_t)cel_list_size(args[0].list), from = args[1].whole, to = args[2].whole;
    struct cel_value *items;

    if (from < 0 || to < from || to > size)
        return cel_fail(run, "slice(%lld, %lld) is outside of a list of %lld", (long long)from,
                        (long long)to, (long long)size);
    items = elements(run, (size_t)(to - from));
    if (!items)
        return cel_spent(run);
    copy(run, args[0].list, (size_t)from, (size_t)(to - from), items);
    return cel_list_of(run->cx, items, (size_t)(to - from));
}

/* How many elements flattening gives; or, with @to, puts them there. */
static size_t flat(struct cel_run *run, const struct cel_list *list, int64_t depth,
                   struct cel_value *to)
{
    size_t size = cel_list_size(list), n = 0;

    for (size_t i = 0; i < size && cel_spend(run, 1); i++) {
        struct cel_value item = cel_list_at(run->cx, list, i);

        if (item.kind == CEL_LIST && depth > 0) {
            n += flat(run, item.list, depth - 1, to ? to + n : NULL);
            continue;
        }
        if (to)
            to[n] = item;
        n++;
    }
    return n;
}

static CEL_FUNCTION(flatten)
{
    int64_t depth = n_args == 2 ? args[1].whole : 1;
    struct cel_value *items;
    size_t n;

    if (depth < 0)
        return cel_fail(run, "flatten() wants a depth of at least 0");
    n = flat(run, args[0].list, depth, NULL);
    items = elements(run, n);
    if (!items)
        return cel_spent(run);
    flat(run, args[0].list, depth, items);
    return cel_list_of(run->cx, items, n);
}

static CEL_FUNCTION(range)
{
    size_t n = args[0].whole > 0 ? (size_t)args[0].whole : 0;
    struct cel_value *items = elements(run, n);

    for (size_t i = 0; items && i < n; i++)
        items[i] = cel_int((int64_t)i);
    return items ? cel_list_of(run->cx, items, n) : cel_spent(run);
}

static CEL_FUNCTION(distinct)
{
    size_t size = cel_list_size(args[0].list), n = 0;
    struct cel_value *items = elements(run, size);

    for (size_t i = 0; items && i < size; i++) {
        struct cel_value item = cel_list_at(run->cx, args[0].list, i);
        size_t at = 0;

        while (at < n && !run->spent && !cel_equal(run, items[at], item))
            at++;
        if (at == n)
            items[n++] = item;
    }
    return items ? cel_list_of(run->cx, items, n) : cel_spent(run);
}

static struct cel_value end_of(struct cel_run *run, const struct cel_list *list, bool last)
{
    size_t size = cel_list_size(list);
    struct cel_value item = cel_none();

    if (size > 0)
        item = cel_list_at(run->cx, list, last ? size - 1 : 0);
    return cel_spend(run, 1) ? cel_optional(run->cx, item) : cel_spent(run);
}

static CEL_FUNCTION(first)
{
    return end_of(run, args[0].list, false);
}

static CEL_FUNCTION(last)
{
    return end_of(run, args[0].list, true);
}

void cel_sort_pairs(struct cel_pair *pairs, struct cel_pair *spare, size_t n)
{
    size_t half = n / 2, left = 0, right = half;

    if (n < 2)
        return;
    cel_sort_pairs(pairs, spare, half);
    cel_sort_pairs(pairs + half, spare, n - half);
    memcpy(spare, pairs, half * sizeof(*pairs));
    for (size_t i = 0; left < half; i++) {
        bool take_right = right < n && cel_compare(pairs[right].key, spare[left].key) < 0;

        pairs[i] = take_right ? pairs[right++] : spare[left++];
    }
}

/* Keys that can be put in order: all of one kind. NaN stands where it stands. */
static bool sortable(const struct cel_pair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (pairs[i].key.kind != pairs[0].key.kind ||
            (pairs[i].key.kind != CEL_DOUBLE && cel_compare(pairs[i].key, pairs[i].key) != 0))
            return false;
    return true;
}

/* What comparing each once costs. */
static size_t keys_weight(const struct cel_pair *pairs, size_t n)
{
    size_t weight = n;

    for (size_t i = 0; i < n; i++)
        if (pairs[i].key.kind == CEL_STRING || pairs[i].key.kind == CEL_BYTES)
            weight += pairs[i].key.len / 16;
    return weight;
}

static struct cel_value sorted(struct cel_run *run, struct cel_pair *pairs, size_t n)
{
    struct cel_pair *spare;
    struct cel_value *items;
    size_t weight = keys_weight(pairs, n);

    if (!sortable(pairs, n))
        return cel_fail(run, "the elements have no order");
    for (size_t left = n; left > 0; left /= 2)
        if (!cel_spend(run, weight))
            return cel_spent(run);
    spare = cel_room(run, (n + 1) * sizeof(*spare));
    items = elements(run, n);
    if (!spare || !items)
        return cel_spent(run);
    cel_sort_pairs(pairs, spare, n);
    for (size_t i = 0; i < n; i++)
        items[i] = pairs[i].value;
    return cel_list_of(run->cx, items, n);
}

static CEL_FUNCTION(sort)
{
    size_t size = cel_list_size(args[0].list);
    struct cel_pair *pairs = cel_room(run, (size + 1) * sizeof(*pairs));

    if (!pairs)
        return cel_spent(run);
    for (size_t i = 0; i < size; i++)
        pairs[i].key = pairs[i].value = cel_list_at(run->cx, args[0].list, i);
    return sorted(run, pairs, size);
}

struct cel_value cel_run_sort_by(struct cel_run *run, const struct cel_node *node)
{
    struct cel_value list = cel_run_node(run, node->args[0]);
    struct cel_pair *pairs;
    size_t size;

    run->at = node->at;
    if (list.kind == CEL_ERROR)
        return list;
    if (list.kind != CEL_LIST)
        return cel_fail(run, "sortBy() wants a list, not %s", cel_kind_name(list.kind));
    size = cel_list_size(list.list);
    pairs = cel_room(run, (size + 1) * sizeof(*pairs));
    for (size_t i = 0; pairs && i < size; i++) {
        run->locals[node->slot] = pairs[i].value = cel_list_at(run->cx, list.list, i);
        pairs[i].key = cel_run_node(run, node->args[1]);
        if (pairs[i].key.kind == CEL_ERROR)
            return pairs[i].key;
    }
    run->at = node->at;
    return pairs ? sorted(run, pairs, size) : cel_spent(run);
}

/* clang-format off */
const struct cel_function cel_fn_lists[] = {
    { "slice",       CEL_METHOD, "LAii:LA", slice,    false },
    { "flatten",     CEL_METHOD, "L*:L*",   flatten,  false },
    { "flatten",     CEL_METHOD, "L*i:L*",  flatten,  false },
    { "lists.range", CEL_CALL,   "i:Li",    range,    false },
    { "distinct",    CEL_METHOD, "LA:LA",   distinct, false },
    { "sort",        CEL_METHOD, "LA:LA",   sort,     false },
    { "first",       CEL_METHOD, "LA:OA",   first,    false },
    { "last",        CEL_METHOD, "LA:OA",   last,     false },
    { 0 },
};
/* clang-format on */
