-- Forgets the instances of a score board, with their snapshots, winners and ranks. $1: board number. Result: their period ids.
WITH gone AS (
    DELETE FROM leaderboard_periods WHERE board_no = $1 RETURNING scope, period_id
), ranks AS (
    DELETE FROM rank_history h USING gone g WHERE h.scope = g.scope AND h.period_id = g.period_id
)
SELECT period_id FROM gone
