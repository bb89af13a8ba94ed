/* The parts of the compiler that choose functions and work out constants. */

#include "cel/compile.h"

static bool allowed(const struct cel_expr *expr, size_t row, size_t n_args)
{
    const struct cel_function *function = &expr->functions[row];
    bool method = expr->target && expr->ref != REF_FUNCTION, many;
    size_t count = cel_signature_count(function->signature, &many);

    if (!(function->style & (method ? CEL_METHOD : CEL_CALL)))
        return false;
    if (many ? n_args < count : n_args != count)
        return false;
    return !expr->type || row >= 64 || (expr->fits >> row & 1);
}

static struct cel_candidate candidate(const struct cel_function *function)
{
    const char *signature = function->signature;
    struct cel_candidate candidate = { .function = function };
    uint32_t kinds = UINT32_MAX;

    for (size_t i = 0; i < CANDIDATE_KINDS; i++) {
        if (*signature != ':' && *signature != '~')
            kinds = cel_signature_kinds(&signature);
        candidate.kinds[i] = kinds;
    }
    return candidate;
}

void cel_candidates(struct rv_ctx *cx, const struct cel_expr *expr, struct cel_node *node)
{
    struct cel_candidate *candidates;
    size_t n = 0;

    for (size_t i = 0; i < expr->n_functions; i++)
        n += allowed(expr, i, node->n_args);
    candidates = rv_new_array(cx, struct cel_candidate, n + 1);
    n = 0;
    for (size_t i = 0; i < expr->n_functions; i++)
        if (allowed(expr, i, node->n_args))
            candidates[n++] = candidate(&expr->functions[i]);
    node->candidates = candidates;
    node->n_candidates = n;
}

/* What costs much, or fails, is left for the evaluation. */
const struct cel_node *cel_fold(struct lowering *lowering, const struct cel_node *node)
{
    int64_t most = lowering->fold_left / 10;
    struct cel_run run = { .cx = lowering->cx, .cost_left = most };
    struct cel_node *folded;
    struct cel_value value;

    if (node->run == cel_run_const || most == 0)
        return node;
    value = cel_run_node(&run, node);
    lowering->fold_left -= most - (run.cost_left < 0 ? 0 : run.cost_left);
    if (value.kind == CEL_ERROR || run.spent)
        return node;
    folded = rv_new(lowering->cx, struct cel_node);
    *folded =
        (struct cel_node){ .run = cel_run_const, .at = node->at, .constant = true, .value = value };
    return folded;
}
