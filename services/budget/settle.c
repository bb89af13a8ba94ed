/* Settling: what was used is spent, the rest is free again; each hold once. */

#include "base/log.h"
#include "base/text.h"
#include "book.h"
#include "budget.h"
#include "store/sql.h"

/* A hold of the batch: a run's with its open calls, or a call's. */
struct settling_hold {
    struct hold_row *row;
    struct settling_hold *calls, *next; /* of a run; the next call of the same run */
};

/* One batch at work. */
struct settling {
    struct budget_service *service;
    struct rv_rows roots, calls; /* hold_row */
    struct hold_index holds;     /* hold_id → struct settling_hold */
    struct closing *call_ends;
    struct settle_ask *run_ends;
    size_t n_call_ends, n_run_ends;
    int64_t unconfirmed;
};

static rv_result lock(struct rv_ctx *cx, struct settling *settling, const struct settle_ask *asks,
                      size_t n)
{
    struct rv_in in = rv_in_many(settle_ask, asks, n);

    RV_TRY(cx, rv_db_read(cx, &SQL_SETTLE_ROOTS_LOCK, in, &hold_row_record, &settling->roots));
    RV_TRY(cx, rv_db_exec(cx, &SQL_SETTLE_BUDGETS_LOCK, in));
    return rv_db_rows(cx, &SQL_SETTLE_CALLS, in, &hold_row_record, &settling->calls);
}

static struct settling_hold *add(struct rv_ctx *cx, struct settling *settling, struct hold_row *row)
{
    struct settling_hold *hold = rv_new(cx, struct settling_hold);

    hold->row = row;
    hold_index_put(settling->holds, row->tenant_id, row->hold_id, hold);
    return hold;
}

static struct settling_hold *root_of(const struct settling *settling, const struct hold_row *call)
{
    return hold_index_get(settling->holds, call->tenant_id, call->parent_hold_id);
}

static void index_rows(struct rv_ctx *cx, struct settling *settling)
{
    struct hold_row *roots = settling->roots.items, *calls = settling->calls.items;

    settling->holds = hold_index_new(cx);
    for (size_t i = 0; i < settling->roots.n; i++)
        add(cx, settling, &roots[i]);
    for (size_t i = 0; i < settling->calls.n; i++) {
        struct settling_hold *call = add(cx, settling, &calls[i]);
        struct settling_hold *root = root_of(settling, &calls[i]);

        if (root) {
            call->next = root->calls;
            root->calls = call;
        }
    }
}

/* A price that is gone since the hold was granted: nobody can say what the call has cost. */
static struct call_use use_of(struct settling *settling, const struct hold_row *call,
                              const struct settle_ask *ask)
{
    struct settle_ask all = { .unconfirmed = true };
    struct price price = { 0 };

    if (call->model && !ask->release &&
        !prices_find(&settling->service->prices, call->provider, call->model, &price))
        return call_used(call, &price, &all);
    if (!call->model && !ask->release) /* no model: what it named is what it costs */
        return (struct call_use){ call->amount_microusd, call->amount_tokens, ask->unconfirmed,
                                  false };
    return call_used(call, &price, ask);
}

static void warn_capped(struct rv_ctx *cx, const struct hold_row *call,
                        const struct settle_ask *ask)
{
    rv_warn(cx, "a call used more than it held", RV_F("hold_id", call->hold_id),
            RV_F("run_id", call->run_id), RV_F("amount_microusd", call->amount_microusd),
            RV_F("amount_tokens", call->amount_tokens), RV_F("tokens_in", ask->tokens_in),
            RV_F("tokens_out", ask->tokens_out));
}

static void close_call(struct rv_ctx *cx, struct settling *settling, struct hold_row *root,
                       struct hold_row *call, const struct settle_ask *ask)
{
    struct call_use use = use_of(settling, call, ask);
    struct closing *end = &settling->call_ends[settling->n_call_ends++];
    bool counts = hold_counts_tokens(root);

    if (use.capped)
        warn_capped(cx, call, ask);
    *end = (struct closing){ .tenant_id = call->tenant_id,
                             .hold_id = call->hold_id,
                             .state = ask->release ? HOLD_RELEASED : HOLD_COMMITTED,
                             .used_microusd = use.microusd,
                             .used_tokens = use.tokens,
                             .unconfirmed = use.unconfirmed,
                             .draw_microusd = call->amount_microusd,
                             .draw_tokens = counts ? call->amount_tokens : 0,
                             .spent_tokens = counts ? use.tokens : 0,
                             .tokens_in = ask->tokens_in,
                             .tokens_cached = ask->tokens_cached,
                             .tokens_out = ask->tokens_out };
    if (ask->unconfirmed && !ask->release) /* which way they went nobody knows */
        end->tokens_in = use.tokens, end->tokens_cached = end->tokens_out = 0;
    call->state = end->state;
    call->used_microusd = use.microusd;
    call->used_tokens = use.tokens;
    root->used_microusd += use.microusd;
    root->used_tokens += end->spent_tokens;
    settling->unconfirmed += use.unconfirmed;
}

static bool is_calling(const struct settling_hold *root)
{
    for (const struct settling_hold *call = root->calls; call; call = call->next)
        if (call->row->state == HOLD_HELD && call->row->fresh)
            return true;
    return false;
}

/*
 * The end of a run. Calls that are still being made will say what they used: until then it stays
 * open, and the sweep asks again. What the others have used nobody will tell any more.
 */
static void close_run(struct rv_ctx *cx, struct settling *settling, struct settling_hold *root,
                      const struct settle_ask *ask)
{
    struct hold_row *row = root->row;
    struct settle_ask all = { .unconfirmed = true };

    if (is_calling(root))
        return;
    for (struct settling_hold *call = root->calls; call; call = call->next)
        if (call->row->state == HOLD_HELD)
            close_call(cx, settling, row, call->row, &all);
    row->state = ask->release && !row->used_microusd && !row->used_tokens
                     ? (ask->unconfirmed ? HOLD_EXPIRED : HOLD_RELEASED)
                     : HOLD_COMMITTED;
    settling->run_ends[settling->n_run_ends++] = *ask;
}

static void settle_one(struct rv_ctx *cx, struct settling *settling, const struct settle_ask *ask,
                       struct settled *answer)
{
    struct settling_hold *hold = hold_index_get(settling->holds, ask->tenant_id, ask->hold_id);
    struct settling_hold *root;

    if (!hold)
        return; /* no state: nobody knows this hold */
    root = hold->row->parent_hold_id ? root_of(settling, hold->row) : hold;
    if (hold->row->state == HOLD_HELD && root == hold)
        close_run(cx, settling, hold, ask);
    else if (hold->row->state == HOLD_HELD && root)
        close_call(cx, settling, root->row, hold->row, ask);
    answer->state = hold->row->state;
    answer->cost_microusd = hold->row->used_microusd;
    answer->tokens = hold->row->used_tokens;
}

static rv_result book(struct rv_ctx *cx, struct settling *settling)
{
    if (settling->n_call_ends)
        RV_TRY(cx, rv_db_exec(cx, &SQL_SETTLE_CALLS_BOOK,
                              rv_in_many(closing, settling->call_ends, settling->n_call_ends)));
    if (settling->n_run_ends)
        RV_TRY(cx, rv_db_exec(cx, &SQL_SETTLE_IDLE,
                              rv_in_many(settle_ask, settling->run_ends, settling->n_run_ends)));
    if (!settling->n_call_ends) /* the end of a run that is forgotten is found by the sweep */
        rv_db_commit_async(cx);
    count_after(cx, settling->service, BUDGET_SETTLED,
                (int64_t)(settling->n_call_ends + settling->n_run_ends));
    count_after(cx, settling->service, BUDGET_UNCONFIRMED, settling->unconfirmed);
    return RV_OK;
}

static rv_result settle_some(struct rv_ctx *cx, struct budget_service *service,
                             const struct settle_ask *asks, struct settled *answers, size_t n)
{
    struct settling settling = { .service = service };

    RV_TRY(cx, prices_refresh(cx, &service->prices));
    RV_TRY(cx, lock(cx, &settling, asks, n));
    settling.call_ends = rv_new_array(cx, struct closing, settling.calls.n);
    settling.run_ends = rv_new_array(cx, struct settle_ask, settling.roots.n);
    index_rows(cx, &settling);
    for (size_t i = 0; i < n; i++)
        settle_one(cx, &settling, &asks[i], &answers[i]);
    return book(cx, &settling);
}

/* -- most ends: of runs that no call draws from ----------------------------------------------- */

/* A call tells what it has used, but for one that failed. */
static bool may_be_idle(const struct settle_ask *ask)
{
    return ask->tokens_in == 0 && ask->tokens_cached == 0 && ask->tokens_out == 0;
}

/*
 * Closes those that are. Its transaction ends with it when others are left: theirs begins with
 * holds in key order, and it has locked budgets, or a hold that a call drew from just then.
 */
static rv_result settle_idle(struct rv_ctx *cx, struct budget_service *service,
                             const struct settle_ask *asks, size_t n, struct hold_index done)
{
    struct settle_ask *runs = rv_new_array(cx, struct settle_ask, n);
    struct settled *settled;
    struct rv_rows rows;
    size_t n_runs = 0;

    for (size_t i = 0; i < n; i++)
        if (may_be_idle(&asks[i]))
            runs[n_runs++] = asks[i];
    if (n_runs == 0)
        return RV_OK;
    RV_TRY(cx, rv_db_rows(cx, &SQL_SETTLE_IDLE, rv_in_many(settle_ask, runs, n_runs),
                          &settled_record, &rows));
    settled = rows.items;
    for (size_t i = 0; i < rows.n; i++)
        hold_index_put(done, settled[i].tenant_id, settled[i].hold_id, &settled[i]);
    count_after(cx, service, BUDGET_SETTLED, (int64_t)rows.n);
    rv_db_commit_async(cx); /* as in book() */
    return rows.n < n ? rv_db_commit(cx) : RV_OK;
}

rv_result settle_all(struct rv_ctx *cx, struct budget_service *service,
                     const struct settle_ask *asks, struct settled *answers, size_t n)
{
    struct settle_ask *rest = rv_new_array(cx, struct settle_ask, n);
    struct settled *answered = rv_new_array(cx, struct settled, n);
    size_t *places = rv_new_array(cx, size_t, n), n_rest = 0;
    struct hold_index done = hold_index_new(cx);

    RV_TRY(cx, settle_idle(cx, service, asks, n, done));
    for (size_t i = 0; i < n; i++) {
        const struct settled *settled = hold_index_get(done, asks[i].tenant_id, asks[i].hold_id);

        if (settled) {
            answers[i] = *settled;
            continue;
        }
        answered[n_rest] = answers[i];
        places[n_rest] = i;
        rest[n_rest++] = asks[i];
    }
    if (n_rest)
        RV_TRY(cx, settle_some(cx, service, rest, answered, n_rest));
    for (size_t i = 0; i < n_rest; i++)
        answers[places[i]] = answered[i];
    return RV_OK;
}

/*
 * The asks that make sense, with ids as Postgres spells them; @places says whose they are. One
 * that makes none is of no hold, and does not keep the money of the others.
 */
static size_t take_valid(struct rv_ctx *cx, const struct settle_ask *asks, struct settled *answers,
                         size_t n, struct settle_ask *valid, size_t *places)
{
    size_t n_valid = 0;

    for (size_t i = 0; i < n; i++) {
        const char *wrong = settle_ask_wrong(&asks[i]);
        struct settle_ask *ask = &valid[n_valid];

        answers[i] = (struct settled){ .tenant_id = asks[i].tenant_id, .hold_id = asks[i].hold_id };
        if (wrong) {
            rv_warn(cx, "a hold is not settled", RV_F("hold_id", asks[i].hold_id),
                    RV_F("why", wrong));
            continue;
        }
        *ask = asks[i];
        ask->tenant_id = id_spelled(cx, asks[i].tenant_id);
        ask->hold_id = id_spelled(cx, asks[i].hold_id);
        places[n_valid++] = i;
    }
    return n_valid;
}

RV_BATCH_HANDLER(on_settle, struct budget_service *service, const struct settle_ask *asks,
                 struct settled *answers, size_t n)
{
    struct settle_ask *valid = rv_new_array(cx, struct settle_ask, n);
    size_t *places = rv_new_array(cx, size_t, n), n_valid;
    struct settled *settled;

    n_valid = take_valid(cx, asks, answers, n, valid, places);
    settled = rv_new_array(cx, struct settled, n_valid + 1);
    for (size_t i = 0; i < n_valid; i++)
        settled[i] = answers[places[i]];
    RV_TRY(cx, settle_all(cx, service, valid, settled, n_valid));
    for (size_t i = 0; i < n_valid; i++)
        answers[places[i]] = settled[i];
    return RV_OK;
}
