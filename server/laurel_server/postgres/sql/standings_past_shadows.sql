-- Which of some users were shadow users on a board when it was frozen, with what they had on it.
-- $1: scope, $2: period id, $3: user ids. Cost: two index look-ups a user.
SELECT u.user_id, t.score, 0::bigint AS sub_score, t.reached
  FROM users u JOIN period_totals t USING (user_no)
 WHERE u.user_id = ANY ($3::text[]) AND t.period_id = $2 AND $1 = ANY (t.shadow_scopes) AND t.score > 0
UNION ALL
SELECT u.user_id, s.score, s.sub_score, s.reached
  FROM users u JOIN leaderboard_periods p ON p.scope = $1 AND p.period_id = $2
  JOIN scores s ON s.board_no = p.board_no AND s.period_id = p.period_id AND s.user_no = u.user_no
 WHERE u.user_id = ANY ($3::text[]) AND s.final_visibility = 3
