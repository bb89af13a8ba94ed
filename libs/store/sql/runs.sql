-- name: runs_lock
-- All writers of a run's rows and events hold its lock, taken before the transaction has an id, in
-- one order: nobody deadlocks, and within a run the order of transaction ids is that of commits.
SELECT pg_advisory_xact_lock(key) FROM (SELECT DISTINCT unnest(:lock_key[]::bigint[]) AS key ORDER BY 1) AS keys;

-- name: runs_clock
-- Deadlines and waits are told by this clock and by no other.
SELECT ms(clock_timestamp()) AS now_ms;

-- name: runs_load
SELECT tenant_id, run_id, project_id, plan_id, name, state, phase, priority, input,
       decision_id, hold_id, approval_id, limit_microusd, limit_tokens, cost_microusd, tokens_in, tokens_out,
       run_seq, version, tasks_total, tasks_open, tasks_live, trace_id, ms(created_at) AS created_at_ms,
       ms(started_at) AS started_at_ms, ms(ended_at) AS ended_at_ms,
       ms(cancel_requested_at) AS cancel_requested_at_ms, ms(deadline_at) AS deadline_at_ms,
       ms(clock_timestamp()) AS now_ms
FROM runs JOIN (SELECT DISTINCT * FROM unnest(:*run_key)) AS k
     USING (tenant_id, run_id);

-- name: runs_known
-- Runs that were made before under one of these ids or idempotency keys.
SELECT r.tenant_id, r.run_id, r.project_id, r.state, r.phase, r.error, r.decision_id, r.approval_id,
       r.idempotency_key, r.request_hash
FROM unnest(:tenant_id[]::uuid[], :project_id[]::uuid[], :idempotency_key[]::text[]) AS k (tenant_id, project_id, key)
     JOIN runs r ON r.tenant_id = k.tenant_id AND r.project_id = k.project_id AND r.idempotency_key = k.key
UNION ALL
SELECT r.tenant_id, r.run_id, r.project_id, r.state, r.phase, r.error, r.decision_id, r.approval_id, NULL, NULL
FROM unnest(:*run_key) AS k
     JOIN runs r ON r.tenant_id = k.tenant_id AND r.run_id = k.run_id;

-- name: runs_new
-- Each with a verdict and a hold that are there. They are committed by others, asynchronously: Postgres
-- may have forgotten them in a crash since, and then all of it is asked again.
WITH made AS (
INSERT INTO runs (tenant_id, run_id, project_id, plan_id, name, state, phase, priority, input, error, labels,
                  decision_id, hold_id, approval_id, limit_microusd, limit_tokens, run_seq,
                  tasks_total, tasks_open, tasks_live, idempotency_key, request_hash, created_by, trace_id,
                  created_at, started_at, ended_at, deadline_at)
SELECT tenant_id, run_id, project_id, plan_id, name, state, phase, priority, input, error, labels,
       decision_id, hold_id, approval_id, limit_microusd, limit_tokens, run_seq,
       tasks_total, tasks_open, tasks_live, idempotency_key, request_hash, created_by, trace_id,
       at_ms(created_at_ms), at_ms(started_at_ms), at_ms(ended_at_ms), at_ms(deadline_at_ms)
FROM unnest(:*run_new) AS n
WHERE (SELECT true FROM decisions d WHERE d.tenant_id = n.tenant_id AND d.decision_id = n.decision_id)
  AND (SELECT true FROM holds h WHERE h.tenant_id = n.tenant_id AND h.hold_id = n.hold_id)
RETURNING 1
)
SELECT must_be_all(count(*), cardinality(:*run_new)) FROM made;

-- name: runs_save
-- Each as it follows from the version before it. Whoever had seen an older one is undone, and does all
-- of it again from what there is now. A scheduler of before does not raise versions: it numbers events.
WITH saved AS (
    UPDATE runs AS r
    SET state = n.state, phase = n.phase, output = coalesce(n.output, r.output), error = coalesce(n.error, r.error),
        cost_microusd = n.cost_microusd, tokens_in = n.tokens_in, tokens_out = n.tokens_out, run_seq = n.run_seq,
        version = n.version, tasks_open = n.tasks_open, tasks_live = n.tasks_live,
        started_at = at_ms(n.started_at_ms), ended_at = at_ms(n.ended_at_ms),
        cancel_requested_at = at_ms(n.cancel_requested_at_ms)
    FROM unnest(:*run_change) AS n
    WHERE r.tenant_id = n.tenant_id AND r.run_id = n.run_id AND r.version = n.version - 1
      AND r.run_seq = n.seen_seq
    RETURNING 1
)
SELECT must_be_all(count(*), cardinality(:*run_change)) FROM saved;

-- name: runs_gather
-- The output of a run with several ends: an object of theirs, by node.
UPDATE runs AS r
SET output = (SELECT jsonb_object_agg(t.node_id, t.output)
              FROM tasks t
              WHERE t.tenant_id = r.tenant_id AND t.run_id = r.run_id AND t.task_no = ANY (:ends::text[]::bigint[]))
WHERE r.tenant_id = :tenant_id AND r.run_id = :run_id;

-- name: runs_open_page
-- What is not over, a page at a time: the sweeper's walk.
SELECT tenant_id, run_id FROM runs WHERE ended_at IS NULL AND run_id > :run_id ORDER BY run_id LIMIT 5000;

-- name: plans_load
SELECT tenant_id, plan_id, spec
FROM plans JOIN (SELECT DISTINCT * FROM unnest(:tenant_id[]::uuid[], :plan_id[]::uuid[])) AS k (tenant_id, plan_id)
     USING (tenant_id, plan_id);
