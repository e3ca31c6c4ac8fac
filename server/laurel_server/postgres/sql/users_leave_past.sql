-- Takes a user off the boards of the past. His hot row is locked. $1: user number.
-- Result: the periods and, as they were, the scopes in which he stood. Cost: an index look-up for each period that ever was.
WITH stood AS MATERIALIZED (
    SELECT p.period_id, p.user_no, p.scopes
      FROM (SELECT DISTINCT period_id FROM leaderboard_periods WHERE ends_at IS NOT NULL AND board_no IS NULL) known
      JOIN period_totals p USING (period_id)
     WHERE p.user_no = $1
), gone AS (
    UPDATE period_totals p SET scopes = '{}', shadow_scopes = '{}' FROM stood s WHERE p.period_id = s.period_id AND p.user_no = s.user_no
)
SELECT period_id, scopes FROM stood
