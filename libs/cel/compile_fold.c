/* The part of the compiler that works out constants. */

#include "cel/compile.h"

/* What costs much, or fails, is left for the evaluation. */
const struct cel_node *cel_fold(struct lowering *lowering, const struct cel_node *node)
{
    int64_t most =
        lowering->fold_each < lowering->fold_left ? lowering->fold_each : lowering->fold_left;
    struct cel_run run = { .cx = lowering->cx, .cost_left = most };
    struct cel_node *folded;
    struct cel_value value;

    if (!node->constant || node->run == cel_run_const || lowering->env->unfolded || most <= 0)
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
