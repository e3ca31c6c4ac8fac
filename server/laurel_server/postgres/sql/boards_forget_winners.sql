-- Deletes some of the winners of periods, which are locked. $1: scopes, $2: period ids, $3: how many rows at most.
-- Result: how many. Cost: those rows.
WITH gone AS (
    DELETE FROM period_winners WHERE ctid = ANY (ARRAY(
        SELECT w.ctid FROM period_winners w JOIN unnest($1::text[], $2::text[]) AS g(scope, period_id) USING (scope, period_id) LIMIT $3
    )) RETURNING 1
)
SELECT count(*) FROM gone
