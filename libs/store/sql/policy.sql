-- name: policy_epochs
-- How new the policies of these tenants are: one question per batch.
SELECT t.tenant_id, coalesce(e.epoch, 0) AS epoch
FROM (SELECT DISTINCT tenant_id FROM unnest(:tenant_id[]::uuid[]) AS u(tenant_id)) t
LEFT JOIN policy_epochs e USING (tenant_id);

-- name: policy_list
-- Rules as text: a row that cannot be read must not fail the work, it must deny.
SELECT tenant_id, policy_id, project_id, name, version, state, rules::text AS rules
FROM policies
WHERE tenant_id = :tenant_id AND state <> 'disabled'
ORDER BY name, policy_id;

-- name: decisions_add
INSERT INTO decisions (tenant_id, decision_id, subject, run_id, task_no, call_no, effect, policy_id,
                       policy_version, policy, rule, reason, approval_id, facts)
SELECT *
FROM unnest(:*decision_new);

-- name: approvals_add
-- One question per thing asked about; whoever asks again reads the first one.
INSERT INTO approvals (tenant_id, approval_id, project_id, subject, run_id, task_no, call_no,
                       decision_id, title, detail, approver_role, expires_at)
SELECT tenant_id, approval_id, project_id, subject, run_id, task_no, call_no, decision_id, title, detail,
       approver_role, now() + expires_ms * interval '1 millisecond'
FROM unnest(:tenant_id[]::uuid[], :approval_id[]::uuid[], :project_id[]::uuid[], :subject[]::text[],
            :run_id[]::uuid[], :task_no[]::bigint[], :call_no[]::bigint[], :decision_id[]::uuid[],
            :title[]::text[], :detail[]::jsonb[], :approver_role[]::text[], :expires_ms[]::bigint[])
     AS t(tenant_id, approval_id, project_id, subject, run_id, task_no, call_no, decision_id, title, detail,
          approver_role, expires_ms)
ORDER BY tenant_id, run_id, subject, task_no, call_no
ON CONFLICT DO NOTHING;

-- name: approvals_of
-- With whether it was asked about the very same thing: a yes to one is no yes to another.
SELECT a.tenant_id, a.approval_id, a.subject, a.run_id, a.task_no, a.call_no, a.state, a.decided_by, a.feedback,
       a.detail IS NOT DISTINCT FROM t.detail AS same
FROM unnest(:tenant_id[]::uuid[], :run_id[]::uuid[], :subject[]::text[], :task_no[]::bigint[], :call_no[]::bigint[],
            :detail[]::jsonb[])
     AS t(tenant_id, run_id, subject, task_no, call_no, detail)
JOIN approvals a USING (tenant_id, run_id, subject, task_no, call_no);

-- name: policy_epoch_raise
-- First of all in a change: its row lock is the queue for changes of one tenant.
INSERT INTO policy_epochs (tenant_id, epoch) VALUES (:tenant_id, 1)
ON CONFLICT (tenant_id) DO UPDATE SET epoch = policy_epochs.epoch + 1;

-- name: policy_find
SELECT tenant_id, policy_id, project_id, name, version, state
FROM policies
WHERE tenant_id = :tenant_id::uuid
  AND (policy_id = :policy_id::uuid
       OR (:policy_id::uuid IS NULL AND name = :name::text AND project_id IS NOT DISTINCT FROM :project_id::uuid))
FOR UPDATE;

-- name: policy_add
INSERT INTO policies (tenant_id, policy_id, project_id, name, description, state, rules)
VALUES (:tenant_id, :policy_id, :project_id, :name, :description, :state, :rules)
RETURNING tenant_id, policy_id, project_id, name, description, version, state, rules,
          ms(created_at) AS created_at_ms, ms(updated_at) AS updated_at_ms, version AS rev;

-- name: policy_set
UPDATE policies
SET name = :name, description = :description, state = :state, rules = :rules, version = version + 1, updated_at = now()
WHERE tenant_id = :tenant_id AND policy_id = :policy_id
RETURNING tenant_id, policy_id, project_id, name, description, version, state, rules,
          ms(created_at) AS created_at_ms, ms(updated_at) AS updated_at_ms, version AS rev;

-- name: policy_version_add
INSERT INTO policy_versions (tenant_id, policy_id, version, state, rules)
VALUES (:tenant_id, :policy_id, :version, :state, :rules);

-- name: approval_find
SELECT tenant_id, approval_id, project_id, subject, run_id, task_no, call_no, decision_id, title, detail,
       approver_role, state, decided_by, feedback, ms(created_at) AS created_at_ms,
       ms(decided_at) AS decided_at_ms, ms(expires_at) AS expires_at_ms
FROM approvals
WHERE tenant_id = :tenant_id AND approval_id = :approval_id
FOR UPDATE;

-- name: approval_move
-- No row: it was not in that state any more, or its time was over.
UPDATE approvals
SET state = :state, decided_by = :decided_by, feedback = :feedback, decided_at = now()
WHERE tenant_id = :tenant_id AND approval_id = :approval_id AND state = 'pending'
  AND (expires_at IS NULL OR expires_at > now())
RETURNING tenant_id, approval_id, project_id, subject, run_id, task_no, call_no, decision_id, title, detail,
          approver_role, state, decided_by, feedback, ms(created_at) AS created_at_ms,
          ms(decided_at) AS decided_at_ms, ms(expires_at) AS expires_at_ms;

-- name: approvals_expire
-- Nobody answered in time, or what was asked about is over.
UPDATE approvals a
SET state = due.state, decided_at = now()
FROM (SELECT p.tenant_id, p.approval_id, CASE WHEN r.ended_at IS NULL THEN 'expired' ELSE 'cancelled' END AS state
      FROM approvals p LEFT JOIN runs r ON r.tenant_id = p.tenant_id AND r.run_id = p.run_id
      WHERE p.decided_at IS NULL AND (p.expires_at < now() OR r.ended_at IS NOT NULL)
      ORDER BY p.tenant_id, p.approval_id
      LIMIT 200
      FOR UPDATE OF p SKIP LOCKED) due
WHERE a.tenant_id = due.tenant_id AND a.approval_id = due.approval_id
RETURNING a.tenant_id, a.approval_id;
