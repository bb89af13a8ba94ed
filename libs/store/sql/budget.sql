-- name: hold_parents_lock
-- The holds of the runs that calls draw from, in key order and before any budget: whoever changes
-- a hold or one of its calls has the lock of the run's hold first.
SELECT tenant_id, hold_id, parent_hold_id, project_id, run_id, state, budget_ids,
       amount_microusd, amount_tokens, used_microusd, used_tokens, drawn_microusd, drawn_tokens
FROM holds
WHERE (tenant_id, hold_id) IN (SELECT * FROM unnest(:tenant_id[]::uuid[], :parent_hold_id[]::uuid[]))
ORDER BY tenant_id, hold_id
FOR UPDATE;

-- name: hold_budgets_lock
-- Every budget that has a say in what these runs may hold, closed ones too: those refuse.
SELECT tenant_id, budget_id, project_id, name, state, limit_microusd, limit_tokens,
       held_microusd, spent_microusd, held_tokens, spent_tokens
FROM budgets
WHERE tenant_id = ANY (:tenant_id[]::uuid[])
  AND (project_id IS NULL OR project_id = ANY (:project_id[]::uuid[]))
ORDER BY tenant_id, budget_id
FOR UPDATE;

-- name: hold_find
-- Asked before: read after the locks, so that whoever was faster is seen.
SELECT tenant_id, hold_id, parent_hold_id, run_id, state, amount_microusd, amount_tokens
FROM holds
WHERE (tenant_id, hold_id) IN (SELECT * FROM unnest(:*hold_key));

-- name: hold_book
-- All that was decided, in one statement. Only holds that are really added move any money.
WITH asked AS (
    SELECT *
    FROM unnest(:*hold_new) AS t
), added AS (
    INSERT INTO holds (tenant_id, hold_id, parent_hold_id, project_id, run_id, task_no, call_no, state,
                       budget_ids, provider, model, amount_microusd, amount_tokens, expires_at, closed_at)
    SELECT tenant_id, hold_id, parent_hold_id, project_id, run_id, task_no, call_no, state,
           budget_ids::uuid[], provider, model, amount_microusd, amount_tokens,
           now() + expires_ms * interval '1 millisecond', CASE WHEN state <> 'held' THEN now() END
    FROM asked
    ORDER BY tenant_id, hold_id
    ON CONFLICT DO NOTHING
    RETURNING tenant_id, hold_id, parent_hold_id, state, budget_ids, amount_microusd, amount_tokens
), drawn AS (
    UPDATE holds p
    SET drawn_microusd = p.drawn_microusd + d.microusd,
        drawn_tokens = p.drawn_tokens + CASE WHEN p.amount_tokens > 0 THEN d.tokens ELSE 0 END
    FROM (SELECT tenant_id, parent_hold_id, sum(amount_microusd)::bigint AS microusd, sum(amount_tokens)::bigint AS tokens
          FROM added WHERE state = 'held' AND parent_hold_id IS NOT NULL GROUP BY 1, 2) d
    WHERE p.tenant_id = d.tenant_id AND p.hold_id = d.parent_hold_id
), booked AS (
    SELECT tenant_id, hold_id, unnest(budget_ids) AS budget_id, amount_microusd, amount_tokens
    FROM added
    WHERE state = 'held' AND parent_hold_id IS NULL
), entered AS (
    INSERT INTO ledger (tenant_id, budget_id, hold_id, currency, from_account, to_account, amount)
    SELECT tenant_id, budget_id, hold_id, e.currency, 'available', 'held', e.amount
    FROM booked, LATERAL (VALUES ('usd', amount_microusd), ('tokens', amount_tokens)) AS e(currency, amount)
    WHERE e.amount > 0
)
UPDATE budgets b
SET held_microusd = b.held_microusd + s.microusd, held_tokens = b.held_tokens + s.tokens, updated_at = now()
FROM (SELECT tenant_id, budget_id, sum(amount_microusd)::bigint AS microusd, sum(amount_tokens)::bigint AS tokens
      FROM booked GROUP BY 1, 2) s
WHERE b.tenant_id = s.tenant_id AND b.budget_id = s.budget_id;

-- name: settle_idle
-- The end of runs' holds that no call draws from, as most do not, or not any more. held → available for
-- what no call has used.
WITH closed AS (
    UPDATE holds h
    SET state = CASE WHEN NOT a.release OR h.used_microusd + h.used_tokens > 0 THEN 'committed'
                     WHEN a.unconfirmed THEN 'expired' ELSE 'released' END,
        closed_at = now()
    FROM (SELECT * FROM unnest(:*hold_over) AS t ORDER BY tenant_id, hold_id) AS a
    WHERE h.tenant_id = a.tenant_id AND h.hold_id = a.hold_id AND h.state = 'held' AND h.parent_hold_id IS NULL
      AND h.drawn_microusd = 0 AND h.drawn_tokens = 0
      AND (SELECT true FROM holds c WHERE c.parent_hold_id = h.hold_id AND c.tenant_id = h.tenant_id
                                      AND c.closed_at IS NULL LIMIT 1) IS NULL
    RETURNING h.tenant_id, h.hold_id, h.state, h.budget_ids, h.used_microusd, h.used_tokens,
              h.amount_microusd - h.used_microusd AS microusd, h.amount_tokens - h.used_tokens AS tokens
), booked AS (
    SELECT tenant_id, hold_id, unnest(budget_ids) AS budget_id, microusd, tokens FROM closed
), entered AS (
    INSERT INTO ledger (tenant_id, budget_id, hold_id, currency, from_account, to_account, amount)
    SELECT tenant_id, budget_id, hold_id, e.currency, 'held', 'available', e.amount
    FROM booked, LATERAL (VALUES ('usd', microusd), ('tokens', tokens)) AS e(currency, amount)
    WHERE e.amount > 0
), locked AS (
    SELECT tenant_id, budget_id FROM budgets
    WHERE (tenant_id, budget_id) IN (SELECT tenant_id, budget_id FROM booked)
    ORDER BY tenant_id, budget_id
    FOR UPDATE
), freed AS (
    UPDATE budgets b
    SET held_microusd = b.held_microusd - s.microusd, held_tokens = b.held_tokens - s.tokens, updated_at = now()
    FROM locked l
         JOIN (SELECT tenant_id, budget_id, sum(microusd)::bigint AS microusd, sum(tokens)::bigint AS tokens
               FROM booked GROUP BY 1, 2) s USING (tenant_id, budget_id)
    WHERE b.tenant_id = l.tenant_id AND b.budget_id = l.budget_id
)
SELECT tenant_id, hold_id, state, used_microusd AS cost_microusd, used_tokens AS tokens FROM closed;

-- name: settle_roots_lock
-- The runs' holds of everything asked: a call's parent, or the hold itself.
SELECT tenant_id, hold_id, parent_hold_id, project_id, run_id, state, budget_ids,
       amount_microusd, amount_tokens, used_microusd, used_tokens, drawn_microusd, drawn_tokens
FROM holds
WHERE (tenant_id, hold_id) IN (
    SELECT h.tenant_id, coalesce(h.parent_hold_id, h.hold_id)
    FROM holds h JOIN unnest(:*hold_key) AS a USING (tenant_id, hold_id))
ORDER BY tenant_id, hold_id
FOR UPDATE;

-- name: settle_budgets_lock
SELECT tenant_id, budget_id
FROM budgets
WHERE (tenant_id, budget_id) IN (
    SELECT h.tenant_id, unnest(h.budget_ids)
    FROM holds h JOIN unnest(:*hold_key) AS a USING (tenant_id, hold_id))
ORDER BY tenant_id, budget_id
FOR UPDATE;

-- name: settle_calls
-- The calls that are asked about, and those still open of the runs that are. After the locks.
-- OFFSET 0 keeps the look-up a look-up: a run has few open calls, but there may be many runs.
-- fresh: it may still be made. Nothing of a completed run is; holds of nothing matter to nobody.
WITH asked AS (SELECT * FROM unnest(:*hold_key) AS t
), calls AS (
    SELECT h.tenant_id, h.hold_id, h.parent_hold_id, h.run_id, h.state, h.provider, h.model,
           h.amount_microusd, h.amount_tokens, h.used_microusd, h.used_tokens, h.expires_at
    FROM asked a JOIN holds h ON h.tenant_id = a.tenant_id AND h.hold_id = a.hold_id
    WHERE h.parent_hold_id IS NOT NULL
    UNION
    SELECT h.tenant_id, h.hold_id, h.parent_hold_id, h.run_id, h.state, h.provider, h.model,
           h.amount_microusd, h.amount_tokens, h.used_microusd, h.used_tokens, h.expires_at
    FROM asked a,
         LATERAL (SELECT * FROM holds c
                  WHERE c.parent_hold_id = a.hold_id AND c.tenant_id = a.tenant_id AND c.closed_at IS NULL OFFSET 0) h
)
SELECT tenant_id, hold_id, parent_hold_id, run_id, state, provider, model,
       amount_microusd, amount_tokens, used_microusd, used_tokens,
       expires_at > now() AND amount_microusd + amount_tokens > 0
       AND (SELECT r.state FROM runs r WHERE r.tenant_id = calls.tenant_id AND r.run_id = calls.run_id)
           IS DISTINCT FROM 'completed' AS fresh
FROM calls;

-- name: settle_calls_book
-- held → spent on the budgets, drawn → used on the run's hold, and what was really used.
WITH asked AS (
    SELECT *
    FROM unnest(:*call_end) AS t
), closed AS (
    UPDATE holds h
    SET state = a.state, used_microusd = a.used_microusd, used_tokens = a.used_tokens,
        unconfirmed = a.unconfirmed, closed_at = now()
    FROM asked a
    WHERE h.tenant_id = a.tenant_id AND h.hold_id = a.hold_id AND h.state = 'held'
    RETURNING h.tenant_id, h.hold_id, h.parent_hold_id, h.project_id, h.run_id, h.task_no, h.call_no,
              h.provider, h.model, h.budget_ids, a.state, a.used_microusd, a.unconfirmed, a.draw_microusd,
              a.draw_tokens, a.spent_tokens, a.tokens_in, a.tokens_cached, a.tokens_out
), freed AS (
    UPDATE holds p
    SET drawn_microusd = p.drawn_microusd - s.draw_microusd, drawn_tokens = p.drawn_tokens - s.draw_tokens,
        used_microusd = p.used_microusd + s.microusd, used_tokens = p.used_tokens + s.tokens
    FROM (SELECT tenant_id, parent_hold_id, sum(draw_microusd)::bigint AS draw_microusd,
                 sum(draw_tokens)::bigint AS draw_tokens, sum(used_microusd)::bigint AS microusd,
                 sum(spent_tokens)::bigint AS tokens
          FROM closed GROUP BY 1, 2) s
    WHERE p.tenant_id = s.tenant_id AND p.hold_id = s.parent_hold_id
), noted AS (
    INSERT INTO usage (tenant_id, hold_id, project_id, run_id, task_no, call_no, provider, model,
                       tokens_in, tokens_cached, tokens_out, cost_microusd, unconfirmed)
    SELECT tenant_id, hold_id, project_id, run_id, task_no, call_no, provider, model,
           tokens_in, tokens_cached, tokens_out, used_microusd, unconfirmed
    FROM closed
    WHERE state = 'committed'
    ON CONFLICT DO NOTHING
), booked AS (
    SELECT tenant_id, hold_id, unnest(budget_ids) AS budget_id, used_microusd, spent_tokens
    FROM closed
), entered AS (
    INSERT INTO ledger (tenant_id, budget_id, hold_id, currency, from_account, to_account, amount)
    SELECT tenant_id, budget_id, hold_id, e.currency, 'held', 'spent', e.amount
    FROM booked, LATERAL (VALUES ('usd', used_microusd), ('tokens', spent_tokens)) AS e(currency, amount)
    WHERE e.amount > 0
)
UPDATE budgets b
SET held_microusd = b.held_microusd - s.microusd, spent_microusd = b.spent_microusd + s.microusd,
    held_tokens = b.held_tokens - s.tokens, spent_tokens = b.spent_tokens + s.tokens, updated_at = now()
FROM (SELECT tenant_id, budget_id, sum(used_microusd)::bigint AS microusd, sum(spent_tokens)::bigint AS tokens
      FROM booked GROUP BY 1, 2) s
WHERE b.tenant_id = s.tenant_id AND b.budget_id = s.budget_id;

-- name: price_list
SELECT provider, model, in_microusd_per_mtok, cached_microusd_per_mtok, out_microusd_per_mtok
FROM prices;

-- name: budget_find
SELECT tenant_id, budget_id, project_id, name, state, limit_microusd, limit_tokens,
       held_microusd, spent_microusd, held_tokens, spent_tokens, rev
FROM budgets
WHERE tenant_id = :tenant_id::uuid
  AND (budget_id = :budget_id::uuid
       OR (:budget_id::uuid IS NULL AND name = :name::text AND project_id IS NOT DISTINCT FROM :project_id::uuid))
FOR UPDATE;

-- name: budget_add
INSERT INTO budgets (tenant_id, budget_id, project_id, name, state, limit_microusd, limit_tokens)
VALUES (:tenant_id, :budget_id, :project_id, :name, :state, :limit_microusd, :limit_tokens)
RETURNING tenant_id, budget_id, project_id, name, state, limit_microusd, limit_tokens, held_microusd,
          spent_microusd, held_tokens, spent_tokens, rev, ms(created_at) AS created_at_ms, ms(updated_at) AS updated_at_ms;

-- name: budget_set
UPDATE budgets
SET name = :name, state = :state, limit_microusd = :limit_microusd, limit_tokens = :limit_tokens,
    rev = rev + 1, updated_at = now()
WHERE tenant_id = :tenant_id AND budget_id = :budget_id
RETURNING tenant_id, budget_id, project_id, name, state, limit_microusd, limit_tokens, held_microusd,
          spent_microusd, held_tokens, spent_tokens, rev, ms(created_at) AS created_at_ms, ms(updated_at) AS updated_at_ms;

-- name: sweep_runs
-- Runs' holds that nobody will settle any more: the run is over and no call of it may still be made
-- (as settle_calls has it), it has another hold as it was asked for twice, or there never was one.
SELECT h.tenant_id, h.hold_id, r.run_id IS NULL OR r.hold_id <> h.hold_id AS release, r.run_id IS NULL AS unconfirmed
FROM holds h LEFT JOIN runs r ON r.tenant_id = h.tenant_id AND r.run_id = h.run_id
WHERE h.closed_at IS NULL AND h.parent_hold_id IS NULL
  AND (r.hold_id <> h.hold_id
       OR (r.run_id IS NULL AND h.expires_at < now())
       OR (r.ended_at IS NOT NULL
           AND (r.state = 'completed'
                OR NOT EXISTS (SELECT FROM holds c
                               WHERE c.parent_hold_id = h.hold_id AND c.tenant_id = h.tenant_id AND c.closed_at IS NULL
                                 AND c.expires_at > now() AND c.amount_microusd + c.amount_tokens > 0))))
ORDER BY h.tenant_id, h.hold_id
LIMIT 500
FOR UPDATE OF h SKIP LOCKED;

-- name: sweep_calls
-- Calls whose outcome nobody knows. The lock is the run's hold, as for every change of a call.
SELECT c.tenant_id, c.hold_id, true AS unconfirmed
FROM holds c JOIN holds h ON h.tenant_id = c.tenant_id AND h.hold_id = c.parent_hold_id
WHERE c.closed_at IS NULL AND c.parent_hold_id IS NOT NULL AND c.expires_at < now()
ORDER BY c.tenant_id, c.hold_id
LIMIT 500
FOR UPDATE OF h SKIP LOCKED;

-- name: sweep_extend
-- A run that lives keeps what it holds.
UPDATE holds h
SET expires_at = now() + :expires_ms::bigint * interval '1 millisecond'
FROM (SELECT o.tenant_id, o.hold_id
      FROM holds o,
           LATERAL (SELECT ended_at, hold_id FROM runs WHERE tenant_id = o.tenant_id AND run_id = o.run_id OFFSET 0) r
      WHERE o.closed_at IS NULL AND o.parent_hold_id IS NULL AND o.expires_at < now()
        AND r.ended_at IS NULL AND r.hold_id = o.hold_id
      ORDER BY o.tenant_id, o.hold_id
      LIMIT 500
      FOR UPDATE OF o SKIP LOCKED) due
WHERE h.tenant_id = due.tenant_id AND h.hold_id = due.hold_id;
