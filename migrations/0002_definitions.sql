-- What people define: projects, and agents, tools and workflows in versions that never change.
CREATE TABLE projects (
    tenant_id   uuid NOT NULL REFERENCES tenants,
    project_id  uuid NOT NULL,
    name        text NOT NULL,
    description text,
    rev         bigint NOT NULL DEFAULT 1,
    definitions_rev bigint NOT NULL DEFAULT 1, -- rises with every change of what is in it
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, project_id),
    UNIQUE (tenant_id, name)
);

CREATE TABLE definitions (
    tenant_id     uuid NOT NULL,
    definition_id uuid NOT NULL,
    project_id    uuid NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('agent', 'tool', 'workflow')),
    name          text NOT NULL,
    version       bigint NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, definition_id),
    UNIQUE (tenant_id, project_id, kind, name),
    FOREIGN KEY (tenant_id, project_id) REFERENCES projects
);

CREATE TABLE definition_versions (
    tenant_id     uuid NOT NULL,
    definition_id uuid NOT NULL,
    version       bigint NOT NULL,
    spec          jsonb NOT NULL,
    created_by    text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, definition_id, version),
    FOREIGN KEY (tenant_id, definition_id) REFERENCES definitions
);

-- Everything a run needs to know, resolved once and named by its own hash.
CREATE TABLE plans (
    tenant_id  uuid NOT NULL,
    plan_id    uuid NOT NULL,
    project_id uuid NOT NULL,
    spec       jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, plan_id)
);
