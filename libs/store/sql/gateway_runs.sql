-- name: gateway_run_places
-- Where a batch of new runs belongs: one row per question, in any order. A workflow or agent that
-- is asked for by its id brings its project; the rev says whether a plan made before still holds.
SELECT q.place, p.project_id, p.name AS project, p.definitions_rev, d.definition_id, d.kind
FROM unnest(:place[]::bigint[], :project_id[]::uuid[], :project[]::text[], :kind[]::text[], :definition_id[]::uuid[], :name[]::text[])
     AS q (place, project_id, project, kind, definition_id, name)
LEFT JOIN definitions wanted ON wanted.tenant_id = :tenant_id AND wanted.definition_id = q.definition_id
     AND wanted.kind = q.kind
JOIN projects p ON p.tenant_id = :tenant_id
     AND (:key_project::uuid IS NULL OR p.project_id = :key_project)
     AND (q.project_id IS NULL OR p.project_id = q.project_id)
     AND (q.project IS NULL OR p.name = q.project)
     AND (q.definition_id IS NULL OR p.project_id = wanted.project_id)
LEFT JOIN definitions d ON d.tenant_id = :tenant_id AND d.project_id = p.project_id AND d.kind = q.kind
     AND (q.definition_id IS NULL OR d.definition_id = q.definition_id)
     AND (q.name IS NULL OR d.name = q.name);

-- name: gateway_plan_parts
-- All that a plan of this workflow or agent may name.
SELECT d.definition_id, d.project_id, d.kind, d.name, d.version, v.spec
FROM definitions d
JOIN definition_versions v USING (tenant_id, definition_id, version)
WHERE d.tenant_id = :tenant_id AND d.project_id = :project_id
  AND (d.kind IN ('agent', 'tool') OR d.definition_id = :definition_id)
ORDER BY d.kind, d.name;

-- name: gateway_plan_add
INSERT INTO plans (tenant_id, plan_id, project_id, spec)
VALUES (:tenant_id, :plan_id, :project_id, :spec::jsonb)
ON CONFLICT DO NOTHING;

-- name: gateway_runs
SELECT run_id, project_id, plan_id, name, state, phase, priority, labels, error, decision_id, hold_id, approval_id,
       limit_microusd, limit_tokens, cost_microusd, tokens_in, tokens_out, run_seq, tasks_total, tasks_open,
       created_by, trace_id, ms(created_at) AS created_at_ms, ms(started_at) AS started_at_ms,
       ms(ended_at) AS ended_at_ms, ms(cancel_requested_at) AS cancel_requested_at_ms
FROM runs
WHERE tenant_id = :tenant_id AND (:key_project::uuid IS NULL OR project_id = :key_project)
  AND (:project_id::uuid IS NULL OR project_id = :project_id)
  AND (:project::text IS NULL OR project_id =
       (SELECT p.project_id FROM projects p WHERE p.tenant_id = :tenant_id AND p.name = :project))
  AND (:state::text IS NULL OR state = :state)
  AND (:cursor::uuid IS NULL OR run_id < :cursor)
ORDER BY run_id DESC
LIMIT :limit::bigint + 1;

-- name: gateway_run_get
SELECT run_id, project_id, plan_id, name, state, phase, priority, input, output, error, labels,
       decision_id, hold_id, approval_id, limit_microusd, limit_tokens, cost_microusd, tokens_in,
       tokens_out, run_seq, tasks_total, tasks_open, created_by, trace_id,
       ms(created_at) AS created_at_ms, ms(started_at) AS started_at_ms,
       ms(ended_at) AS ended_at_ms, ms(cancel_requested_at) AS cancel_requested_at_ms
FROM runs
WHERE tenant_id = :tenant_id AND run_id = :run_id
  AND (:key_project::uuid IS NULL OR project_id = :key_project);

-- name: gateway_run_see
-- Whether the run is there for whoever asks, and how far its log goes.
SELECT run_id, project_id, state, phase, run_seq, decision_id, hold_id, approval_id, error
FROM runs
WHERE tenant_id = :tenant_id AND run_id = :run_id
  AND (:key_project::uuid IS NULL OR project_id = :key_project);

-- name: gateway_run_tasks
-- Until about 4 MiB of outputs are there, and one row more.
WITH RECURSIVE page AS (
    (SELECT task_no, 1 AS n, 0::bigint AS before, coalesce(octet_length(output::text), 0)::bigint AS bytes
     FROM tasks
     WHERE tenant_id = :tenant_id AND run_id = :run_id AND task_no >= :cursor
     ORDER BY task_no
     LIMIT 1)
    UNION ALL
    SELECT next.task_no, page.n + 1, page.before + page.bytes, next.bytes
    FROM page
    CROSS JOIN LATERAL (
        SELECT t.task_no, coalesce(octet_length(t.output::text), 0)::bigint AS bytes
        FROM tasks t
        WHERE t.tenant_id = :tenant_id AND t.run_id = :run_id AND t.task_no > page.task_no
        ORDER BY t.task_no
        LIMIT 1) next
    WHERE page.n <= :limit::bigint AND page.before < 4194304
)
SELECT run_id, task_no, node_id, kind, state, attempt, open_needs, calls, executor_id, approval_id,
       ms(ready_at) AS ready_at_ms, ms(started_at) AS started_at_ms, ms(ended_at) AS ended_at_ms,
       skipped, output, error, cost_microusd, tokens_in, tokens_out
FROM page
JOIN tasks USING (task_no)
WHERE tenant_id = :tenant_id AND run_id = :run_id
ORDER BY task_no;

-- name: gateway_run_steps
-- Row by row, until about 4 MiB are there, and one row more: what was asked and answered may be
-- large, and what is not said is not read either.
WITH RECURSIVE page AS (
    (SELECT task_no, call_no, 1 AS n, 0::bigint AS before,
            coalesce(octet_length(request::text), 0)::bigint + coalesce(octet_length(response::text), 0) AS bytes
     FROM run_steps
     WHERE tenant_id = :tenant_id AND run_id = :run_id AND task_no * 1000000 + call_no >= :cursor
     ORDER BY task_no, call_no
     LIMIT 1)
    UNION ALL
    SELECT next.task_no, next.call_no, page.n + 1, page.before + page.bytes, next.bytes
    FROM page
    CROSS JOIN LATERAL (
        SELECT s.task_no, s.call_no,
               coalesce(octet_length(s.request::text), 0)::bigint + coalesce(octet_length(s.response::text), 0) AS bytes
        FROM run_steps s
        WHERE s.tenant_id = :tenant_id AND s.run_id = :run_id
          AND (s.task_no, s.call_no) > (page.task_no, page.call_no)
        ORDER BY s.task_no, s.call_no
        LIMIT 1) next
    WHERE page.n <= :limit::bigint AND page.before < 4194304
)
SELECT run_id, task_no, call_no, kind, name, provider, request, response, ok, error, cost_microusd,
       tokens_in, tokens_cached, tokens_out, decision_id, hold_id, ms(started_at) AS started_at_ms, took_ms
FROM page
JOIN run_steps USING (task_no, call_no)
WHERE tenant_id = :tenant_id AND run_id = :run_id
ORDER BY task_no, call_no;

-- name: gateway_run_evaluations
SELECT evaluation_id, project_id, run_id, scorer, kind, score, weight, passed, reason,
       ms(created_at) AS created_at_ms
FROM evaluations
WHERE tenant_id = :tenant_id AND run_id = :run_id
ORDER BY scorer;

-- name: gateway_decision_get
SELECT decision_id, subject, run_id, task_no, call_no, effect, policy_id, policy_version, policy, rule,
       reason, approval_id, facts, ms(decided_at) AS decided_at_ms
FROM decisions
WHERE tenant_id = :tenant_id AND decision_id = :decision_id;

-- name: gateway_hold_get
SELECT hold_id, state, amount_microusd, amount_tokens, used_microusd, used_tokens, drawn_microusd,
       drawn_tokens, ms(expires_at) AS expires_at_ms, ms(created_at) AS created_at_ms,
       ms(closed_at) AS closed_at_ms
FROM holds
WHERE tenant_id = :tenant_id AND hold_id = :hold_id;

-- name: gateway_run_usage
SELECT hold_id, task_no, call_no, provider, model, tokens_in, tokens_cached, tokens_out, cost_microusd,
       unconfirmed, ms(used_at) AS used_at_ms
FROM usage
WHERE tenant_id = :tenant_id AND run_id = :run_id
ORDER BY task_no, call_no
LIMIT 2000;

-- name: gateway_approvals
SELECT approval_id, project_id, subject, run_id, task_no, call_no, decision_id, title, detail,
       approver_role, state, decided_by, feedback, ms(created_at) AS created_at_ms,
       ms(decided_at) AS decided_at_ms, ms(expires_at) AS expires_at_ms
FROM approvals
WHERE tenant_id = :tenant_id AND (:key_project::uuid IS NULL OR project_id = :key_project)
  AND (:project_id::uuid IS NULL OR project_id = :project_id)
  AND (:project::text IS NULL OR project_id =
       (SELECT p.project_id FROM projects p WHERE p.tenant_id = :tenant_id AND p.name = :project))
  AND (:run_id::uuid IS NULL OR run_id = :run_id)
  AND (:state::text IS NULL OR state = :state)
  AND (:cursor::uuid IS NULL OR approval_id > :cursor)
ORDER BY approval_id
LIMIT :limit::bigint + 1;

-- name: gateway_approval_get
SELECT approval_id, project_id, subject, run_id, task_no, call_no, decision_id, title, detail,
       approver_role, state, decided_by, feedback, ms(created_at) AS created_at_ms,
       ms(decided_at) AS decided_at_ms, ms(expires_at) AS expires_at_ms
FROM approvals
WHERE tenant_id = :tenant_id AND approval_id = :approval_id
  AND (:key_project::uuid IS NULL OR project_id = :key_project);
