-- Which boards of a period have a snapshot. $1: the period.
SELECT scope FROM leaderboard_snapshots WHERE period_id = $1
