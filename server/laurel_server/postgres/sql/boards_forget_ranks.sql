-- Deletes some of the ranks of days of instances, while there is the board they are of: one that was created again since has
-- another number. $1: scopes, $2: period ids, $3: board number, $4: how many rows at most.
-- Result: how many were found; who else deletes them meanwhile takes none from that number. Cost: those rows.
WITH found AS MATERIALIZED (
    SELECT h.ctid FROM rank_history h JOIN unnest($1::text[], $2::text[]) AS g(scope, period_id) USING (scope, period_id)
     WHERE EXISTS (SELECT FROM boards WHERE board_no = $3) LIMIT $4
), gone AS (
    DELETE FROM rank_history WHERE ctid = ANY (ARRAY(SELECT ctid FROM found))
)
SELECT count(*) FROM found
