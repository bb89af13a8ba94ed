-- What may happen: rules in versions, every decision with its reason, questions to humans.
CREATE TABLE policies (
    tenant_id   uuid NOT NULL,
    policy_id   uuid NOT NULL,
    project_id  uuid, -- NULL: all projects
    name        text NOT NULL,
    description text,
    version     bigint NOT NULL DEFAULT 1,
    state       text NOT NULL DEFAULT 'enabled' CHECK (state IN ('enabled', 'disabled')),
    rules       jsonb NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, policy_id),
    UNIQUE NULLS NOT DISTINCT (tenant_id, project_id, name)
);

CREATE TABLE policy_versions (
    tenant_id  uuid NOT NULL,
    policy_id  uuid NOT NULL,
    version    bigint NOT NULL,
    state      text NOT NULL,
    rules      jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, policy_id, version),
    FOREIGN KEY (tenant_id, policy_id) REFERENCES policies
);

-- Rises with every change of a tenant's policies: how a reader knows that its copy is old.
CREATE TABLE policy_epochs (
    tenant_id uuid PRIMARY KEY,
    epoch     bigint NOT NULL
);

CREATE TABLE decisions (
    tenant_id      uuid NOT NULL,
    decision_id    uuid NOT NULL,
    subject        text NOT NULL CHECK (subject IN ('run', 'model', 'tool')),
    run_id         uuid NOT NULL,
    task_no        bigint NOT NULL DEFAULT 0,
    call_no        bigint NOT NULL DEFAULT 0,
    effect         text NOT NULL CHECK (effect IN ('allow', 'deny', 'require_approval')),
    policy_id      uuid,
    policy_version bigint NOT NULL DEFAULT 0,
    policy         text,
    rule           text,
    reason         text,
    approval_id    uuid,
    facts          jsonb,
    decided_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, decision_id)
);

CREATE TABLE approvals (
    tenant_id     uuid NOT NULL,
    approval_id   uuid NOT NULL,
    project_id    uuid NOT NULL,
    subject       text NOT NULL CHECK (subject IN ('run', 'model', 'tool')),
    run_id        uuid NOT NULL,
    task_no       bigint NOT NULL DEFAULT 0,
    call_no       bigint NOT NULL DEFAULT 0,
    decision_id   uuid NOT NULL,
    title         text NOT NULL,
    detail        jsonb,
    approver_role text,
    state         text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'approved', 'rejected',
                      'changes_requested', 'blocked', 'expired', 'cancelled')),
    decided_by    text,
    feedback      text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    decided_at    timestamptz,
    expires_at    timestamptz,
    PRIMARY KEY (tenant_id, approval_id),
    CHECK ((decided_at IS NULL) = (state = 'pending'))
);
-- One question per thing asked about.
CREATE UNIQUE INDEX approvals_by_subject ON approvals (run_id, subject, task_no, call_no, tenant_id);
CREATE INDEX approvals_pending ON approvals (tenant_id, approval_id) WHERE decided_at IS NULL;
