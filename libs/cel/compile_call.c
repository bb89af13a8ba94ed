/* The part of the compiler that knows calls: which function it may be, and what needs no calling.
 */

#include <string.h>

#include "cel/compile.h"
#include "cel/time_text.h"

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

static void choose(struct rv_ctx *cx, const struct cel_expr *expr, struct cel_node *node)
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

/* Calls that do not simply work out all their arguments. */
static const struct {
    const char *name;
    struct cel_value (*run)(struct cel_run *run, const struct cel_node *node);
    bool method;
} runs[] = {
    { "_?_:_", cel_run_ternary, false },   { "_&&_", cel_run_and, false },
    { "_||_", cel_run_or, false },         { "_[_]", cel_run_index, false },
    { "_[?_]", cel_run_index, false },     { "or", cel_run_or_value, true },
    { "orValue", cel_run_or_value, true },
};

static void set_run(struct cel_node *node, bool method)
{
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
        if (strcmp(runs[i].name, node->name) == 0 && runs[i].method == method &&
            (!method || node->n_args == 2))
            node->run = runs[i].run;
}

/* Remembers the first constant that can only fail, for who wants to know. */
static void note_wrong(struct lowering *lowering, const struct cel_node *node, const char *why)
{
    if (lowering->wrong)
        return;
    lowering->wrong = why;
    lowering->wrong_at = node->at;
}

/* Once the patterns take too much the program will be refused, so nothing more is done for it. */
static void add_pattern(struct lowering *lowering, const struct cel_node *pattern, size_t bytes)
{
    lowering->pattern_bytes += bytes;
    lowering->pattern_at = pattern->at;
    if (lowering->pattern_bytes > CEL_PATTERNS_MAX)
        lowering->fold_left = 0;
}

/* A constant pattern is compiled here; one that is wrong fails when it runs. */
static void prepare_regex(struct lowering *lowering, struct cel_node *node)
{
    const struct cel_node *pattern = node->n_args == 2 ? node->args[1] : NULL;
    const char *why;
    size_t bytes;

    if (strcmp(node->name, "matches") != 0 || !pattern || pattern->run != cel_run_const ||
        pattern->value.kind != CEL_STRING || lowering->pattern_bytes > CEL_PATTERNS_MAX)
        return;
    node->regex =
        cel_regex_compile(lowering->cx, pattern->value.text, pattern->value.len, &bytes, &why);
    add_pattern(lowering, pattern, bytes);
    if (node->regex)
        node->run = cel_run_matches;
    else
        note_wrong(lowering, pattern, why);
}

static void look_at_time(struct lowering *lowering, const struct cel_node *node)
{
    bool timestamp = strcmp(node->name, "timestamp") == 0;
    struct cel_value value, text;

    if (node->n_args != 1 || node->args[0]->run != cel_run_const ||
        (!timestamp && strcmp(node->name, "duration") != 0))
        return;
    text = node->args[0]->value;
    if (text.kind == CEL_STRING && timestamp && !cel_timestamp_read(text.text, text.len, &value))
        note_wrong(lowering, node->args[0], "this is no timestamp");
    if (text.kind == CEL_STRING && !timestamp && !cel_duration_read(text.text, text.len, &value))
        note_wrong(lowering, node->args[0], "this is no duration");
}

/* What a constant operand decides, whatever the others are; @node itself: nothing. */
static const struct cel_node *decided(const struct cel_node *node)
{
    const struct cel_node *const *args = node->args;
    bool ternary = node->run == cel_run_ternary, decides = node->run == cel_run_or;
    size_t n_looked_at = ternary ? 1 : node->n_args;

    if (!ternary && !decides && node->run != cel_run_and)
        return node;
    for (size_t i = 0; i < n_looked_at; i++) {
        if (args[i]->run != cel_run_const || args[i]->value.kind != CEL_BOOL)
            continue;
        if (ternary)
            return args[args[i]->value.truth ? 1 : 2];
        if (args[i]->value.truth == decides)
            return args[i];
    }
    return node;
}

const struct cel_node *cel_lower_call(struct lowering *lowering, const struct cel_expr *expr)
{
    bool method = expr->target && expr->ref != REF_FUNCTION;
    const struct cel_node **args =
        cel_lower_all(lowering, method ? expr->target : NULL, expr->args, expr->n_args);
    struct cel_node *node = cel_node_of(lowering, expr, cel_run_call, args, expr->n_args + method);

    if (!expr->functions && !expr->op)
        return cel_unknown(lowering, expr, "function");
    node->name = expr->functions ? expr->functions->name : expr->name;
    node->optional = expr->op == &cel_index_optional;
    choose(lowering->cx, expr, node);
    set_run(node, method);
    prepare_regex(lowering, node);
    look_at_time(lowering, node);
    return cel_fold(lowering, lowering->env->unfolded ? node : decided(node));
}
