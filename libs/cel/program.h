#pragma once

/*
 * Programs: what an expression is compiled to, and one evaluation of it.
 *
 * A program is a tree of nodes; each knows the function that gives its value. Names, functions and
 * constants are resolved before, so that a run looks nothing up but what the data holds.
 */

#include "cel/ast.h"
#include "cel/cel.h"
#include "cel/regex.h"

struct cel_node;

/* A function that the types may allow, and for each argument the kinds it takes, one bit each. */
enum { CANDIDATE_KINDS = 4 };
struct cel_candidate {
    const struct cel_function *function;
    uint32_t kinds[CANDIDATE_KINDS]; /* of further arguments: as the last */
};

struct cel_node {
    struct cel_value (*run)(struct cel_run *run, const struct cel_node *node);
    uint32_t at;   /* byte of the source to blame */
    uint32_t slot; /* of a variable, or of the first variable of a macro */
    bool constant; /* depends on nothing: may be worked out before */
    bool optional; /* .?f, [?i] */
    const struct cel_node *const *args;
    size_t n_args;
    struct cel_value value; /* a constant; the name of a field; what an error says */
    const struct cel_macro *macro;
    const struct rv_record *record; /* of a field whose place is known: */
    const struct rv_field *field;
    const struct cel_candidate *candidates;
    size_t n_candidates;
    const char *name;              /* of what is called, for words */
    const bool *optionals;         /* of a list or map: which items are ?e */
    const struct cel_regex *regex; /* of a constant pattern */
    const struct cel_message *message;
};

struct cel_program {
    struct cel_source source;
    const struct cel_expr *expr;
    const struct cel_node *root;
    const struct cel_env *env;
    const struct cel_type *type;
    uint32_t n_locals;
    int64_t cost_max;
};

struct cel_run {
    struct rv_ctx *cx;
    const struct cel_value *values;
    struct cel_value *locals;
    int64_t cost_left;
    uint32_t at; /* of the node that runs, for cel_fail */
    bool spent;  /* nothing is left: whatever is absorbed, this is not */
    struct rv_zones *zones;
    struct cel_matching *matching; /* of regex.c; NULL until something is matched */
};

/* The value of @node. Every step is paid for here. */
static inline struct cel_value cel_run_node(struct cel_run *run, const struct cel_node *node)
{
    if (--run->cost_left < 0) {
        run->at = node->at;
        return cel_spent(run);
    }
    return node->run(run, node);
}

/* @value, which was found in other data: an adapter may have put something in the arena to show it.
 */
static inline struct cel_value cel_run_found(struct cel_run *run, struct cel_value value)
{
    enum { ADAPTER_COST = 4 };

    if ((value.kind == CEL_MAP || value.kind == CEL_LIST) && !cel_spend(run, ADAPTER_COST))
        return cel_spent(run);
    return value;
}

struct cel_value cel_run_const(struct cel_run *run, const struct cel_node *node);
struct cel_value cel_run_variable(struct cel_run *run, const struct cel_node *node);
struct cel_value cel_run_local(struct cel_run *run, const struct cel_node *node);
struct cel_value cel_run_unknown(struct cel_run *run, const struct cel_node *node);
struct cel_value cel_run_and(struct cel_run *run, const struct cel_node *node);
struct cel_value cel_run_or(struct cel_run *run, const struct cel_node *node);
struct cel_value cel_run_ternary(struct cel_run *run, const struct cel_node *node);
struct cel_value cel_run_select(struct cel_run *run, const struct cel_node *node);
struct cel_value cel_run_field(struct cel_run *run, const struct cel_node *node);
struct cel_value cel_run_has(struct cel_run *run, const struct cel_node *node);
struct cel_value cel_run_index(struct cel_run *run, const struct cel_node *node);
struct cel_value cel_run_call(struct cel_run *run, const struct cel_node *node);
struct cel_value cel_run_or_value(struct cel_run *run, const struct cel_node *node);
struct cel_value cel_run_matches(struct cel_run *run, const struct cel_node *node);
struct cel_value cel_run_list(struct cel_run *run, const struct cel_node *node);
struct cel_value cel_run_map(struct cel_run *run, const struct cel_node *node);
struct cel_value cel_run_message(struct cel_run *run, const struct cel_node *node);
struct cel_value cel_run_join(struct cel_run *run, const struct cel_node *node);
struct cel_value cel_run_macro(struct cel_run *run, const struct cel_node *node);
struct cel_value cel_run_sort_by(struct cel_run *run, const struct cel_node *node);

/* A map of @pairs, paid for; the error that a key comes twice. */
struct cel_value cel_make_map(struct cel_run *run, const struct cel_node *node,
                              const struct cel_pair *pairs, size_t n_pairs);

/* The error that an operand is no bool, or the operand itself when that is an error. */
struct cel_value cel_not_bool(struct cel_run *run, const struct cel_node *node,
                              struct cel_value value);

/* What an evaluation begins with: the frame is in @cx. */
struct cel_run cel_run_begin(struct rv_ctx *cx, const struct cel_program *program,
                             const struct cel_value *values);

/* Fills in what names mean; *@n_locals is how many variables of macros live at once. */
rv_result cel_resolve(struct rv_ctx *cx, const struct cel_env *env, const struct cel_source *source,
                      struct cel_expr *expr, uint32_t *n_locals);

/* Fills in the types, and refuses what cannot have one. */
rv_result cel_check(struct rv_ctx *cx, const struct cel_env *env, const struct cel_source *source,
                    uint32_t n_locals, struct cel_expr *expr);

/* The rows called @name, ours or the host's; NULL: none. */
const struct cel_function *cel_functions_find(const struct cel_env *env, const char *name,
                                              size_t *n_functions);

/* The kinds of value that the argument at *@signature takes, one bit each; moves behind it. */
uint32_t cel_signature_kinds(const char **signature);

/* How many arguments the signature has; *@many: the last may come any number of times. */
size_t cel_signature_count(const char *signature, bool *many);
