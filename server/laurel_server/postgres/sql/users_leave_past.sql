-- Takes a user off the boards of the past. His hot row is locked. $1: user number.
-- Result: the periods and, as they were, the scopes in which he stood. Cost: two index look-ups for each period that ever was.
WITH RECURSIVE known (period_id) AS (  -- not those of boards alone: what a board that is gone has shown is here all the same
    (SELECT period_id FROM period_totals ORDER BY period_id LIMIT 1)
    UNION ALL
    SELECT (SELECT p.period_id FROM period_totals p WHERE p.period_id > known.period_id ORDER BY p.period_id LIMIT 1)
      FROM known WHERE known.period_id IS NOT NULL
), stood AS MATERIALIZED (
    SELECT p.period_id, p.user_no, p.scopes
      FROM known JOIN period_totals p USING (period_id)
     WHERE p.user_no = $1
), gone AS (
    UPDATE period_totals p SET scopes = '{}', shadow_scopes = '{}' FROM stood s WHERE p.period_id = s.period_id AND p.user_no = s.user_no
)
SELECT period_id, scopes FROM stood
