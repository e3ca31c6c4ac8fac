-- A snapshot with some of its lines, best first; without lines one row with user_id NULL. $1: scope, $2: period, $3: offset,
-- $4: how many. Erased people are in it by their number alone, and are left out. sub_score, metadata: as the score board has
-- them, NULL on points boards. Cost: two index look-ups a line.
SELECT s.participants, s.total_points, s.average_points, s.median_points, s.taken_at, l.user_id, l.rank, l.score,
       l.sub_score, l.metadata
  FROM leaderboard_snapshots s JOIN board_periods p USING (scope, period_id)
  LEFT JOIN LATERAL (
      SELECT u.user_id, e.rank, e.score, e.place, k.sub_score, k.metadata::text AS metadata
        FROM unnest(s.user_nos, s.ranks, s.scores) WITH ORDINALITY AS e(user_no, rank, score, place)
        JOIN users u ON u.user_no = e.user_no AND u.erased_at IS NULL
        LEFT JOIN scores k ON k.board_no = p.board_no AND k.period_id = p.period_id AND k.user_no = e.user_no
       ORDER BY e.place OFFSET $3 LIMIT $4
  ) l ON true
 WHERE s.scope = $1 AND s.period_id = $2
 ORDER BY l.place
