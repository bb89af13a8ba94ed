#include "budget_talk.h"

#include "base/id.h"
#include "look.h"

struct books books_open(struct rv_ctx *cx, struct rv_bus *bus)
{
    return (struct books){ bus, rv_id_new(cx), rv_id_new(cx) };
}

struct budget put_budget(struct rv_ctx *cx, const struct books *books, const char *project_id,
                         const char *name, int64_t microusd, int64_t tokens)
{
    struct budget ask = { .tenant_id = books->tenant_id,
                          .project_id = project_id,
                          .name = name,
                          .limit_microusd = microusd,
                          .limit_tokens = tokens };
    struct budget made = { 0 };

    assert_ok(cx, rv_bus_ask(cx, books->bus, &SUBJ_BUDGET_PUT, &ask, &made, ASK_MS));
    return made;
}

static int64_t column(struct rv_ctx *cx, const struct budget *budget, const char *name)
{
    return number(rv_printf(cx, "SELECT %s AS value FROM budgets WHERE budget_id = '%s'", name,
                            budget->budget_id));
}

struct budget look(struct rv_ctx *cx, const struct budget *budget)
{
    struct budget now = *budget;

    now.held_microusd = column(cx, budget, "held_microusd");
    now.spent_microusd = column(cx, budget, "spent_microusd");
    now.held_tokens = column(cx, budget, "held_tokens");
    now.spent_tokens = column(cx, budget, "spent_tokens");
    return now;
}

struct hold_ask run_hold(struct rv_ctx *cx, const struct books *books, int64_t microusd,
                         int64_t tokens)
{
    return (struct hold_ask){ .tenant_id = books->tenant_id,
                              .hold_id = rv_id_new(cx),
                              .project_id = books->project_id,
                              .run_id = rv_id_new(cx),
                              .amount_microusd = microusd,
                              .amount_tokens = tokens };
}

struct hold_ask call_hold(struct rv_ctx *cx, const struct hold_ask *run, int64_t tokens_in,
                          int64_t tokens_out)
{
    return (struct hold_ask){ .tenant_id = run->tenant_id,
                              .hold_id = rv_id_new(cx),
                              .parent_hold_id = run->hold_id,
                              .project_id = run->project_id,
                              .run_id = run->run_id,
                              .call_no = 1,
                              .provider = "sim",
                              .model = "sim-1",
                              .tokens_in = tokens_in,
                              .tokens_out = tokens_out };
}

struct hold ask_hold(struct rv_ctx *cx, const struct books *books, const struct hold_ask *ask)
{
    struct hold answer = { 0 };

    assert_ok(cx, rv_bus_ask_many(cx, books->bus, &SUBJ_BUDGET_HOLD, ask, 1, &answer, ASK_MS));
    return answer;
}

struct settled settle_as(struct rv_ctx *cx, const struct books *books, const struct settle_ask *ask)
{
    struct settled answer = { 0 };

    assert_ok(cx, rv_bus_ask_many(cx, books->bus, &SUBJ_BUDGET_SETTLE, ask, 1, &answer, ASK_MS));
    return answer;
}

struct settled settle(struct rv_ctx *cx, const struct books *books, const struct hold_ask *hold,
                      int64_t tokens_in, int64_t tokens_out)
{
    struct settle_ask ask = { .tenant_id = hold->tenant_id,
                              .hold_id = hold->hold_id,
                              .tokens_in = tokens_in,
                              .tokens_out = tokens_out };

    return settle_as(cx, books, &ask);
}

/* Joins of sums: the tables are large in some tests, and nobody has analyzed them. */
static const char replay[] =
    "WITH entries AS ("
    "  SELECT tenant_id, budget_id, currency, to_account AS account, amount FROM ledger"
    "  UNION ALL SELECT tenant_id, budget_id, currency, from_account, -amount FROM ledger"
    "), replayed AS ("
    "  SELECT tenant_id, budget_id, currency, account, sum(amount) AS amount FROM entries GROUP BY "
    "1, 2, 3, 4"
    "), kept AS ("
    "  SELECT tenant_id, budget_id, k.* FROM budgets, LATERAL (VALUES"
    "    ('usd', 'held', held_microusd), ('usd', 'spent', spent_microusd),"
    "    ('usd', 'available', -held_microusd - spent_microusd),"
    "    ('tokens', 'held', held_tokens), ('tokens', 'spent', spent_tokens),"
    "    ('tokens', 'available', -held_tokens - spent_tokens)) AS k(currency, account, amount)"
    ") SELECT count(*) AS value FROM kept k"
    "  FULL JOIN replayed r USING (tenant_id, budget_id, currency, account)"
    "  WHERE coalesce(k.amount, 0) <> coalesce(r.amount, 0)";

static const char held_by_runs[] =
    "WITH open AS ("
    "  SELECT tenant_id, unnest(budget_ids) AS budget_id, amount_microusd - used_microusd AS usd,"
    "         amount_tokens - used_tokens AS tokens"
    "  FROM holds WHERE parent_hold_id IS NULL AND state = 'held'"
    "), sums AS (SELECT tenant_id, budget_id, sum(usd) AS usd, sum(tokens) AS tokens FROM open "
    "GROUP BY 1, 2)"
    " SELECT count(*) AS value FROM budgets b LEFT JOIN sums s USING (tenant_id, budget_id)"
    " WHERE coalesce(s.usd, 0) <> b.held_microusd OR coalesce(s.tokens, 0) <> b.held_tokens";

static const char drawn_by_calls[] =
    "WITH sums AS ("
    "  SELECT tenant_id, parent_hold_id AS hold_id, sum(used_microusd) AS used,"
    "         coalesce(sum(amount_microusd) FILTER (WHERE state = 'held'), 0) AS drawn"
    "  FROM holds WHERE parent_hold_id IS NOT NULL GROUP BY 1, 2)"
    " SELECT count(*) AS value FROM holds p LEFT JOIN sums s USING (tenant_id, hold_id)"
    " WHERE p.parent_hold_id IS NULL AND"
    "   (coalesce(s.drawn, 0) <> p.drawn_microusd OR coalesce(s.used, 0) <> p.used_microusd)";

static const char usage_of_calls[] =
    "SELECT count(*) AS value FROM holds h LEFT JOIN usage u USING (tenant_id, hold_id)"
    " WHERE h.parent_hold_id IS NOT NULL AND h.state = 'committed'"
    "   AND u.cost_microusd IS DISTINCT FROM h.used_microusd";

void assert_books_balance(void)
{
    assert_int_equal(number(replay), 0);
    assert_int_equal(number(held_by_runs), 0);
    assert_int_equal(number(drawn_by_calls), 0);
    assert_int_equal(number(usage_of_calls), 0);
}
