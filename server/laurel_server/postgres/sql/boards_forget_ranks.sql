-- Deletes some of the ranks of days of periods, which are locked. $1: scopes, $2: period ids, $3: how many rows at most.
-- Result: how many were found; who else deletes them meanwhile, for their age, takes none from that number. Cost: those rows.
WITH found AS MATERIALIZED (
    SELECT h.ctid FROM rank_history h JOIN unnest($1::text[], $2::text[]) AS g(scope, period_id) USING (scope, period_id) LIMIT $3
), gone AS (
    DELETE FROM rank_history WHERE ctid = ANY (ARRAY(SELECT ctid FROM found))
)
SELECT count(*) FROM found
