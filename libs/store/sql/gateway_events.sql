-- name: gateway_run_events
-- A run's log after a number. Its numbers have no gaps, so nothing newer hides behind. A page is
-- about 4 MiB at most, and one row more.
WITH page AS (
    SELECT seq, project_id, run_id, run_seq, type, node_id, data, trace_id, at
    FROM events
    WHERE tenant_id = :tenant_id AND run_id = :run_id AND run_seq > :run_seq
    ORDER BY run_seq
    LIMIT :limit
), counted AS (
    SELECT *, sum(octet_length(data::text)) OVER (ORDER BY run_seq ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING) AS before
    FROM page
)
SELECT seq, project_id, run_id, run_seq, type, node_id, data, trace_id, ms(at) AS at_ms
FROM counted
WHERE coalesce(before, 0) < 4194304
ORDER BY run_seq;

-- name: gateway_event_place
-- Whether an event that somebody says they have seen is there, for whoever asks.
SELECT seq, run_id, run_seq
FROM events
WHERE tenant_id = :tenant_id AND run_id = :run_id AND run_seq = :run_seq
  AND (:project_id::uuid IS NULL OR project_id = :project_id);

-- name: gateway_events_last
-- The newest event that everybody can see by now.
SELECT seq, run_id, run_seq
FROM events
WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) AND (tenant_id = :tenant_id) IS TRUE
ORDER BY xid DESC, seq DESC
LIMIT 1;

-- name: gateway_events_after
-- What came after an event, in order of arrival, up to the oldest transaction that still runs:
-- beyond that rows may yet appear between others. Without an event: from the beginning. A page is
-- about 4 MiB at most, and one row more. Of an index row security lets use only what cannot leak,
-- which coalesce is not said to be. IS TRUE keeps the log in its order: by an index that has the
-- tenant somewhere, a plan made while the table was small walks all there is and sorts it.
WITH place AS MATERIALIZED (
    SELECT coalesce(e.xid, '0'::xid8) AS xid, coalesce(e.seq, 0) AS seq
    FROM (SELECT) AS always
         LEFT JOIN events e ON e.tenant_id = :tenant_id AND e.run_id = :run_id AND e.run_seq = :run_seq
), page AS (
    SELECT xid, seq, project_id, run_id, run_seq, type, node_id, data, trace_id, at
    FROM events
    WHERE (xid, seq) > ((SELECT xid FROM place), (SELECT seq FROM place))
      AND xid < pg_snapshot_xmin(pg_current_snapshot())
      AND (tenant_id = :tenant_id) IS TRUE AND (:project_id::uuid IS NULL OR project_id = :project_id)
      AND (:type::text IS NULL OR type LIKE replace(replace(:type, '_', '\_'), '*', '%'))
    ORDER BY xid, seq
    LIMIT :limit
), counted AS (
    SELECT *, sum(octet_length(data::text)) OVER (ORDER BY xid, seq ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING) AS before
    FROM page
)
SELECT seq, project_id, run_id, run_seq, type, node_id, data, trace_id, ms(at) AS at_ms
FROM counted
WHERE coalesce(before, 0) < 4194304
ORDER BY xid, seq;

-- name: gateway_dead_letters
-- What nobody could read, newest first, without its bytes. It belongs to no tenant: for those who
-- run the house.
SELECT dead_letter_id, service, subject, reason, deliveries, ms(created_at) AS created_at_ms,
       ms(requeued_at) AS requeued_at_ms
FROM dead_letters
WHERE requeued_at IS NULL AND (:dead_letter_id::uuid IS NULL OR
      (created_at, dead_letter_id) < (SELECT created_at, dead_letter_id FROM dead_letters
                                      WHERE dead_letter_id = :dead_letter_id))
ORDER BY created_at DESC, dead_letter_id DESC
LIMIT :limit::bigint + 1;

-- name: gateway_dead_letter_count
SELECT count(*) AS n FROM dead_letters WHERE requeued_at IS NULL;
