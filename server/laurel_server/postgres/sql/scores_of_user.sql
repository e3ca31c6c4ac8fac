-- As scores_of_users, of one user and those that are archived, too. $1: user id.
SELECT b.board_id, s.period_id, s.user_no, u.user_id, s.score, s.sub_score, s.reached,
       coalesce(s.final_visibility, u.visibility) AS visibility,
       greatest(s.version, r.version) AS version, s.metadata::text AS metadata
  FROM users u JOIN user_rewards r USING (user_no) JOIN scores s USING (user_no) JOIN boards b USING (board_no)
 WHERE u.user_id = $1
