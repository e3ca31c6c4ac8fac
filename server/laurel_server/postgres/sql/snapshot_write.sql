-- Keeps the snapshot of a board; one that is there stays as it is. $1: scope, $2: period, then its columns.
INSERT INTO leaderboard_snapshots (scope, period_id, participants, total_points, average_points, median_points,
                                   user_nos, ranks, scores, taken_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (scope, period_id) DO NOTHING
