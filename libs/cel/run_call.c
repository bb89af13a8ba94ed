/* Evaluation: calls. */

#include <string.h>

#include "base/buf.h"
#include "cel/program.h"

enum { FEW_ARGS = 4 };

/* What the arguments weigh: 16 bytes or one element are a unit. */
static size_t weight(const struct cel_value *args, size_t n_args)
{
    size_t sum = 0;

    for (size_t i = 0; i < n_args; i++) {
        if (args[i].kind == CEL_STRING || args[i].kind == CEL_BYTES)
            sum += args[i].len / 16;
        else if (args[i].kind == CEL_LIST)
            sum += cel_list_size(args[i].list);
        else if (args[i].kind == CEL_MAP)
            sum += cel_map_size(args[i].map);
    }
    return sum;
}

static bool takes(const struct cel_candidate *candidate, const struct cel_value *args,
                  size_t n_args)
{
    for (size_t i = 0; i < n_args; i++) {
        size_t at = i < CANDIDATE_KINDS ? i : CANDIDATE_KINDS - 1;

        if (!(candidate->kinds[at] >> args[i].kind & 1))
            return false;
    }
    return true;
}

/* "no such overload: _+_(int, string)" */
static struct cel_value no_overload(struct cel_run *run, const struct cel_node *node,
                                    const struct cel_value *args, size_t n_args)
{
    struct rv_buf kinds = { .arena = run->cx->arena };

    for (size_t i = 0; i < n_args && kinds.len < 120; i++)
        rv_buf_printf(&kinds, "%s%s", i ? ", " : "", cel_kind_name(args[i].kind));
    return cel_fail(run, "no such overload: %s(%s)", node->name, kinds.data ? kinds.data : "");
}

static struct cel_value dispatch(struct cel_run *run, const struct cel_node *node,
                                 const struct cel_value *args, size_t n_args)
{
    run->at = node->at;
    for (size_t i = 0; i < node->n_candidates; i++) {
        const struct cel_function *function = node->candidates[i].function;
        struct cel_value value;

        if (!takes(&node->candidates[i], args, n_args))
            continue;
        if (function->by_size && !cel_spend(run, weight(args, n_args)))
            return cel_spent(run);
        value = function->call(run, args, n_args);
        return run->spent ? cel_spent(run) : value;
    }
    return no_overload(run, node, args, n_args);
}

struct cel_value cel_run_call(struct cel_run *run, const struct cel_node *node)
{
    struct cel_value few[FEW_ARGS], *args = few;

    if (node->n_args > FEW_ARGS)
        args = cel_room(run, node->n_args * sizeof(*args));
    if (!args)
        return cel_spent(run);
    for (size_t i = 0; i < node->n_args; i++) {
        args[i] = cel_run_node(run, node->args[i]);
        if (args[i].kind == CEL_ERROR)
            return args[i];
    }
    return dispatch(run, node, args, node->n_args);
}

/* matches() with a pattern that was compiled before. */
struct cel_value cel_run_matches(struct cel_run *run, const struct cel_node *node)
{
    struct cel_value text = cel_run_node(run, node->args[0]);

    if (text.kind == CEL_ERROR)
        return text;
    run->at = node->at;
    if (text.kind != CEL_STRING)
        return no_overload(run, node, (struct cel_value[]){ text, node->args[1]->value }, 2);
    return cel_regex_match(run, node->regex, text);
}

/* or() and orValue(): what would stand in is looked at only where nothing is there. */
struct cel_value cel_run_or_value(struct cel_run *run, const struct cel_node *node)
{
    struct cel_value args[2] = { cel_run_node(run, node->args[0]) };

    if (args[0].kind == CEL_ERROR)
        return args[0];
    if (args[0].kind == CEL_OPTIONAL && args[0].held)
        return strcmp(node->name, "or") == 0 ? args[0] : *args[0].held;
    args[1] = cel_run_node(run, node->args[1]);
    return args[1].kind == CEL_ERROR ? args[1] : dispatch(run, node, args, 2);
}
