-- The event log is the outbox too: the relay reads what lies before the oldest transaction still
-- running (xid), so a late commit is never passed over. All writers of a run's events hold that
-- run's advisory lock before they get a transaction id, so within a run xid order is commit order.
CREATE TABLE events (
    xid        xid8 NOT NULL DEFAULT pg_current_xact_id(),
    seq        bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id  uuid NOT NULL,
    project_id uuid NOT NULL,
    run_id     uuid NOT NULL,
    run_seq    bigint NOT NULL CHECK (run_seq > 0),
    type       text NOT NULL,
    node_id    text,
    data       json, -- passed on as it is: nobody looks into it by an index
    trace_id   text,
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (xid, seq)
);
CREATE UNIQUE INDEX events_by_run ON events (run_id, tenant_id, run_seq);

CREATE TABLE relay_cursors (
    name     text PRIMARY KEY,
    xid      xid8 NOT NULL,
    seq      bigint NOT NULL DEFAULT 0,
    moved_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO relay_cursors (name, xid) VALUES ('events', '0');

-- What nobody could read or do: kept with its reason, to be looked at and put back.
CREATE TABLE dead_letters (
    dead_letter_id uuid PRIMARY KEY,
    service        text NOT NULL,
    subject        text NOT NULL,
    reason         text NOT NULL,
    payload        bytea NOT NULL CHECK (length(payload) <= 4096),
    deliveries     bigint NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    requeued_at    timestamptz
);
