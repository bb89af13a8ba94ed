#include "invariants.h"

#include <stdio.h>

#include "runtime/db.h"

struct tally {
    int64_t checked, broken;
};
/* clang-format off */
static const struct rv_field tally_fields[] = {
    RV_INT(tally, checked, 0),
    RV_INT(tally, broken, 0),
};
static RV_RECORD(tally, tally_fields);

static const struct rule {
    const char *id, *words, *sql;
    bool required;
} rules[] = {
    { "I03", "every run is over, unless it waits for a human",
      "SELECT count(*) AS checked, count(*) FILTER (WHERE ended_at IS NULL AND phase <> 'awaiting_approval') AS broken FROM runs", true },
    { "I03b", "a run that is over has no task that goes on",
      "SELECT count(*) AS checked, count(*) FILTER (WHERE t.state NOT IN ('completed', 'failed', 'cancelled')) AS broken "
      "FROM tasks t JOIN runs r USING (tenant_id, run_id) WHERE r.ended_at IS NOT NULL", true },
    { "I02", "one run per idempotency key",
      "SELECT count(*) AS checked, count(*) - count(DISTINCT (tenant_id, project_id, idempotency_key)) AS broken FROM runs WHERE idempotency_key IS NOT NULL", true },
    { "I05", "a completed task was said to be completed exactly once",
      "SELECT count(*) AS checked, count(*) FILTER (WHERE said <> 1) AS broken FROM (SELECT (SELECT count(*) FROM events e WHERE e.tenant_id = t.tenant_id "
      "AND e.run_id = t.run_id AND e.type IN ('task.completed', 'task.skipped') AND e.node_id = t.node_id) AS said FROM tasks t WHERE t.state = 'completed') AS x", true },
    { "I05b", "a completed run has only completed tasks",
      "SELECT count(*) AS checked, count(*) FILTER (WHERE t.state <> 'completed') AS broken FROM tasks t JOIN runs r USING (tenant_id, run_id) WHERE r.state = 'completed'", true },
    { "I06", "fences rise: a task's fence is at least that of its last attempt, and attempts differ",
      "SELECT count(*) AS checked, count(*) FILTER (WHERE t.fence < a.fence) AS broken FROM tasks t JOIN "
      "(SELECT tenant_id, run_id, task_no, max(fence) AS fence FROM attempts GROUP BY 1, 2, 3) a USING (tenant_id, run_id, task_no)", true },
    { "I06b", "a journal entry was written under a fence that was granted",
      "SELECT count(*) AS checked, count(*) FILTER (WHERE a.fence IS NULL) AS broken FROM run_steps s LEFT JOIN attempts a USING (tenant_id, run_id, task_no, fence)", false },
    { "I07", "the events of a run are numbered 1..n, without gaps, and its row knows n",
      "SELECT count(*) AS checked, count(*) FILTER (WHERE n <> last OR first <> 1 OR last <> r.run_seq) AS broken FROM runs r JOIN "
      "(SELECT tenant_id, run_id, count(*) AS n, max(run_seq) AS last, min(run_seq) AS first FROM events GROUP BY 1, 2) e USING (tenant_id, run_id)", true },
    { "I07b", "every run has events, and the first is its creation",
      "SELECT count(*) AS checked, count(*) FILTER (WHERE e.type IS DISTINCT FROM 'run.created') AS broken FROM runs r LEFT JOIN events e "
      "ON e.tenant_id = r.tenant_id AND e.run_id = r.run_id AND e.run_seq = 1", true },
    { "I08", "what was said last about a run is what its row says",
      "SELECT count(*) AS checked, count(*) FILTER (WHERE NOT EXISTS (SELECT FROM events e WHERE e.tenant_id = r.tenant_id AND e.run_id = r.run_id "
      "AND e.type = CASE WHEN r.state = 'failed' AND r.phase IN ('rejected', 'budget_exceeded') AND r.started_at IS NULL THEN 'run.denied' ELSE 'run.' || r.state END)) AS broken "
      "FROM runs r WHERE ended_at IS NOT NULL", true },
    { "I04", "nothing happens after the end but evaluations",
      "SELECT count(*) AS checked, count(*) FILTER (WHERE later.type NOT LIKE 'evaluation.%') AS broken FROM events e JOIN events later ON later.tenant_id = e.tenant_id "
      "AND later.run_id = e.run_id AND later.run_seq > e.run_seq WHERE e.type IN ('run.completed', 'run.failed', 'run.cancelled', 'run.denied')", false },
    { "I09", "the ledger replays to the accounts of every budget (micro-dollars)",
      "SELECT count(*) AS checked, count(*) FILTER (WHERE held <> held_microusd OR spent <> spent_microusd) AS broken FROM (SELECT b.held_microusd, b.spent_microusd, "
      "coalesce(sum(amount) FILTER (WHERE to_account = 'held'), 0) - coalesce(sum(amount) FILTER (WHERE from_account = 'held'), 0) AS held, "
      "coalesce(sum(amount) FILTER (WHERE to_account = 'spent'), 0) - coalesce(sum(amount) FILTER (WHERE from_account = 'spent'), 0) AS spent "
      "FROM budgets b LEFT JOIN ledger l ON l.tenant_id = b.tenant_id AND l.budget_id = b.budget_id AND l.currency = 'usd' GROUP BY b.tenant_id, b.budget_id, 1, 2) AS x", true },
    { "I09b", "the ledger replays to the accounts of every budget (tokens)",
      "SELECT count(*) AS checked, count(*) FILTER (WHERE held <> held_tokens OR spent <> spent_tokens) AS broken FROM (SELECT b.held_tokens, b.spent_tokens, "
      "coalesce(sum(amount) FILTER (WHERE to_account = 'held'), 0) - coalesce(sum(amount) FILTER (WHERE from_account = 'held'), 0) AS held, "
      "coalesce(sum(amount) FILTER (WHERE to_account = 'spent'), 0) - coalesce(sum(amount) FILTER (WHERE from_account = 'spent'), 0) AS spent "
      "FROM budgets b LEFT JOIN ledger l ON l.tenant_id = b.tenant_id AND l.budget_id = b.budget_id AND l.currency = 'tokens' GROUP BY b.tenant_id, b.budget_id, 1, 2) AS x", true },
    { "I09c", "no budget is over its limit",
      "SELECT count(*) AS checked, count(*) FILTER (WHERE limit_microusd > 0 AND held_microusd + spent_microusd > limit_microusd) AS broken FROM budgets", true },
    { "I10", "a run's hold covers what its calls used",
      "SELECT count(*) AS checked, count(*) FILTER (WHERE h.used_microusd > h.amount_microusd OR coalesce(u.cost, 0) > h.amount_microusd) AS broken FROM runs r JOIN holds h USING (tenant_id, hold_id) "
      "LEFT JOIN (SELECT tenant_id, run_id, sum(cost_microusd) AS cost FROM usage GROUP BY 1, 2) u ON u.tenant_id = r.tenant_id AND u.run_id = r.run_id", true },
    { "I10b", "a run's cost is what its calls were booked at",
      "SELECT count(*) AS checked, count(*) FILTER (WHERE r.cost_microusd <> u.cost) AS broken FROM runs r JOIN (SELECT tenant_id, run_id, sum(cost_microusd) AS cost, "
      "bool_or(unconfirmed) AS unconfirmed FROM usage GROUP BY 1, 2) u USING (tenant_id, run_id) WHERE NOT u.unconfirmed AND r.state = 'completed'", false },
    { "I06c", "every completed task was claimed, and by a claim that is kept",
      "SELECT count(*) AS checked, count(*) FILTER (WHERE a.fence IS NULL) AS broken FROM tasks t LEFT JOIN attempts a USING (tenant_id, run_id, task_no, fence) WHERE t.state = 'completed'", true },
    { "I15", "every run has a decision and a hold that exist",
      "SELECT count(*) AS checked, count(*) FILTER (WHERE d.decision_id IS NULL OR h.hold_id IS NULL) AS broken FROM runs r "
      "LEFT JOIN decisions d ON d.tenant_id = r.tenant_id AND d.decision_id = r.decision_id LEFT JOIN holds h ON h.tenant_id = r.tenant_id AND h.hold_id = r.hold_id", true },
    { "I15b", "every call has a decision that allowed it, and a hold",
      "SELECT count(*) AS checked, count(*) FILTER (WHERE d.effect IS DISTINCT FROM 'allow' OR h.hold_id IS NULL) AS broken FROM run_steps s "
      "LEFT JOIN decisions d ON d.tenant_id = s.tenant_id AND d.decision_id = s.decision_id LEFT JOIN holds h ON h.tenant_id = s.tenant_id AND h.hold_id = s.hold_id", false },
    { "I13", "everything that was said was relayed",
      "SELECT count(*) AS checked, count(*) FILTER (WHERE (e.xid, e.seq) > (c.xid, c.seq)) AS broken FROM events e, relay_cursors c WHERE c.name = 'events'", true },
};
/* clang-format on */

static bool open_session(struct rv_ctx *cx, const char *postgres_url)
{
    static _Thread_local struct rv_db_options options;

    options = (struct rv_db_options){ .url = postgres_url, .name = "invariants", RV_DB_DEFAULTS };
    rv_ctx_init(cx);
    return rv_db_open(cx, &options) == RV_OK;
}

static void close_session(struct rv_ctx *cx)
{
    rv_db_rollback(cx);
    rv_db_close(cx);
    rv_ctx_release(cx);
}

/* Statements of tests share one id, so the session sends them unprepared. */
static enum rv_status ask(struct rv_ctx *cx, const char *sql, struct tally *tally)
{
    struct rv_sql statement = { .name = "rule", .text = sql };
    enum rv_status status = rv_db_one(cx, &statement, rv_nothing, rv_out(tally, tally));

    rv_db_rollback(cx);
    return status;
}

static bool holds(struct rv_ctx *cx, const struct rule *rule)
{
    struct tally tally = { 0 };

    if (ask(cx, rule->sql, &tally) != RV_OK) {
        fprintf(stderr, "%s cannot be checked: %s\n", rule->id, cx->error.text);
        return false;
    }
    if (tally.broken || (rule->required && !tally.checked))
        fprintf(stderr, "%s is broken: %s (%lld of %lld)\n", rule->id, rule->words,
                (long long)tally.broken, (long long)tally.checked);
    return !tally.broken && (!rule->required || tally.checked);
}

bool invariants_hold(const char *postgres_url)
{
    struct rv_ctx cx;
    bool opened = open_session(&cx, postgres_url), good = opened;

    if (!opened)
        fprintf(stderr, "invariants: %s\n", cx.error.text);
    for (size_t i = 0; opened && i < sizeof(rules) / sizeof(rules[0]); i++)
        good &= holds(&cx, &rules[i]);
    close_session(&cx);
    return good;
}

long count_of(const char *postgres_url, const char *sql)
{
    struct tally tally = { .checked = -1 };
    struct rv_ctx cx;

    if (open_session(&cx, postgres_url) && ask(&cx, sql, &tally) != RV_OK)
        fprintf(stderr, "%s: %s\n", sql, cx.error.text);
    close_session(&cx);
    return (long)tally.checked;
}

long runs_open(const char *postgres_url)
{
    return count_of(postgres_url, "SELECT count(*) AS checked FROM runs WHERE ended_at IS NULL AND "
                                  "phase <> 'awaiting_approval'");
}

long holds_open(const char *postgres_url)
{
    return count_of(postgres_url, "SELECT count(*) AS checked FROM holds WHERE closed_at IS NULL");
}

bool sql_run(const char *postgres_url, const char *sql)
{
    bool good;
    struct rv_ctx cx;

    good = open_session(&cx, postgres_url) && rv_db_script(&cx, sql) == RV_OK;
    if (!good)
        fprintf(stderr, "%s: %s\n", sql, cx.error.text);
    close_session(&cx);
    return good;
}
