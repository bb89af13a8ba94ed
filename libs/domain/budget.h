#pragma once

/*
 * Budgets: how much a project may spend, and whether the next call may spend some. A hold is money
 * set aside before anything is spent; settling it books what was really used and frees the rest.
 * Three accounts per budget and currency: available → held → spent; every movement is one ledger
 * entry from one account to another, so the sum never changes.
 *
 * Pure: no I/O, no clock. Money is in micro-dollars (1 USD = 1,000,000), tokens are counted.
 */

#include "base/record.h"

#define BUDGET_STATES(X)                                                                           \
    X(BUDGET_ACTIVE, 1, "active")                                                                  \
    X(BUDGET_CLOSED, 2, "closed")
RV_ENUM_DECLARE(budget_state, BUDGET_STATES)

#define HOLD_VERDICTS(X)                                                                           \
    X(HOLD_GRANTED, 1, "granted")                                                                  \
    X(HOLD_OVER_LIMIT, 2, "over_limit")                                                            \
    X(HOLD_CLOSED, 3, "closed")                                                                    \
    X(HOLD_GONE, 4, "gone")                                                                        \
    X(HOLD_INVALID, 5, "invalid")
RV_ENUM_DECLARE(hold_verdict, HOLD_VERDICTS)

#define HOLD_STATES(X)                                                                             \
    X(HOLD_HELD, 1, "held")                                                                        \
    X(HOLD_COMMITTED, 2, "committed")                                                              \
    X(HOLD_RELEASED, 3, "released")                                                                \
    X(HOLD_EXPIRED, 4, "expired")                                                                  \
    X(HOLD_REFUSED, 5, "refused")
RV_ENUM_DECLARE(hold_state, HOLD_STATES)

#define ACCOUNTS(X)                                                                                \
    X(ACCOUNT_AVAILABLE, 1, "available")                                                           \
    X(ACCOUNT_HELD, 2, "held")                                                                     \
    X(ACCOUNT_SPENT, 3, "spent")
RV_ENUM_DECLARE(account, ACCOUNTS)

#define CURRENCIES(X)                                                                              \
    X(CURRENCY_USD, 1, "usd")                                                                      \
    X(CURRENCY_TOKENS, 2, "tokens")
RV_ENUM_DECLARE(currency, CURRENCIES)

struct budget {
    const char *tenant_id, *budget_id;
    const char *project_id; /* NULL: every project of the tenant */
    const char *name;
    enum budget_state state;
    int64_t limit_microusd, limit_tokens; /* 0: no limit of this currency */
    int64_t held_microusd, spent_microusd;
    int64_t held_tokens, spent_tokens;
    int64_t rev;
    int64_t created_at_ms, updated_at_ms;
};

/*
 * Asks for money before it is spent. A run's hold names its amounts; a call's hold is drawn from
 * its run's hold (parent_hold_id) and names the model and the most tokens it can use: the price
 * table says what that costs at most. The same hold_id twice is granted once.
 */
struct hold_ask {
    const char *tenant_id, *hold_id, *parent_hold_id, *project_id, *run_id;
    int64_t task_no, call_no;
    int64_t amount_microusd, amount_tokens;
    const char *provider, *model;
    int64_t tokens_in, tokens_out; /* at most */
    int64_t expires_ms;            /* from now; 0: the service's default */
};

struct hold {
    const char *tenant_id, *hold_id;
    enum hold_verdict verdict;
    int64_t amount_microusd, amount_tokens;
    int64_t left_microusd, left_tokens; /* after this; of the tightest budget; -1: no limit */
    const char *budget;                 /* the name of the budget that refuses, or the tightest */
    const char *reason;
    /* Of a call to a model: its price, so that the caller knows what it cost before it settles. */
    int64_t in_microusd_per_mtok, cached_microusd_per_mtok, out_microusd_per_mtok;
};

/*
 * Closes a hold. Of a call: what was used, in tokens; the price table says the cost. Of a run: the
 * rest is freed, and open calls are booked in full; but as long as a run that did not complete has
 * calls that may still be made, it stays open. Twice is once. @unconfirmed: nobody knows what
 * was used, so all of it is booked; with @release, of a run: it was never settled, so it expires.
 */
struct settle_ask {
    const char *tenant_id, *hold_id;
    bool release; /* nothing was used */
    bool unconfirmed;
    int64_t tokens_in, tokens_cached, tokens_out;
};
struct settled {
    const char *tenant_id, *hold_id;
    enum hold_state state;
    int64_t cost_microusd, tokens;
};

/* A hold as it is kept. */
struct hold_row {
    const char *tenant_id, *hold_id, *parent_hold_id, *project_id, *run_id;
    int64_t task_no, call_no;
    enum hold_state state;
    const char **budget_ids;
    size_t n_budget_ids;
    const char *provider, *model;
    int64_t amount_microusd, amount_tokens;
    int64_t used_microusd, used_tokens;   /* settled: of a run, by its calls */
    int64_t drawn_microusd, drawn_tokens; /* held by its calls that are open */
    bool unconfirmed;
    bool fresh; /* of a call: it may still be made, by what is known of it and its run */
    int64_t expires_at_ms, created_at_ms, closed_at_ms;
};

/* One movement. amount is above 0. */
struct ledger_entry {
    const char *tenant_id, *budget_id, *hold_id;
    enum currency currency;
    enum account from_account, to_account;
    int64_t amount;
    int64_t booked_at_ms;
};

/* What a model costs, in micro-dollars per million tokens. model "*": any other of the provider. */
struct price {
    const char *provider, *model;
    int64_t in_microusd_per_mtok, cached_microusd_per_mtok, out_microusd_per_mtok;
};

extern const struct rv_record budget_record, hold_ask_record, hold_record, settle_ask_record,
    settled_record, hold_row_record, ledger_entry_record, price_record;

/* What is neither spent nor held; -1: no limit. */
int64_t budget_left_microusd(const struct budget *budget);
int64_t budget_left_tokens(const struct budget *budget);

/* No amount and no count of tokens is above this, so that sums of them stay sums. */
#define BUDGET_AMOUNT_MAX 1000000000000000LL

/* No name of a provider or model is longer, and no hold is meant to last longer. */
enum { BUDGET_NAME_MAX = 200 };
#define HOLD_EXPIRES_MAX_MS (30LL * 24 * 3600 * 1000)

/* What is wrong with the question, or NULL. */
const char *hold_ask_wrong(const struct hold_ask *ask);
const char *settle_ask_wrong(const struct settle_ask *ask);

/* Whether @budget is one that @ask's run may not pass by. */
bool budget_covers(const struct budget *budget, const struct hold_ask *ask);

/* Whether @budget grants the amounts now. Changes nothing: the caller books it. */
enum hold_verdict budget_decide(const struct budget *budget, int64_t microusd, int64_t tokens);

/*
 * Whether a run's hold lets one of its calls draw the amounts now: gone unless it is held. A hold
 * without tokens does not limit them (hold_counts_tokens): its calls draw money only.
 */
enum hold_verdict hold_decide(const struct hold_row *parent, int64_t microusd, int64_t tokens);
bool hold_counts_tokens(const struct hold_row *parent);

/*
 * What a call has used, by @price, and never above what it holds: @capped says that it was, and
 * then the use is unconfirmed. Nothing with release; all of it with unconfirmed.
 */
struct call_use {
    int64_t microusd, tokens;
    bool unconfirmed, capped;
};
struct call_use call_used(const struct hold_row *call, const struct price *price,
                          const struct settle_ask *ask);

/* Rounded up to the next micro-dollar. Saturates. */
int64_t price_cost(const struct price *price, int64_t tokens_in, int64_t tokens_cached,
                   int64_t tokens_out);

/* The row for @provider and @model among @prices: exact, then the provider's "*", then "*" "*". */
const struct price *price_find(const struct price *prices, size_t n, const char *provider,
                               const char *model);
