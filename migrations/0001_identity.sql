-- Who calls: tenants and their keys. ms() is how every statement reads a time.
CREATE FUNCTION ms(at timestamptz) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    RETURN round(date_part('epoch', at) * 1000)::bigint;
CREATE FUNCTION at_ms(ms bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ms > 0 THEN to_timestamp(ms::float8 / 1000) END;

CREATE TABLE tenants (
    tenant_id  uuid PRIMARY KEY,
    name       text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO tenants (tenant_id, name) VALUES ('00000000-0000-7000-8000-000000000001', 'default');

-- A key's secret is kept as argon2id only; key_id is the public half that finds the row.
CREATE TABLE api_keys (
    key_id       text PRIMARY KEY CHECK (length(key_id) = 12),
    tenant_id    uuid NOT NULL REFERENCES tenants,
    name         text NOT NULL,
    prefix       text NOT NULL DEFAULT 'rv',
    key_hash     text NOT NULL CHECK (key_hash LIKE '$argon2id$%'),
    role         text NOT NULL CHECK (role IN ('viewer', 'operator', 'agent_admin', 'workflow_admin', 'org_admin')),
    project_id   uuid,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz
);
CREATE INDEX api_keys_by_tenant ON api_keys (tenant_id, created_at);
