-- name: evaluator_runs
SELECT tenant_id, run_id, project_id, plan_id, name, state, input, output, cost_microusd, tokens_in, tokens_out,
       ms(created_at) AS created_at_ms, ms(started_at) AS started_at_ms, ms(ended_at) AS ended_at_ms
FROM runs
WHERE (tenant_id, run_id) IN (SELECT * FROM unnest(:tenant_id[]::uuid[], :run_id[]::uuid[]));

-- name: evaluator_scorers
SELECT tenant_id, plan_id, coalesce(spec -> 'scorers', '[]'::jsonb)::text AS scorers
FROM plans
WHERE (tenant_id, plan_id) IN (SELECT * FROM unnest(:tenant_id[]::uuid[], :plan_id[]::uuid[]));

-- name: evaluations_add
-- Heard twice is scored once: the first score stands.
INSERT INTO evaluations (tenant_id, evaluation_id, project_id, run_id, scorer, kind, score, weight, passed, reason)
SELECT *
FROM unnest(:tenant_id[]::uuid[], :evaluation_id[]::uuid[], :project_id[]::uuid[], :run_id[]::uuid[],
            :scorer[]::text[], :kind[]::text[], :score[]::float8[], :weight[]::float8[], :passed[]::boolean[],
            :reason[]::text[])
ON CONFLICT DO NOTHING;
