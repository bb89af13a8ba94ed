/* The decisions of a batch of holds, over what it has locked. */

#include "base/text.h"
#include "holding.h"

static bool is_tighter(int64_t left, int64_t than)
{
    return left >= 0 && (than < 0 || left < than);
}

/* Notes what is left of @budget when it is less than what was seen so far. */
static void note_left(struct hold *answer, const struct budget *budget)
{
    int64_t microusd = budget_left_microusd(budget), tokens = budget_left_tokens(budget);

    if (is_tighter(microusd, answer->left_microusd)) {
        answer->left_microusd = microusd;
        answer->budget = budget->name;
    }
    if (is_tighter(tokens, answer->left_tokens)) {
        answer->left_tokens = tokens;
        if (!answer->budget)
            answer->budget = budget->name;
    }
}

static const char *over_limit_words(struct rv_ctx *cx, const struct budget *budget,
                                    int64_t microusd, int64_t tokens)
{
    int64_t left = budget_left_microusd(budget);

    if (left >= 0 && microusd > left)
        return rv_printf(cx, "budget %s has %s left, and %s is asked for", budget->name,
                         rv_text_show_usd(cx, left), rv_text_show_usd(cx, microusd));
    return rv_printf(cx, "budget %s has %lld tokens left, and %lld are asked for", budget->name,
                     (long long)budget_left_tokens(budget), (long long)tokens);
}

/* One budget's no is everybody's; the answer then tells of that one only. */
static void refuse(struct rv_ctx *cx, struct hold *answer, const struct budget *budget,
                   enum hold_verdict verdict, const struct booking *want)
{
    answer->verdict = verdict;
    answer->budget = budget->name;
    answer->left_microusd = budget_left_microusd(budget);
    answer->left_tokens = budget_left_tokens(budget);
    answer->reason = verdict == HOLD_CLOSED
                         ? rv_printf(cx, "budget %s is closed", budget->name)
                         : over_limit_words(cx, budget, want->amount_microusd, want->amount_tokens);
}

/*
 * A run that names no limit of tokens holds some where a budget counts them, or its calls could
 * pass that budget by.
 */
static int64_t tokens_wanted(const struct holding *holding, const struct hold_ask *ask)
{
    const struct budget *budgets = holding->budgets.items;
    int64_t tokens = -1;

    if (ask->amount_tokens || !ask->amount_microusd)
        return ask->amount_tokens;
    for (size_t i = 0; i < holding->budgets.n; i++)
        if (budget_covers(&budgets[i], ask) && is_tighter(budget_left_tokens(&budgets[i]), tokens))
            tokens = budget_left_tokens(&budgets[i]);
    if (tokens < 0)
        return 0;
    return tokens > 0 && tokens < holding->service->config.run_tokens
               ? tokens
               : holding->service->config.run_tokens;
}

void decide_run(struct rv_ctx *cx, struct holding *holding, const struct hold_ask *ask,
                struct booking *want, struct hold *answer)
{
    struct budget *budgets = holding->budgets.items;
    struct budget **mine = rv_new_array(cx, struct budget *, holding->budgets.n + 1);
    size_t n = 0;

    want->amount_microusd = ask->amount_microusd;
    want->amount_tokens = tokens_wanted(holding, ask);
    answer->verdict = HOLD_GRANTED;
    for (size_t i = 0; i < holding->budgets.n && want->amount_microusd + want->amount_tokens; i++)
        if (budget_covers(&budgets[i], ask)) {
            enum hold_verdict verdict =
                budget_decide(&budgets[i], want->amount_microusd, want->amount_tokens);

            if (verdict != HOLD_GRANTED) {
                refuse(cx, answer, &budgets[i], verdict, want);
                return;
            }
            mine[n++] = &budgets[i];
        }
    want->budget_ids = rv_new_array(cx, const char *, n + 1);
    want->n_budget_ids = n;
    for (size_t i = 0; i < n; i++) {
        mine[i]->held_microusd += want->amount_microusd;
        mine[i]->held_tokens += want->amount_tokens;
        note_left(answer, mine[i]);
        want->budget_ids[i] = mine[i]->budget_id;
    }
}

/* The most a call can cost. False: nobody knows its price. */
static bool price_call(struct holding *holding, const struct hold_ask *ask, struct booking *want)
{
    struct price price;

    want->amount_microusd = ask->amount_microusd;
    want->amount_tokens = ask->amount_tokens;
    if (!ask->model)
        return true;
    if (!prices_find(&holding->service->prices, ask->provider, ask->model, &price))
        return false;
    want->amount_microusd = price_cost(&price, ask->tokens_in, 0, ask->tokens_out);
    want->amount_tokens = ask->tokens_in + ask->tokens_out;
    return true;
}

static const char *gone_words(const struct hold_row *parent)
{
    return parent ? "the hold of the run is closed" : "there is no such hold of the run";
}

static void draw(struct hold_row *parent, struct booking *want)
{
    want->budget_ids = parent->budget_ids;
    want->n_budget_ids = parent->n_budget_ids;
    parent->drawn_microusd += want->amount_microusd;
    if (hold_counts_tokens(parent))
        parent->drawn_tokens += want->amount_tokens;
}

void decide_call(struct rv_ctx *cx, struct holding *holding, const struct hold_ask *ask,
                 struct booking *want, struct hold *answer)
{
    struct hold_row *parent = hold_index_get(holding->parent, ask->tenant_id, ask->parent_hold_id);

    if (!parent || parent->parent_hold_id || !rv_text_same(parent->run_id, ask->run_id)) {
        answer->verdict = parent ? HOLD_INVALID : HOLD_GONE;
        answer->reason = parent ? "parent_hold_id is not the hold of this run" : gone_words(NULL);
        return;
    }
    if (!price_call(holding, ask, want)) {
        answer->verdict = HOLD_INVALID;
        answer->reason = rv_printf(cx, "there is no price for %s", ask->model);
        return;
    }
    answer->verdict = hold_decide(parent, want->amount_microusd, want->amount_tokens);
    if (answer->verdict == HOLD_GRANTED)
        draw(parent, want);
    answer->left_microusd =
        parent->amount_microusd - parent->used_microusd - parent->drawn_microusd;
    if (hold_counts_tokens(parent))
        answer->left_tokens = parent->amount_tokens - parent->used_tokens - parent->drawn_tokens;
    if (answer->verdict == HOLD_OVER_LIMIT || answer->verdict == HOLD_INVALID)
        answer->reason = rv_printf(
            cx, "the run has %s left of what it holds, and this call may cost %s and %lld tokens",
            rv_text_show_usd(cx, answer->left_microusd),
            rv_text_show_usd(cx, want->amount_microusd), (long long)want->amount_tokens);
    else if (answer->verdict == HOLD_GONE)
        answer->reason = gone_words(parent);
}
