-- name: migration_lock
-- Held by the session that migrates, over all its files.
SELECT pg_advisory_lock(7262117901);

-- name: migration_unlock
SELECT pg_advisory_unlock(7262117901);

-- name: migrations_applied
SELECT version, name, checksum, took_ms,
       (extract(epoch FROM applied_at) * 1000)::bigint AS applied_at_ms
FROM schema_migrations
ORDER BY version;
