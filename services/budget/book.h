#pragma once

/* What one batch books: the rows of hold_book and settle_calls_book. */

#include "base/hash.h"
#include "domain/budget.h"
#include "runtime/codec.h"

/* A hold as it is added. */
struct booking {
    const char *tenant_id, *hold_id, *parent_hold_id, *project_id, *run_id;
    int64_t task_no, call_no;
    enum hold_state state;
    const char **budget_ids;
    size_t n_budget_ids;
    const char *provider, *model;
    int64_t amount_microusd, amount_tokens;
    int64_t expires_ms;
};

/* A call's hold as it is closed. draw: what it gives back of its parent's drawn; spent_tokens:
 * those that the budgets count. */
struct closing {
    const char *tenant_id, *hold_id;
    enum hold_state state;
    int64_t used_microusd, used_tokens;
    bool unconfirmed;
    int64_t draw_microusd, draw_tokens, spent_tokens;
    int64_t tokens_in, tokens_cached, tokens_out;
};
extern const struct rv_record booking_record, closing_record;

/* Holds by tenant and id, while a batch lasts. */
struct hold_index {
    struct rv_hash *by_key;
};
struct hold_index hold_index_new(struct rv_ctx *cx);
void *hold_index_get(struct hold_index index, const char *tenant_id, const char *hold_id);
void hold_index_put(struct hold_index index, const char *tenant_id, const char *hold_id,
                    void *value);

/* An id in Postgres' own spelling, so that texts can be compared; NULL stays NULL. */
const char *id_spelled(struct rv_ctx *cx, const char *id);
