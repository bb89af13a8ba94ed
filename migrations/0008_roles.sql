-- One role a service: each writes its own tables and reads what it must. Who logs in is a member of
-- them and says SET ROLE. The gateway, which strangers talk to, sees one tenant at a time.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['gateway', 'scheduler', 'policy', 'budget', 'evaluator'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reeve_' || name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', 'reeve_' || name);
        END IF;
        EXECUTE format('GRANT %I TO %I', 'reeve_' || name, current_user);
        EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', 'reeve_' || name);
        EXECUTE format('GRANT SELECT ON schema_migrations TO %I', 'reeve_' || name);
    END LOOP;
END $$;

GRANT SELECT ON ALL TABLES IN SCHEMA public TO reeve_gateway;
GRANT INSERT, UPDATE ON api_keys, projects, definitions, definition_versions, plans TO reeve_gateway;

GRANT SELECT ON plans, approvals, decisions, holds TO reeve_scheduler;
GRANT SELECT, INSERT, UPDATE ON runs, tasks, attempts, blobs, run_steps, events, relay_cursors, dead_letters TO reeve_scheduler;

GRANT SELECT ON runs TO reeve_policy;
GRANT SELECT, INSERT, UPDATE ON policies, policy_versions, policy_epochs, decisions, approvals TO reeve_policy;

GRANT SELECT ON runs, prices, projects TO reeve_budget;
GRANT SELECT, INSERT, UPDATE ON budgets, holds, ledger, usage TO reeve_budget;

GRANT SELECT ON runs, plans, tasks TO reeve_evaluator;
GRANT SELECT, INSERT ON evaluations TO reeve_evaluator;

GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO reeve_scheduler, reeve_budget;

-- Row-level security for the gateway: without a tenant it sees nothing. Keys are looked up before a
-- tenant is known, so api_keys shows itself, and the statement names key_id. IS TRUE: the policy
-- filters and is no reason to take an index; statements name their tenant themselves.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['projects', 'definitions', 'definition_versions', 'plans', 'runs', 'tasks', 'attempts',
        'blobs', 'run_steps', 'events', 'policies', 'policy_versions', 'decisions', 'approvals', 'budgets', 'holds',
        'ledger', 'usage', 'evaluations'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY one_tenant ON %I TO reeve_gateway USING ((tenant_id = nullif(current_setting(''reeve.tenant'', true), '''')::uuid) IS TRUE)', name);
        EXECUTE format('CREATE POLICY all_tenants ON %I TO reeve_scheduler, reeve_policy, reeve_budget, reeve_evaluator USING (true)', name);
    END LOOP;
END $$;
