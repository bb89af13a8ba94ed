-- name: gateway_keys_find
-- The keys that may be used now, by their public halves. No tenant is known yet.
SELECT key_id, tenant_id, name, prefix, key_hash, role, project_id,
       ms(created_at) AS created_at_ms, ms(expires_at) AS expires_at_ms
FROM api_keys
WHERE key_id = ANY (:key_id[]) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now());

-- name: gateway_key_used
-- At most once a minute, so that a busy key does not write with every request.
UPDATE api_keys SET last_used_at = now()
WHERE key_id = :key_id AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute');

-- name: gateway_key_add
INSERT INTO api_keys (key_id, tenant_id, name, prefix, key_hash, role, project_id, expires_at)
VALUES (:key_id, :tenant_id, :name, :prefix, :key_hash, :role, :project_id, at_ms(:expires_at_ms))
RETURNING ms(created_at) AS created_at_ms;

-- name: gateway_key_ensure
-- The administrator's first key, which comes from a file: twice is once.
INSERT INTO api_keys (key_id, tenant_id, name, prefix, key_hash, role)
VALUES (:key_id, :tenant_id, :name, :prefix, :key_hash, :role)
ON CONFLICT (key_id) DO NOTHING;

-- name: gateway_keys
SELECT key_id, name, prefix, role, project_id, ms(created_at) AS created_at_ms,
       ms(expires_at) AS expires_at_ms, ms(last_used_at) AS last_used_at_ms,
       ms(revoked_at) AS revoked_at_ms
FROM api_keys
WHERE tenant_id = :tenant_id AND (:key_project::uuid IS NULL OR project_id = :key_project)
  AND (:cursor::text IS NULL OR key_id > :cursor)
ORDER BY key_id
LIMIT :limit::bigint + 1;

-- name: gateway_key_get
SELECT key_id, name, prefix, role, project_id, ms(created_at) AS created_at_ms,
       ms(expires_at) AS expires_at_ms, ms(last_used_at) AS last_used_at_ms,
       ms(revoked_at) AS revoked_at_ms
FROM api_keys
WHERE tenant_id = :tenant_id AND key_id = :key_id
  AND (:key_project::uuid IS NULL OR project_id = :key_project);

-- name: gateway_key_revoke
UPDATE api_keys SET revoked_at = coalesce(revoked_at, now())
WHERE tenant_id = :tenant_id AND key_id = :key_id
  AND (:key_project::uuid IS NULL OR project_id = :key_project)
RETURNING key_id;
