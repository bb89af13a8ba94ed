#include "domain/budget.h"

#include <string.h>

#include "base/id.h"

RV_ENUM_DEFINE(budget_state, BUDGET_STATES)
RV_ENUM_DEFINE(hold_verdict, HOLD_VERDICTS)
RV_ENUM_DEFINE(hold_state, HOLD_STATES)
RV_ENUM_DEFINE(account, ACCOUNTS)
RV_ENUM_DEFINE(currency, CURRENCIES)

/* clang-format off */
static const struct rv_field budget_fields[] = {
    RV_UUID(budget, tenant_id, RV_SECRET | RV_READONLY),
    RV_UUID(budget, budget_id, 0),
    RV_UUID(budget, project_id, RV_UNSET),
    RV_TEXT(budget, name, RV_REQUIRED),
    RV_ENUM(budget, state, budget_state, 0),
    RV_INT(budget, limit_microusd, 0),
    RV_INT(budget, limit_tokens, 0),
    RV_INT(budget, held_microusd, RV_READONLY),
    RV_INT(budget, spent_microusd, RV_READONLY),
    RV_INT(budget, held_tokens, RV_READONLY),
    RV_INT(budget, spent_tokens, RV_READONLY),
    RV_INT(budget, rev, RV_UNSET),
    RV_INT(budget, created_at_ms, RV_READONLY),
    RV_INT(budget, updated_at_ms, RV_READONLY),
};
RV_RECORD(budget, budget_fields);

static const struct rv_field hold_ask_fields[] = {
    RV_UUID(hold_ask, tenant_id, 0),
    RV_UUID(hold_ask, hold_id, 0),
    RV_UUID(hold_ask, parent_hold_id, 0),
    RV_UUID(hold_ask, project_id, 0),
    RV_UUID(hold_ask, run_id, 0),
    RV_INT(hold_ask, task_no, 0),
    RV_INT(hold_ask, call_no, 0),
    RV_INT(hold_ask, amount_microusd, 0),
    RV_INT(hold_ask, amount_tokens, 0),
    RV_TEXT(hold_ask, provider, 0),
    RV_TEXT(hold_ask, model, 0),
    RV_INT(hold_ask, tokens_in, 0),
    RV_INT(hold_ask, tokens_out, 0),
    RV_INT(hold_ask, expires_ms, 0),
};
RV_RECORD(hold_ask, hold_ask_fields);

static const struct rv_field hold_fields[] = {
    RV_UUID(hold, tenant_id, 0),
    RV_UUID(hold, hold_id, 0),
    RV_ENUM(hold, verdict, hold_verdict, 0),
    RV_INT(hold, amount_microusd, 0),
    RV_INT(hold, amount_tokens, 0),
    RV_INT(hold, left_microusd, 0),
    RV_INT(hold, left_tokens, 0),
    RV_TEXT(hold, budget, 0),
    RV_TEXT(hold, reason, 0),
    RV_INT(hold, in_microusd_per_mtok, 0),
    RV_INT(hold, cached_microusd_per_mtok, 0),
    RV_INT(hold, out_microusd_per_mtok, 0),
};
RV_RECORD(hold, hold_fields);

static const struct rv_field settle_ask_fields[] = {
    RV_UUID(settle_ask, tenant_id, 0),
    RV_UUID(settle_ask, hold_id, 0),
    RV_BOOL(settle_ask, release, 0),
    RV_BOOL(settle_ask, unconfirmed, 0),
    RV_INT(settle_ask, tokens_in, 0),
    RV_INT(settle_ask, tokens_cached, 0),
    RV_INT(settle_ask, tokens_out, 0),
};
RV_RECORD(settle_ask, settle_ask_fields);

static const struct rv_field settled_fields[] = {
    RV_UUID(settled, tenant_id, 0),
    RV_UUID(settled, hold_id, 0),
    RV_ENUM(settled, state, hold_state, 0),
    RV_INT(settled, cost_microusd, 0),
    RV_INT(settled, tokens, 0),
};
RV_RECORD(settled, settled_fields);

static const struct rv_field hold_row_fields[] = {
    RV_UUID(hold_row, tenant_id, 0),
    RV_UUID(hold_row, hold_id, 0),
    RV_UUID(hold_row, parent_hold_id, 0),
    RV_UUID(hold_row, project_id, 0),
    RV_UUID(hold_row, run_id, 0),
    RV_INT(hold_row, task_no, 0),
    RV_INT(hold_row, call_no, 0),
    RV_ENUM(hold_row, state, hold_state, 0),
    RV_TEXTS(hold_row, budget_ids, 0),
    RV_TEXT(hold_row, provider, 0),
    RV_TEXT(hold_row, model, 0),
    RV_INT(hold_row, amount_microusd, 0),
    RV_INT(hold_row, amount_tokens, 0),
    RV_INT(hold_row, used_microusd, 0),
    RV_INT(hold_row, used_tokens, 0),
    RV_INT(hold_row, drawn_microusd, 0),
    RV_INT(hold_row, drawn_tokens, 0),
    RV_BOOL(hold_row, unconfirmed, 0),
    RV_BOOL(hold_row, fresh, 0),
    RV_INT(hold_row, expires_at_ms, 0),
    RV_INT(hold_row, created_at_ms, 0),
    RV_INT(hold_row, closed_at_ms, 0),
};
RV_RECORD(hold_row, hold_row_fields);

static const struct rv_field ledger_entry_fields[] = {
    RV_UUID(ledger_entry, tenant_id, 0),
    RV_UUID(ledger_entry, budget_id, 0),
    RV_UUID(ledger_entry, hold_id, 0),
    RV_ENUM(ledger_entry, currency, currency, 0),
    RV_ENUM(ledger_entry, from_account, account, 0),
    RV_ENUM(ledger_entry, to_account, account, 0),
    RV_INT(ledger_entry, amount, 0),
    RV_INT(ledger_entry, booked_at_ms, 0),
};
RV_RECORD(ledger_entry, ledger_entry_fields);

static const struct rv_field price_fields[] = {
    RV_TEXT(price, provider, 0),
    RV_TEXT(price, model, 0),
    RV_INT(price, in_microusd_per_mtok, 0),
    RV_INT(price, cached_microusd_per_mtok, 0),
    RV_INT(price, out_microusd_per_mtok, 0),
};
RV_RECORD(price, price_fields);
/* clang-format on */

static bool same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static int64_t left(int64_t limit, int64_t held, int64_t spent)
{
    if (!limit)
        return -1;
    return limit - held > spent ? limit - held - spent : 0;
}

int64_t budget_left_microusd(const struct budget *budget)
{
    return left(budget->limit_microusd, budget->held_microusd, budget->spent_microusd);
}

int64_t budget_left_tokens(const struct budget *budget)
{
    return left(budget->limit_tokens, budget->held_tokens, budget->spent_tokens);
}

static bool is_amount(int64_t amount)
{
    return amount >= 0 && amount <= BUDGET_AMOUNT_MAX;
}

static bool is_id(const char *text)
{
    return text && rv_id_is(text);
}

static bool too_long(const char *text)
{
    return text && strlen(text) > BUDGET_NAME_MAX;
}

const char *hold_ask_wrong(const struct hold_ask *ask)
{
    if (!is_id(ask->tenant_id) || !is_id(ask->hold_id) || !is_id(ask->project_id) ||
        !is_id(ask->run_id))
        return "tenant_id, hold_id, project_id and run_id are not all UUIDs";
    if (ask->parent_hold_id && !is_id(ask->parent_hold_id))
        return "parent_hold_id is not a UUID";
    if (!is_amount(ask->amount_microusd) || !is_amount(ask->amount_tokens) ||
        !is_amount(ask->tokens_in) || !is_amount(ask->tokens_out))
        return "an amount is below 0 or above 1,000,000,000,000,000";
    if (ask->task_no < 0 || ask->call_no < 0)
        return "task_no or call_no is below 0";
    if (too_long(ask->provider) || too_long(ask->model))
        return "provider or model is longer than 200 bytes";
    if (ask->expires_ms < 0 || ask->expires_ms > HOLD_EXPIRES_MAX_MS)
        return "expires_ms is not within 30 days";
    return NULL;
}

const char *settle_ask_wrong(const struct settle_ask *ask)
{
    if (!is_id(ask->tenant_id) || !is_id(ask->hold_id))
        return "tenant_id and hold_id are not both UUIDs";
    if (!is_amount(ask->tokens_in) || !is_amount(ask->tokens_cached) || !is_amount(ask->tokens_out))
        return "a count of tokens is below 0 or above 1,000,000,000,000,000";
    return NULL;
}

bool budget_covers(const struct budget *budget, const struct hold_ask *ask)
{
    return same(budget->tenant_id, ask->tenant_id) &&
           (!budget->project_id || same(budget->project_id, ask->project_id));
}

/* An account without a limit still has to be a number. */
static bool fits(int64_t left, int64_t held, int64_t spent, int64_t amount)
{
    if (left >= 0)
        return amount <= left;
    return held <= INT64_MAX / 4 && spent <= INT64_MAX / 4 && amount <= INT64_MAX / 4;
}

enum hold_verdict budget_decide(const struct budget *budget, int64_t microusd, int64_t tokens)
{
    if (!is_amount(microusd) || !is_amount(tokens))
        return HOLD_INVALID;
    if (budget->state != BUDGET_ACTIVE)
        return HOLD_CLOSED;
    if (!fits(budget_left_microusd(budget), budget->held_microusd, budget->spent_microusd,
              microusd) ||
        !fits(budget_left_tokens(budget), budget->held_tokens, budget->spent_tokens, tokens))
        return HOLD_OVER_LIMIT;
    return HOLD_GRANTED;
}

bool hold_counts_tokens(const struct hold_row *parent)
{
    return parent->amount_tokens > 0;
}

enum hold_verdict hold_decide(const struct hold_row *parent, int64_t microusd, int64_t tokens)
{
    if (!is_amount(microusd) || !is_amount(tokens))
        return HOLD_INVALID;
    if (parent->state != HOLD_HELD)
        return HOLD_GONE;
    if (microusd > parent->amount_microusd - parent->used_microusd - parent->drawn_microusd)
        return HOLD_OVER_LIMIT;
    if (hold_counts_tokens(parent) &&
        tokens > parent->amount_tokens - parent->used_tokens - parent->drawn_tokens)
        return HOLD_OVER_LIMIT;
    return HOLD_GRANTED;
}

/* Micro-dollars for @tokens, in units of 1/1,000,000 so that nothing is rounded before the sum. */
static __int128 part(int64_t microusd_per_mtok, int64_t tokens)
{
    return tokens > 0 ? (__int128)microusd_per_mtok * tokens : 0;
}

int64_t price_cost(const struct price *price, int64_t tokens_in, int64_t tokens_cached,
                   int64_t tokens_out)
{
    int64_t cached = tokens_cached > 0 ? tokens_cached : 0;
    int64_t fresh = tokens_in > cached ? tokens_in - cached : 0;
    __int128 sum = part(price->in_microusd_per_mtok, fresh) +
                   part(price->cached_microusd_per_mtok, cached) +
                   part(price->out_microusd_per_mtok, tokens_out);
    __int128 cost = (sum + 999999) / 1000000;

    return cost > INT64_MAX ? INT64_MAX : (int64_t)cost;
}

/* The lesser of the two; notes when that is not @seen. */
static int64_t capped(int64_t seen, int64_t most, bool *cut)
{
    *cut = *cut || seen > most;
    return seen > most ? most : seen;
}

struct call_use call_used(const struct hold_row *call, const struct price *price,
                          const struct settle_ask *ask)
{
    struct call_use use = { 0 };

    if (ask->release)
        return use;
    if (ask->unconfirmed)
        return (struct call_use){ call->amount_microusd, call->amount_tokens, true, false };
    use.microusd = capped(price_cost(price, ask->tokens_in, ask->tokens_cached, ask->tokens_out),
                          call->amount_microusd, &use.capped);
    use.tokens = capped(ask->tokens_in + ask->tokens_out, call->amount_tokens, &use.capped);
    use.unconfirmed = use.capped;
    return use;
}

/* How well a row fits: exactly, as any model of the provider, as any model at all; 0: not. */
static int price_rank(const struct price *price, const char *provider, const char *model)
{
    if (same(price->provider, provider))
        return same(price->model, model) ? 3 : same(price->model, "*") ? 2 : 0;
    return same(price->provider, "*") && same(price->model, "*") ? 1 : 0;
}

const struct price *price_find(const struct price *prices, size_t n, const char *provider,
                               const char *model)
{
    const struct price *best = NULL;
    int best_rank = 0;

    for (size_t i = 0; i < n; i++) {
        int rank = price_rank(&prices[i], provider, model);

        if (rank > best_rank) {
            best = &prices[i];
            best_rank = rank;
        }
    }
    return best;
}
