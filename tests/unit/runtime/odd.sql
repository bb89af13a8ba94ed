-- Statements that only test_embed_sql looks at.

-- name: odd_quotes
-- It's a comment about :nothing.
SELECT 'a :b; ''c'' -- d' AS "we:ird; --", e'x' -- it's :gone; too
FROM things;

-- name: odd_params
SELECT :count::bigint, :count, unnest(:count[]::bigint[]), x := :title, a[1:2], '{}'::text[]
WHERE title = :title AND :_under IS NULL;

-- name: odd_rows
SELECT * FROM unnest(:*odd_row) AS n WHERE n.a * :title[]::bigint[] IS NULL;

-- name: odd_nothing
SELECT 1
