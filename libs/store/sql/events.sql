-- name: events_new
INSERT INTO events (tenant_id, project_id, run_id, run_seq, type, node_id, data, trace_id, at)
SELECT tenant_id, project_id, run_id, run_seq, type, node_id, data, trace_id, at_ms(at_ms)
FROM unnest(:*event_new) AS n;

-- name: relay_lead
-- One relay at a time; whoever does not lead has nothing to do, and relay_read, which goes out in the
-- same flight, finds nothing.
SELECT set_config('reeve.leads', pg_try_advisory_xact_lock(7236117)::text, true);

-- name: relay_read
-- Events before the oldest transaction that is still running, after the cursor, in commit order of
-- each run. The cursor is read by itself: joined, a planner may begin with all events there are.
SELECT e.xid::text AS xid, e.seq, e.tenant_id, e.project_id, e.run_id, e.run_seq, e.type, e.node_id, e.data, e.trace_id,
       ms(e.at) AS at_ms
FROM events e
WHERE (SELECT current_setting('reeve.leads')::boolean)
  AND (e.xid, e.seq) > ((SELECT c.xid FROM relay_cursors c WHERE c.name = 'events'),
                        (SELECT c.seq FROM relay_cursors c WHERE c.name = 'events'))
  AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY e.xid, e.seq LIMIT 2000;

-- name: relay_move
UPDATE relay_cursors SET xid = :xid::text::xid8, seq = :seq, moved_at = clock_timestamp() WHERE name = 'events';

-- name: events_by_key
-- Which of these were added before: an addition carries its key.
SELECT k.tenant_id, k.run_id, k.key, e.run_seq
FROM unnest(:tenant_id[]::uuid[], :run_id[]::uuid[], :type[]::text[], :key[]::text[]) AS k (tenant_id, run_id, type, key)
     JOIN events e ON e.tenant_id = k.tenant_id AND e.run_id = k.run_id AND e.type = k.type AND e.data ->> 'key' = k.key;

-- name: dead_letters_park
-- The same bytes on the same subject are one row, so a flood of the same garbage stays one; coming
-- again after it was put back, it waits again.
INSERT INTO dead_letters AS d (dead_letter_id, service, subject, reason, payload, deliveries)
SELECT encode(substr(sha256(convert_to(service || ' ' || subject || ' ', 'UTF8') || payload), 1, 16), 'hex')::uuid,
       service, subject, min(reason), payload, sum(deliveries)
FROM unnest(:service[]::text[], :subject[]::text[], :reason[]::text[], :payload[]::bytea[], :deliveries[]::bigint[])
     AS n (service, subject, reason, payload, deliveries)
GROUP BY service, subject, payload
ORDER BY 1
ON CONFLICT (dead_letter_id) DO UPDATE
SET deliveries = d.deliveries + excluded.deliveries, reason = excluded.reason, requeued_at = NULL;

-- name: dead_letter_take
-- One to be put back, held until it is. What was cut when it was parked cannot be made whole.
SELECT dead_letter_id, service, subject, reason, payload, deliveries, ms(created_at) AS created_at_ms,
       ms(requeued_at) AS requeued_at_ms
FROM dead_letters WHERE dead_letter_id = :dead_letter_id
FOR UPDATE;

-- name: dead_letter_requeued
UPDATE dead_letters SET requeued_at = now() WHERE dead_letter_id = :dead_letter_id
RETURNING dead_letter_id, service, subject, reason, payload, deliveries, ms(created_at) AS created_at_ms,
          ms(requeued_at) AS requeued_at_ms;
