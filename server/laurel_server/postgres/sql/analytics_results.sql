-- The best of boards that were closed, with what they won. $1 and $2: scopes and period ids; NULL: of all boards.
-- Cost: an index look-up a board and a winner.
SELECT s.scope, s.period_id, l.user_no, l.rank, l.score, coalesce(w.bonus_points, 0) AS bonus_points, s.participants, s.taken_at
  FROM leaderboard_snapshots s CROSS JOIN LATERAL unnest(s.user_nos, s.ranks, s.scores) AS l(user_no, rank, score)
  LEFT JOIN period_winners w ON w.scope = s.scope AND w.period_id = s.period_id AND w.user_no = l.user_no
 WHERE $1::text[] IS NULL OR (s.scope, s.period_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
