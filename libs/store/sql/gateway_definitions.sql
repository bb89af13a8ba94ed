-- name: gateway_project_find
-- The one project that is meant, by id, by name, or because the key has no other.
SELECT project_id, name, description, rev, definitions_rev,
       ms(created_at) AS created_at_ms, ms(updated_at) AS updated_at_ms
FROM projects
WHERE tenant_id = :tenant_id AND (:key_project::uuid IS NULL OR project_id = :key_project)
  AND (:project_id::uuid IS NULL OR project_id = :project_id)
  AND (:project::text IS NULL OR name = :project);

-- name: gateway_project_lock
-- One at a time changes what is in a project.
SELECT project_id, name, description, rev, definitions_rev,
       ms(created_at) AS created_at_ms, ms(updated_at) AS updated_at_ms
FROM projects
WHERE tenant_id = :tenant_id AND (:key_project::uuid IS NULL OR project_id = :key_project)
  AND (:project_id::uuid IS NULL OR project_id = :project_id)
  AND (:project::text IS NULL OR name = :project)
FOR UPDATE;

-- name: gateway_project_add
INSERT INTO projects (tenant_id, project_id, name, description)
VALUES (:tenant_id, :project_id, :name, :description)
ON CONFLICT DO NOTHING
RETURNING project_id, name, description, rev, ms(created_at) AS created_at_ms, ms(updated_at) AS updated_at_ms;

-- name: gateway_project_set
-- What is not given stays. A name that is taken changes nothing.
UPDATE projects SET name = coalesce(:name, name), description = coalesce(:description, description),
       rev = rev + 1, definitions_rev = definitions_rev + 1, updated_at = now()
WHERE tenant_id = :tenant_id AND project_id = :project_id
  AND NOT EXISTS (SELECT FROM projects other WHERE other.tenant_id = :tenant_id
                  AND other.name = :name AND other.project_id <> :project_id)
RETURNING project_id, name, description, rev, ms(created_at) AS created_at_ms, ms(updated_at) AS updated_at_ms;

-- name: gateway_projects
SELECT project_id, name, description, rev,
       ms(created_at) AS created_at_ms, ms(updated_at) AS updated_at_ms
FROM projects
WHERE tenant_id = :tenant_id AND (:key_project::uuid IS NULL OR project_id = :key_project)
  AND (:name::text IS NULL OR name = :name) AND (:cursor::uuid IS NULL OR project_id > :cursor)
ORDER BY project_id
LIMIT :limit::bigint + 1;

-- name: gateway_definitions
-- A page is about 4 MiB of specs at most, and one row more.
WITH page AS (
    SELECT d.definition_id, d.project_id, d.kind, d.name, d.version, v.spec, d.created_at, d.updated_at
    FROM definitions d
    JOIN definition_versions v USING (tenant_id, definition_id, version)
    WHERE d.tenant_id = :tenant_id AND d.kind = :kind
      AND (:key_project::uuid IS NULL OR d.project_id = :key_project)
      AND (:project_id::uuid IS NULL OR d.project_id = :project_id)
      AND (:project::text IS NULL OR d.project_id =
           (SELECT p.project_id FROM projects p WHERE p.tenant_id = :tenant_id AND p.name = :project))
      AND (:name::text IS NULL OR d.name = :name)
      AND (:cursor::uuid IS NULL OR d.definition_id > :cursor)
    ORDER BY d.definition_id
    LIMIT :limit::bigint + 1
), counted AS (
    SELECT *, sum(octet_length(spec::text)) OVER (ORDER BY definition_id ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING) AS before
    FROM page
)
SELECT definition_id, project_id, kind, name, version, spec, ms(created_at) AS created_at_ms, ms(updated_at) AS updated_at_ms
FROM counted
WHERE coalesce(before, 0) < 4194304
ORDER BY definition_id;

-- name: gateway_definition_get
SELECT d.definition_id, d.project_id, d.kind, d.name, d.version, v.spec,
       ms(d.created_at) AS created_at_ms, ms(d.updated_at) AS updated_at_ms
FROM definitions d
JOIN definition_versions v USING (tenant_id, definition_id, version)
WHERE d.tenant_id = :tenant_id AND d.definition_id = :id AND d.kind = :kind
  AND (:key_project::uuid IS NULL OR d.project_id = :key_project);

-- name: gateway_definition_named
-- The one that has this name already, and whether its spec is the one given.
SELECT d.definition_id, d.project_id, d.kind, d.name, d.version, v.spec, v.spec = :spec::jsonb AS same,
       ms(d.created_at) AS created_at_ms, ms(d.updated_at) AS updated_at_ms
FROM definitions d
JOIN definition_versions v USING (tenant_id, definition_id, version)
WHERE d.tenant_id = :tenant_id AND d.project_id = :project_id AND d.kind = :kind AND d.name = :name;

-- name: gateway_definition_add
INSERT INTO definitions (tenant_id, definition_id, project_id, kind, name, version)
VALUES (:tenant_id, :definition_id, :project_id, :kind, :name, :version)
RETURNING ms(created_at) AS created_at_ms, ms(updated_at) AS updated_at_ms;

-- name: gateway_definition_move
-- Its current version becomes the next one.
UPDATE definitions SET version = :version, updated_at = now()
WHERE tenant_id = :tenant_id AND definition_id = :definition_id
RETURNING ms(created_at) AS created_at_ms, ms(updated_at) AS updated_at_ms;

-- name: gateway_definition_version_add
INSERT INTO definition_versions (tenant_id, definition_id, version, spec, created_by)
VALUES (:tenant_id, :definition_id, :version, :spec::jsonb, :created_by);

-- name: gateway_definitions_changed
-- Plans made before this are out of date.
UPDATE projects SET definitions_rev = definitions_rev + 1
WHERE tenant_id = :tenant_id AND project_id = :project_id;

-- name: gateway_policies
SELECT policy_id, project_id, name, description, version, state, rules,
       ms(created_at) AS created_at_ms, ms(updated_at) AS updated_at_ms
FROM policies
WHERE tenant_id = :tenant_id AND (:key_project::uuid IS NULL OR project_id = :key_project)
  AND (:project_id::uuid IS NULL OR project_id = :project_id)
  AND (:project::text IS NULL OR project_id =
       (SELECT p.project_id FROM projects p WHERE p.tenant_id = :tenant_id AND p.name = :project))
  AND (:name::text IS NULL OR name = :name) AND (:cursor::uuid IS NULL OR policy_id > :cursor)
ORDER BY policy_id
LIMIT :limit::bigint + 1;

-- name: gateway_policy_named
-- The one of this name, in this project or in none.
SELECT policy_id, project_id, name, description, version, state, rules,
       ms(created_at) AS created_at_ms, ms(updated_at) AS updated_at_ms
FROM policies
WHERE tenant_id = :tenant_id AND name = :name AND project_id IS NOT DISTINCT FROM :project_id::uuid;

-- name: gateway_policy_get
SELECT policy_id, project_id, name, description, version, state, rules,
       ms(created_at) AS created_at_ms, ms(updated_at) AS updated_at_ms
FROM policies
WHERE tenant_id = :tenant_id AND policy_id = :policy_id
  AND (:key_project::uuid IS NULL OR project_id = :key_project);

-- name: gateway_budgets
SELECT budget_id, project_id, name, state, limit_microusd, limit_tokens, held_microusd, spent_microusd,
       held_tokens, spent_tokens, rev, ms(created_at) AS created_at_ms, ms(updated_at) AS updated_at_ms
FROM budgets
WHERE tenant_id = :tenant_id AND (:key_project::uuid IS NULL OR project_id = :key_project)
  AND (:project_id::uuid IS NULL OR project_id = :project_id)
  AND (:project::text IS NULL OR project_id =
       (SELECT p.project_id FROM projects p WHERE p.tenant_id = :tenant_id AND p.name = :project))
  AND (:name::text IS NULL OR name = :name) AND (:cursor::uuid IS NULL OR budget_id > :cursor)
ORDER BY budget_id
LIMIT :limit::bigint + 1;

-- name: gateway_budget_named
-- The one of this name, in this project or in none.
SELECT budget_id, project_id, name, state, limit_microusd, limit_tokens, held_microusd, spent_microusd,
       held_tokens, spent_tokens, rev, ms(created_at) AS created_at_ms, ms(updated_at) AS updated_at_ms
FROM budgets
WHERE tenant_id = :tenant_id AND name = :name AND project_id IS NOT DISTINCT FROM :project_id::uuid;

-- name: gateway_budget_get
SELECT budget_id, project_id, name, state, limit_microusd, limit_tokens, held_microusd, spent_microusd,
       held_tokens, spent_tokens, rev, ms(created_at) AS created_at_ms, ms(updated_at) AS updated_at_ms
FROM budgets
WHERE tenant_id = :tenant_id AND budget_id = :budget_id
  AND (:key_project::uuid IS NULL OR project_id = :key_project);
