/* Holds: one batch locks what it is about, decides one by one, and books all at once. */

#include <string.h>

#include "base/text.h"
#include "holding.h"
#include "store/sql.h"

static rv_result lock(struct rv_ctx *cx, struct holding *holding, const struct hold_ask *asks,
                      size_t n)
{
    struct hold_ask *calls = rv_new_array(cx, struct hold_ask, n);
    struct hold_ask *runs = rv_new_array(cx, struct hold_ask, n);
    size_t n_calls = 0, n_runs = 0;

    for (size_t i = 0; i < n; i++)
        if (asks[i].parent_hold_id)
            calls[n_calls++] = asks[i];
        else if (asks[i].amount_microusd || asks[i].amount_tokens)
            runs[n_runs++] = asks[i];
    if (n_calls)
        RV_TRY(cx, rv_db_read(cx, &SQL_HOLD_PARENTS_LOCK, rv_in_many(hold_ask, calls, n_calls),
                              &hold_row_record, &holding->parents));
    if (n_runs)
        RV_TRY(cx, rv_db_read(cx, &SQL_HOLD_BUDGETS_LOCK, rv_in_many(hold_ask, runs, n_runs),
                              &budget_record, &holding->budgets));
    return rv_db_rows(cx, &SQL_HOLD_FIND, rv_in_many(hold_ask, asks, n), &hold_row_record,
                      &holding->found);
}

static void index_rows(struct hold_index index, struct rv_rows rows)
{
    struct hold_row *holds = rows.items;

    for (size_t i = 0; i < rows.n; i++)
        hold_index_put(index, holds[i].tenant_id, holds[i].hold_id, &holds[i]);
}

/* The same hold_id again: what it was granted, as long as it is open. */
static void answer_known(const struct hold_ask *ask, const struct hold_row *known,
                         struct hold *answer)
{
    if (!rv_text_same(ask->run_id, known->run_id) ||
        !rv_text_same(ask->parent_hold_id, known->parent_hold_id)) {
        answer->verdict = HOLD_INVALID;
        answer->reason = "this hold_id is another's";
    } else if (known->state == HOLD_REFUSED) {
        answer->verdict = HOLD_OVER_LIMIT;
        answer->reason = "this hold was refused before";
    } else if (known->state != HOLD_HELD) {
        answer->verdict = HOLD_GONE;
        answer->reason = "this hold is closed";
    } else {
        answer->verdict = HOLD_GRANTED;
        answer->amount_microusd = known->amount_microusd;
        answer->amount_tokens = known->amount_tokens;
    }
}

/* What was decided, as a row; later asks of the batch for the same hold_id find it. */
static void book(struct rv_ctx *cx, struct holding *holding, const struct booking *want,
                 const struct hold *answer)
{
    struct booking *booking = &holding->bookings[holding->n_bookings++];
    struct hold_row *known = rv_new(cx, struct hold_row);

    *booking = *want;
    booking->state = answer->verdict == HOLD_GRANTED ? HOLD_HELD : HOLD_REFUSED;
    if (booking->state == HOLD_REFUSED) {
        booking->amount_microusd = booking->amount_tokens = 0;
        booking->n_budget_ids = 0;
        holding->refusals++;
    } else {
        holding->grants++;
    }
    known->run_id = booking->run_id;
    known->parent_hold_id = booking->parent_hold_id;
    known->state = booking->state;
    known->amount_microusd = booking->amount_microusd;
    known->amount_tokens = booking->amount_tokens;
    hold_index_put(holding->known, booking->tenant_id, booking->hold_id, known);
}

/* So that whoever calls the model can record what it cost before the hold is settled. */
static void tell_price(const struct holding *holding, const struct hold_ask *ask,
                       struct hold *answer)
{
    struct price price;

    if (!ask->model || !prices_find(&holding->service->prices, ask->provider, ask->model, &price))
        return;
    answer->in_microusd_per_mtok = price.in_microusd_per_mtok;
    answer->cached_microusd_per_mtok = price.cached_microusd_per_mtok;
    answer->out_microusd_per_mtok = price.out_microusd_per_mtok;
}

static void decide(struct rv_ctx *cx, struct holding *holding, const struct hold_ask *ask,
                   struct hold *answer)
{
    const struct hold_row *known = hold_index_get(holding->known, ask->tenant_id, ask->hold_id);
    struct booking want = { .tenant_id = ask->tenant_id,
                            .hold_id = ask->hold_id,
                            .parent_hold_id = ask->parent_hold_id,
                            .project_id = ask->project_id,
                            .run_id = ask->run_id,
                            .task_no = ask->task_no,
                            .call_no = ask->call_no,
                            .provider = ask->provider,
                            .model = ask->model };

    tell_price(holding, ask, answer);
    if (known) {
        answer_known(ask, known, answer);
        return;
    }
    want.expires_ms = ask->expires_ms ? ask->expires_ms : holding->service->config.hold_ttl_ms;
    if (ask->parent_hold_id)
        decide_call(cx, holding, ask, &want, answer);
    else
        decide_run(cx, holding, ask, &want, answer);
    answer->amount_microusd = answer->verdict == HOLD_GRANTED ? want.amount_microusd : 0;
    answer->amount_tokens = answer->verdict == HOLD_GRANTED ? want.amount_tokens : 0;
    book(cx, holding, &want, answer);
}

/* The asks that make sense, with ids as Postgres spells them; @places says whose they are. */
static size_t take_valid(struct rv_ctx *cx, const struct hold_ask *asks, struct hold *answers,
                         size_t n, struct hold_ask *valid, size_t *places)
{
    size_t n_valid = 0;

    for (size_t i = 0; i < n; i++) {
        const char *wrong = hold_ask_wrong(&asks[i]);
        struct hold_ask *ask = &valid[n_valid];

        answers[i] = (struct hold){ .tenant_id = asks[i].tenant_id,
                                    .hold_id = asks[i].hold_id,
                                    .verdict = wrong ? HOLD_INVALID : 0,
                                    .left_microusd = -1,
                                    .left_tokens = -1,
                                    .reason = wrong };
        if (wrong)
            continue;
        *ask = asks[i];
        ask->tenant_id = id_spelled(cx, ask->tenant_id);
        ask->hold_id = id_spelled(cx, ask->hold_id);
        ask->parent_hold_id = id_spelled(cx, ask->parent_hold_id);
        ask->project_id = id_spelled(cx, ask->project_id);
        ask->run_id = id_spelled(cx, ask->run_id);
        places[n_valid++] = i;
    }
    return n_valid;
}

static bool only_runs(const struct hold_ask *asks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (asks[i].parent_hold_id)
            return false;
    return true;
}

RV_BATCH_HANDLER(on_hold, struct budget_service *service, const struct hold_ask *asks,
                 struct hold *answers, size_t n)
{
    struct hold_ask *valid = rv_new_array(cx, struct hold_ask, n);
    size_t *places = rv_new_array(cx, size_t, n);
    size_t n_valid = take_valid(cx, asks, answers, n, valid, places);
    struct holding holding = { .service = service };

    if (n_valid == 0)
        return RV_OK;
    RV_TRY(cx, prices_refresh(cx, &service->prices));
    RV_TRY(cx, lock(cx, &holding, valid, n_valid));
    holding.known = hold_index_new(cx);
    holding.parent = hold_index_new(cx);
    holding.bookings = rv_new_array(cx, struct booking, n_valid);
    index_rows(holding.known, holding.found);
    index_rows(holding.parent, holding.parents);
    for (size_t i = 0; i < n_valid; i++)
        decide(cx, &holding, &valid[i], &answers[places[i]]);
    if (holding.n_bookings)
        RV_TRY(cx, rv_db_exec(cx, &SQL_HOLD_BOOK,
                              rv_in_many(booking, holding.bookings, holding.n_bookings)));
    if (only_runs(valid, n_valid)) /* whose commit takes the hold along to the disk */
        rv_db_commit_async(cx);
    count_after(cx, service, BUDGET_GRANTS, holding.grants);
    count_after(cx, service, BUDGET_REFUSALS, holding.refusals);
    return RV_OK;
}
