-- A run's end, as it is asked for: how settle_idle is given what it may close at once.
CREATE TYPE hold_over AS (
    tenant_id uuid,
    hold_id uuid,
    release boolean,
    unconfirmed boolean
);
