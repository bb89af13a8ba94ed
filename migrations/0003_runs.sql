-- Runs and their tasks. Both change with every step, so neither has an index on what changes (HOT
-- updates) and pages keep room for the next version of a row.
CREATE TABLE runs (
    tenant_id       uuid NOT NULL,
    run_id          uuid NOT NULL,
    project_id      uuid NOT NULL,
    plan_id         uuid NOT NULL,
    name            text NOT NULL,
    state           text NOT NULL CHECK (state IN ('pending', 'running', 'paused', 'completed', 'failed', 'cancelled')),
    phase           text NOT NULL,
    priority        text NOT NULL CHECK (priority IN ('critical', 'high', 'normal', 'low')),
    input           jsonb,
    output          jsonb,
    error           jsonb,
    labels          jsonb,
    decision_id     uuid NOT NULL, -- nothing runs without a verdict
    hold_id         uuid NOT NULL, -- and without a hold
    approval_id     uuid,
    limit_microusd  bigint NOT NULL DEFAULT 0,
    limit_tokens    bigint NOT NULL DEFAULT 0,
    cost_microusd   bigint NOT NULL DEFAULT 0,
    tokens_in       bigint NOT NULL DEFAULT 0,
    tokens_out      bigint NOT NULL DEFAULT 0,
    run_seq         bigint NOT NULL DEFAULT 0,
    tasks_total     bigint NOT NULL,
    tasks_open      bigint NOT NULL CHECK (tasks_open >= 0),
    tasks_live      bigint NOT NULL DEFAULT 0 CHECK (tasks_live >= 0),
    idempotency_key text,
    request_hash    text,
    created_by      text,
    trace_id        text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    started_at      timestamptz,
    ended_at        timestamptz,
    cancel_requested_at timestamptz,
    deadline_at     timestamptz,
    PRIMARY KEY (tenant_id, run_id),
    CHECK ((ended_at IS NULL) = (state IN ('pending', 'running', 'paused')))
) WITH (fillfactor = 70);
-- Indexes beside the key do not begin with tenant_id: to a planner without statistics two that do
-- look the same, and it may pin a plan that walks a whole tenant for every row.
CREATE UNIQUE INDEX runs_by_key ON runs (idempotency_key, project_id, tenant_id) WHERE idempotency_key IS NOT NULL;
-- Those that are not over: what the sweeper looks through. ended_at changes once.
CREATE INDEX runs_open ON runs (run_id) WHERE ended_at IS NULL;
CREATE INDEX runs_by_project ON runs (project_id, run_id);

CREATE TABLE tasks (
    tenant_id     uuid NOT NULL,
    run_id        uuid NOT NULL,
    task_no       bigint NOT NULL,
    node_id       text NOT NULL,
    kind          text NOT NULL,
    state         text NOT NULL CHECK (state IN ('pending', 'ready', 'claimed', 'in_progress', 'awaiting_approval',
                      'output_pending_assessment', 'escalated', 'completed', 'failed', 'cancelled')),
    fence         bigint NOT NULL DEFAULT 0,
    attempt       bigint NOT NULL DEFAULT 0,
    open_needs    bigint NOT NULL CHECK (open_needs >= 0),
    calls         bigint NOT NULL DEFAULT 0,
    executor_id   text,
    approval_id   uuid,
    lease_until   timestamptz,
    not_before    timestamptz,
    announced_at  timestamptz,
    ready_at      timestamptz,
    started_at    timestamptz,
    ended_at      timestamptz,
    output        jsonb,
    error         jsonb,
    cost_microusd bigint NOT NULL DEFAULT 0,
    tokens_in     bigint NOT NULL DEFAULT 0,
    tokens_out    bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, run_id, task_no)
) WITH (fillfactor = 70);

-- Every claim that was ever granted, with its fence: append only.
CREATE TABLE attempts (
    tenant_id   uuid NOT NULL,
    run_id      uuid NOT NULL,
    task_no     bigint NOT NULL,
    fence       bigint NOT NULL,
    executor_id text NOT NULL,
    claimed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, run_id, task_no, fence)
);

-- Bodies by their hash: what was said before is not kept twice.
CREATE TABLE blobs (
    tenant_id  uuid NOT NULL,
    blob_hash  bytea NOT NULL,
    bytes      bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, blob_hash)
);

-- The journal: every outside call of a task, recorded before the task goes on. Nothing is called
-- without a decision and a hold.
CREATE TABLE run_steps (
    tenant_id     uuid NOT NULL,
    run_id        uuid NOT NULL,
    task_no       bigint NOT NULL,
    call_no       bigint NOT NULL CHECK (call_no > 0),
    fence         bigint NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('llm', 'tool')),
    name          text NOT NULL,
    provider      text,
    blob_hash     bytea NOT NULL,
    request       jsonb,
    response      jsonb,
    ok            boolean NOT NULL,
    error         text,
    cost_microusd bigint NOT NULL DEFAULT 0,
    tokens_in     bigint NOT NULL DEFAULT 0,
    tokens_cached bigint NOT NULL DEFAULT 0,
    tokens_out    bigint NOT NULL DEFAULT 0,
    decision_id   uuid NOT NULL,
    hold_id       uuid NOT NULL,
    started_at    timestamptz NOT NULL,
    took_ms       bigint NOT NULL,
    PRIMARY KEY (tenant_id, run_id, task_no, call_no)
);
