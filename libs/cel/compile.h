#pragma once

/* What the files of the compiler share. */

#include "cel/program.h"

struct lowering {
    struct rv_ctx *cx;
    const struct cel_env *env;
    const char *wrong; /* why a constant can only fail; NULL: none is known to */
    uint32_t wrong_at;
    size_t pattern_bytes; /* what the patterns took so far; the last of them is at: */
    uint32_t pattern_at;
    int64_t fold_left, fold_each; /* what all constant parts may cost, and what one may */
};

/* The node that evaluates @expr. */
const struct cel_node *cel_lower(struct lowering *lowering, const struct cel_expr *expr);
const struct cel_node *cel_lower_call(struct lowering *lowering, const struct cel_expr *expr);

/* The nodes of @first, if it is not NULL, and of @exprs. */
const struct cel_node **cel_lower_all(struct lowering *lowering, const struct cel_expr *first,
                                      struct cel_expr *const *exprs, size_t n_exprs);

/* A new node; constant when all @args are. */
struct cel_node *cel_node_of(struct lowering *lowering, const struct cel_expr *expr,
                             struct cel_value (*run)(struct cel_run *, const struct cel_node *),
                             const struct cel_node *const *args, size_t n_args);

/* The node that fails: there is no @what of the name. */
const struct cel_node *cel_unknown(struct lowering *lowering, const struct cel_expr *expr,
                                   const char *what);

/* The node that says what @node always says, if that can be worked out now; else @node. */
const struct cel_node *cel_fold(struct lowering *lowering, const struct cel_node *node);
