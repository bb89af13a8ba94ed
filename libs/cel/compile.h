#pragma once

/* What the files of the compiler share. */

#include "cel/program.h"

struct lowering {
    struct rv_ctx *cx;
    const struct cel_env *env;
    int64_t fold_left; /* of CEL_FOLD_COST_MAX */
};

/* Fills in which functions @node may call: those that the number of arguments, the style and,
 * once checked, the types allow. */
void cel_candidates(struct rv_ctx *cx, const struct cel_expr *expr, struct cel_node *node);

/* The node that says what @node always says, if that can be worked out now. */
const struct cel_node *cel_fold(struct lowering *lowering, const struct cel_node *node);
