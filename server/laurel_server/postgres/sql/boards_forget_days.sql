-- Deletes some of the days of periods, which are locked, of which ranks are told. $1: scopes, $2: period ids, $3: how many rows at
-- most. Result: how many were found; as in boards_forget_ranks. Cost: those rows.
WITH found AS MATERIALIZED (
    SELECT d.ctid FROM rank_days d JOIN unnest($1::text[], $2::text[]) AS g(scope, period_id) USING (scope, period_id) LIMIT $3
), gone AS (
    DELETE FROM rank_days WHERE ctid = ANY (ARRAY(SELECT ctid FROM found))
)
SELECT count(*) FROM found
