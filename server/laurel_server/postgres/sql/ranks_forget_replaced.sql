-- Deletes some of the ranks of days that newer ones have replaced, or that were never told. $1: period, $2: scopes, $3: the days,
-- $4: how many rows at most. Result: how many were found. Cost: the rows of those days, without what they hold.
WITH found AS MATERIALIZED (
    SELECT h.ctid FROM rank_days d JOIN rank_history h USING (scope, period_id, taken_on)
     WHERE d.period_id = $1 AND d.scope = ANY ($2::text[]) AND d.taken_on = ANY ($3::date[])
       AND h.taken_on = ANY ($3::date[]) AND h.take_no < d.take_no
     LIMIT $4
), gone AS (
    DELETE FROM rank_history WHERE ctid = ANY (ARRAY(SELECT ctid FROM found))
)
SELECT count(*) FROM found
