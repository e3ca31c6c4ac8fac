-- A snapshot with some of its lines, best first; without lines one row with user_id NULL. $1: scope, $2: period, $3: offset,
-- $4: how many. Erased people are in it by their number alone, and are left out. Cost: an index look-up a line.
SELECT s.participants, s.total_points, s.average_points, s.median_points, s.taken_at, l.user_id, l.rank, l.score
  FROM leaderboard_snapshots s
  LEFT JOIN LATERAL (
      SELECT u.user_id, e.rank, e.score, e.place
        FROM unnest(s.user_nos, s.ranks, s.scores) WITH ORDINALITY AS e(user_no, rank, score, place)
        JOIN users u ON u.user_no = e.user_no AND u.erased_at IS NULL
       ORDER BY e.place OFFSET $3 LIMIT $4
  ) l ON true
 WHERE s.scope = $1 AND s.period_id = $2
 ORDER BY l.place
