-- name: tasks_load
SELECT t.tenant_id, t.run_id, t.task_no, t.node_id, t.kind, t.state, t.fence, t.attempt, t.open_needs, t.calls,
       t.executor_id, t.approval_id, ms(t.lease_until) AS lease_until_ms, ms(t.not_before) AS not_before_ms,
       ms(t.announced_at) AS announced_at_ms, ms(t.ready_at) AS ready_at_ms, ms(t.started_at) AS started_at_ms,
       ms(t.ended_at) AS ended_at_ms, t.skipped, t.cost_microusd, t.tokens_in, t.tokens_out
FROM (SELECT DISTINCT * FROM unnest(:*task_key)) AS k
     JOIN tasks t USING (tenant_id, run_id, task_no);

-- name: tasks_of_large_runs
-- All tasks of runs that have many; those that have few are read by tasks_of_small_runs.
SELECT t.tenant_id, t.run_id, t.task_no, t.node_id, t.kind, t.state, t.fence, t.attempt, t.open_needs, t.calls,
       t.executor_id, t.approval_id, ms(t.lease_until) AS lease_until_ms, ms(t.not_before) AS not_before_ms,
       ms(t.announced_at) AS announced_at_ms, ms(t.ready_at) AS ready_at_ms, ms(t.started_at) AS started_at_ms,
       ms(t.ended_at) AS ended_at_ms, t.skipped, t.cost_microusd, t.tokens_in, t.tokens_out
FROM (SELECT DISTINCT * FROM unnest(:*run_key)) AS k
     JOIN runs r USING (tenant_id, run_id)
     JOIN tasks t USING (tenant_id, run_id)
WHERE r.tasks_total > 16;

-- name: tasks_of_small_runs
-- All tasks of runs that have few, and the first of those that have many, which are not asked for by
-- this: read in the flight that reads the runs, before their plan is known.
SELECT t.tenant_id, t.run_id, t.task_no, t.node_id, t.kind, t.state, t.fence, t.attempt, t.open_needs, t.calls,
       t.executor_id, t.approval_id, ms(t.lease_until) AS lease_until_ms, ms(t.not_before) AS not_before_ms,
       ms(t.announced_at) AS announced_at_ms, ms(t.ready_at) AS ready_at_ms, ms(t.started_at) AS started_at_ms,
       ms(t.ended_at) AS ended_at_ms, t.skipped, t.cost_microusd, t.tokens_in, t.tokens_out
FROM (SELECT DISTINCT * FROM unnest(:*run_key)) AS k
     JOIN tasks t USING (tenant_id, run_id)
WHERE t.task_no < 16;

-- name: tasks_new
INSERT INTO tasks (tenant_id, run_id, task_no, node_id, kind, state, open_needs, announced_at, ready_at,
                   fence, attempt, executor_id, lease_until, started_at)
SELECT tenant_id, run_id, task_no, node_id, kind, state, open_needs, at_ms(announced_at_ms), at_ms(ready_at_ms),
       fence, attempt, executor_id, at_ms(lease_until_ms), at_ms(started_at_ms)
FROM unnest(:*task_new) AS n;

-- name: tasks_save
UPDATE tasks AS t
SET state = n.state, fence = n.fence, attempt = n.attempt, open_needs = n.open_needs, calls = n.calls, skipped = n.skipped,
    executor_id = n.executor_id, approval_id = n.approval_id, lease_until = at_ms(n.lease_until_ms),
    not_before = at_ms(n.not_before_ms), announced_at = at_ms(n.announced_at_ms), ready_at = at_ms(n.ready_at_ms),
    started_at = at_ms(n.started_at_ms), ended_at = at_ms(n.ended_at_ms), output = coalesce(n.output, t.output),
    error = CASE WHEN n.state <> 'completed' THEN coalesce(n.error, t.error) END, cost_microusd = n.cost_microusd, tokens_in = n.tokens_in,
    tokens_out = n.tokens_out
FROM unnest(:*task_change) AS n
WHERE t.tenant_id = n.tenant_id AND t.run_id = n.run_id AND t.task_no = n.task_no;

-- name: tasks_stop_waiting
-- Of runs that are being cancelled: what no executor holds will not begin any more.
UPDATE tasks AS t SET state = 'cancelled', ended_at = clock_timestamp()
FROM unnest(:*run_key) AS k
WHERE t.tenant_id = k.tenant_id AND t.run_id = k.run_id AND t.state IN ('pending', 'ready', 'awaiting_approval');

-- name: tasks_stop_all
-- Of runs that are over: nothing goes on, and whoever still holds one is stale from here on.
UPDATE tasks AS t SET state = 'cancelled', ended_at = clock_timestamp(), fence = fence + 1
FROM unnest(:*run_key) AS k
WHERE t.tenant_id = k.tenant_id AND t.run_id = k.run_id AND t.state NOT IN ('completed', 'failed', 'cancelled');

-- name: tasks_renew
-- Only the holder of the live fence renews; what it hears tells whether to stop.
UPDATE tasks AS t SET lease_until = clock_timestamp() + n.lease_ms * interval '1 millisecond'
FROM unnest(:tenant_id[]::uuid[], :run_id[]::uuid[], :task_no[]::bigint[], :fence[]::bigint[], :lease_ms[]::bigint[])
         AS n (tenant_id, run_id, task_no, fence, lease_ms)
     JOIN runs r USING (tenant_id, run_id)
WHERE t.tenant_id = n.tenant_id AND t.run_id = n.run_id AND t.task_no = n.task_no AND t.fence = n.fence
  AND t.state IN ('claimed', 'in_progress') AND t.lease_until > clock_timestamp() AND r.ended_at IS NULL
RETURNING t.tenant_id, t.run_id, t.task_no, t.fence, r.phase = 'cancelling' AS cancelling;

-- name: tasks_due
-- What must be mended among these runs: leases that ran out, tasks announced and never taken, waits
-- that are over.
SELECT t.tenant_id, t.run_id, t.task_no
FROM unnest(:*run_key) AS k
     JOIN runs r USING (tenant_id, run_id)
     JOIN tasks t USING (tenant_id, run_id)
WHERE r.ended_at IS NULL
  AND ((t.state IN ('claimed', 'in_progress') AND t.lease_until < clock_timestamp())
       OR (t.state = 'ready' AND t.announced_at < clock_timestamp() - greatest(interval '3 seconds',
               least(t.announced_at - t.ready_at, interval '15 seconds'))) -- less and less often
       OR (t.state = 'pending' AND t.not_before < clock_timestamp()))
ORDER BY t.run_id, t.task_no LIMIT 500;

-- name: runs_due
SELECT tenant_id, run_id
FROM unnest(:*run_key) AS k JOIN runs USING (tenant_id, run_id)
WHERE ended_at IS NULL AND deadline_at < clock_timestamp()
ORDER BY run_id LIMIT 500;

-- name: approvals_due
-- Decided, and whoever waits for it has not heard.
SELECT a.tenant_id, a.approval_id
FROM unnest(:*run_key) AS k
     JOIN approvals a USING (tenant_id, run_id)
     JOIN runs r USING (tenant_id, run_id)
     LEFT JOIN tasks t ON t.tenant_id = a.tenant_id AND t.run_id = a.run_id AND t.approval_id = a.approval_id
WHERE a.decided_at IS NOT NULL
  AND ((a.subject = 'run' AND r.phase = 'awaiting_approval') OR t.state = 'awaiting_approval')
LIMIT 500;

-- name: approvals_load
SELECT a.tenant_id, a.approval_id, a.subject, a.run_id, a.task_no, a.state, a.decided_by, a.feedback
FROM unnest(:tenant_id[]::uuid[], :approval_id[]::uuid[]) AS k (tenant_id, approval_id)
     JOIN approvals a USING (tenant_id, approval_id)
WHERE a.decided_at IS NOT NULL;

-- name: outputs_load
SELECT t.tenant_id, t.run_id, t.task_no, t.node_id, t.output, t.skipped
FROM unnest(:*task_key) AS k
     JOIN tasks t USING (tenant_id, run_id, task_no);

-- name: attempts_new
INSERT INTO attempts (tenant_id, run_id, task_no, fence, executor_id)
SELECT * FROM unnest(:*attempt_new);

-- name: blobs_new
INSERT INTO blobs (tenant_id, blob_hash, bytes)
SELECT * FROM unnest(:tenant_id[]::uuid[], :blob_hash[]::bytea[], :frame[]::bytea[])
ON CONFLICT DO NOTHING;

-- name: run_steps_new
INSERT INTO run_steps (tenant_id, run_id, task_no, call_no, fence, kind, name, provider, blob_hash, request, response,
                       ok, error, cost_microusd, tokens_in, tokens_cached, tokens_out, decision_id, hold_id, started_at, took_ms)
SELECT tenant_id, run_id, task_no, call_no, fence, kind, name, provider, blob_hash, request, response,
       ok, error, cost_microusd, tokens_in, tokens_cached, tokens_out, decision_id, hold_id, at_ms(started_at_ms), took_ms
FROM unnest(:*run_step_new) AS n;

-- name: journal_load
SELECT s.tenant_id, s.run_id, s.task_no, s.call_no, s.fence, s.kind, s.name, s.provider, b.bytes AS frame, s.ok,
       s.error, s.cost_microusd, s.tokens_in, s.tokens_cached, s.tokens_out, s.decision_id, s.hold_id,
       ms(s.started_at) AS started_at_ms, s.took_ms
FROM run_steps s JOIN blobs b USING (tenant_id, blob_hash)
WHERE s.tenant_id = :tenant_id AND s.run_id = :run_id AND s.task_no = :task_no AND s.call_no > :after_call_no
ORDER BY s.call_no LIMIT 200;
