-- The rows that services write in one go, as they are handed to Postgres: one parameter, which is read
-- in one scan, where an array for each column takes a scan each. Columns are named as the fields of the
-- record are. A type is never changed: a service of before, which knows it as it was, may still run.
CREATE TYPE run_new AS (
    tenant_id uuid,
    run_id uuid,
    project_id uuid,
    plan_id uuid,
    name text,
    state text,
    phase text,
    priority text,
    input jsonb,
    error jsonb,
    labels jsonb,
    decision_id uuid,
    hold_id uuid,
    approval_id uuid,
    limit_microusd bigint,
    limit_tokens bigint,
    run_seq bigint,
    tasks_total bigint,
    tasks_open bigint,
    tasks_live bigint,
    idempotency_key text,
    request_hash text,
    created_by text,
    trace_id text,
    created_at_ms bigint,
    started_at_ms bigint,
    ended_at_ms bigint,
    deadline_at_ms bigint
);
CREATE TYPE run_change AS (
    tenant_id uuid,
    run_id uuid,
    state text,
    phase text,
    output jsonb,
    error jsonb,
    cost_microusd bigint,
    tokens_in bigint,
    tokens_out bigint,
    run_seq bigint,
    version bigint,
    seen_seq bigint,
    tasks_open bigint,
    tasks_live bigint,
    started_at_ms bigint,
    ended_at_ms bigint,
    cancel_requested_at_ms bigint
);
CREATE TYPE task_new AS (
    tenant_id uuid,
    run_id uuid,
    task_no bigint,
    node_id text,
    kind text,
    state text,
    open_needs bigint,
    announced_at_ms bigint,
    ready_at_ms bigint,
    fence bigint,
    attempt bigint,
    executor_id text,
    lease_until_ms bigint,
    started_at_ms bigint
);
CREATE TYPE task_change AS (
    tenant_id uuid,
    run_id uuid,
    task_no bigint,
    state text,
    fence bigint,
    attempt bigint,
    open_needs bigint,
    calls bigint,
    executor_id text,
    approval_id uuid,
    lease_until_ms bigint,
    not_before_ms bigint,
    announced_at_ms bigint,
    ready_at_ms bigint,
    started_at_ms bigint,
    ended_at_ms bigint,
    skipped boolean,
    output jsonb,
    error jsonb,
    cost_microusd bigint,
    tokens_in bigint,
    tokens_out bigint
);
CREATE TYPE attempt_new AS (
    tenant_id uuid,
    run_id uuid,
    task_no bigint,
    fence bigint,
    executor_id text
);
CREATE TYPE event_new AS (
    tenant_id uuid,
    project_id uuid,
    run_id uuid,
    run_seq bigint,
    type text,
    node_id text,
    data json,
    trace_id text,
    at_ms bigint
);
CREATE TYPE decision_new AS (
    tenant_id uuid,
    decision_id uuid,
    subject text,
    run_id uuid,
    task_no bigint,
    call_no bigint,
    effect text,
    policy_id uuid,
    policy_version bigint,
    policy text,
    rule text,
    reason text,
    approval_id uuid,
    facts jsonb
);
CREATE TYPE hold_new AS (
    tenant_id uuid,
    hold_id uuid,
    parent_hold_id uuid,
    project_id uuid,
    run_id uuid,
    task_no bigint,
    call_no bigint,
    state text,
    budget_ids text,
    provider text,
    model text,
    amount_microusd bigint,
    amount_tokens bigint,
    expires_ms bigint
);
CREATE TYPE run_step_new AS (
    tenant_id uuid,
    run_id uuid,
    task_no bigint,
    call_no bigint,
    fence bigint,
    kind text,
    name text,
    provider text,
    blob_hash bytea,
    request jsonb,
    response jsonb,
    ok boolean,
    error text,
    cost_microusd bigint,
    tokens_in bigint,
    tokens_cached bigint,
    tokens_out bigint,
    decision_id uuid,
    hold_id uuid,
    started_at_ms bigint,
    took_ms bigint
);
CREATE TYPE run_key AS (
    tenant_id uuid,
    run_id uuid
);
CREATE TYPE task_key AS (
    tenant_id uuid,
    run_id uuid,
    task_no bigint
);
CREATE TYPE hold_key AS (
    tenant_id uuid,
    hold_id uuid
);
CREATE TYPE hold_end AS (
    tenant_id uuid,
    hold_id uuid,
    state text
);
CREATE TYPE call_end AS (
    tenant_id uuid,
    hold_id uuid,
    state text,
    used_microusd bigint,
    used_tokens bigint,
    unconfirmed boolean,
    draw_microusd bigint,
    draw_tokens bigint,
    spent_tokens bigint,
    tokens_in bigint,
    tokens_cached bigint,
    tokens_out bigint
);

-- Rises with every change of a run or of its tasks: who has them at hand can tell whether they are as
-- they were.
ALTER TABLE runs ADD COLUMN version bigint NOT NULL DEFAULT 0;

CREATE FUNCTION must_be_all(done bigint, asked int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF done <> asked THEN
        RAISE EXCEPTION 'somebody was faster' USING ERRCODE = 'serialization_failure';
    END IF;
END $$;
