-- Money: budgets with three accounts each, holds, the ledger of every movement, prices, usage.
CREATE TABLE budgets (
    tenant_id      uuid NOT NULL,
    budget_id      uuid NOT NULL,
    project_id     uuid, -- NULL: all projects
    name           text NOT NULL,
    state          text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'closed')),
    limit_microusd bigint NOT NULL DEFAULT 0 CHECK (limit_microusd >= 0), -- 0: no limit
    limit_tokens   bigint NOT NULL DEFAULT 0 CHECK (limit_tokens >= 0),
    held_microusd  bigint NOT NULL DEFAULT 0 CHECK (held_microusd >= 0),
    spent_microusd bigint NOT NULL DEFAULT 0 CHECK (spent_microusd >= 0),
    held_tokens    bigint NOT NULL DEFAULT 0 CHECK (held_tokens >= 0),
    spent_tokens   bigint NOT NULL DEFAULT 0 CHECK (spent_tokens >= 0),
    rev            bigint NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, budget_id),
    UNIQUE NULLS NOT DISTINCT (tenant_id, project_id, name),
    -- The last line of defence: no code can overspend.
    CONSTRAINT budgets_never_over CHECK (
        (limit_microusd = 0 OR held_microusd + spent_microusd <= limit_microusd) AND
        (limit_tokens = 0 OR held_tokens + spent_tokens <= limit_tokens))
) WITH (fillfactor = 50);

CREATE TABLE holds (
    tenant_id       uuid NOT NULL,
    hold_id         uuid NOT NULL,
    parent_hold_id  uuid,
    project_id      uuid NOT NULL,
    run_id          uuid NOT NULL,
    task_no         bigint NOT NULL DEFAULT 0,
    call_no         bigint NOT NULL DEFAULT 0,
    state           text NOT NULL CHECK (state IN ('held', 'committed', 'released', 'expired', 'refused')),
    budget_ids      uuid[] NOT NULL,
    provider        text,
    model           text,
    amount_microusd bigint NOT NULL CHECK (amount_microusd >= 0),
    amount_tokens   bigint NOT NULL CHECK (amount_tokens >= 0),
    used_microusd   bigint NOT NULL DEFAULT 0,
    used_tokens     bigint NOT NULL DEFAULT 0,
    drawn_microusd  bigint NOT NULL DEFAULT 0 CHECK (drawn_microusd >= 0),
    drawn_tokens    bigint NOT NULL DEFAULT 0 CHECK (drawn_tokens >= 0),
    unconfirmed     boolean NOT NULL DEFAULT false,
    expires_at      timestamptz NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    closed_at       timestamptz,
    PRIMARY KEY (tenant_id, hold_id),
    CHECK ((closed_at IS NULL) = (state = 'held')),
    CHECK (used_microusd + drawn_microusd <= amount_microusd),
    CHECK (used_tokens + drawn_tokens <= amount_tokens)
) WITH (fillfactor = 70);
CREATE INDEX holds_open_runs ON holds (hold_id) WHERE closed_at IS NULL AND parent_hold_id IS NULL;
CREATE INDEX holds_open_calls ON holds (parent_hold_id) WHERE closed_at IS NULL AND parent_hold_id IS NOT NULL;

CREATE TABLE ledger (
    entry_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id    uuid NOT NULL,
    budget_id    uuid NOT NULL,
    hold_id      uuid NOT NULL,
    currency     text NOT NULL CHECK (currency IN ('usd', 'tokens')),
    from_account text NOT NULL CHECK (from_account IN ('available', 'held', 'spent')),
    to_account   text NOT NULL CHECK (to_account IN ('available', 'held', 'spent') AND to_account <> from_account),
    amount       bigint NOT NULL CHECK (amount > 0),
    booked_at    timestamptz NOT NULL DEFAULT now()
);

-- Micro-dollars per million tokens. '*' stands for any other.
CREATE TABLE prices (
    provider                 text NOT NULL,
    model                    text NOT NULL,
    in_microusd_per_mtok     bigint NOT NULL CHECK (in_microusd_per_mtok >= 0),
    cached_microusd_per_mtok bigint NOT NULL CHECK (cached_microusd_per_mtok >= 0),
    out_microusd_per_mtok    bigint NOT NULL CHECK (out_microusd_per_mtok >= 0),
    PRIMARY KEY (provider, model)
);
-- The built-in model costs what a small hosted one does, so that budgets mean something without a
-- key; a model that nobody priced is taken for an expensive one.
INSERT INTO prices VALUES
    ('sim', '*', 150000, 75000, 600000),
    ('openai', 'gpt-4o-mini', 150000, 75000, 600000),
    ('openai', 'gpt-4o', 2500000, 1250000, 10000000),
    ('*', '*', 15000000, 15000000, 75000000);

-- What calls really used; one row a call.
CREATE TABLE usage (
    tenant_id     uuid NOT NULL,
    hold_id       uuid NOT NULL, -- of the call
    project_id    uuid NOT NULL,
    run_id        uuid NOT NULL,
    task_no       bigint NOT NULL,
    call_no       bigint NOT NULL,
    provider      text,
    model         text,
    tokens_in     bigint NOT NULL,
    tokens_cached bigint NOT NULL DEFAULT 0,
    tokens_out    bigint NOT NULL,
    cost_microusd bigint NOT NULL,
    unconfirmed   boolean NOT NULL DEFAULT false,
    used_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, hold_id)
);
CREATE INDEX usage_by_run ON usage (tenant_id, run_id);
