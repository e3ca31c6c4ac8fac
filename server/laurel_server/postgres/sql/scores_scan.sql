-- The next users on an instance of a score board, by number; columns as scores_of_users. $1: board id, $2: period id,
-- $3: after this number, $4: how many. Cost: those rows.
SELECT b.board_id, s.period_id, s.user_no, u.user_id, s.score, s.sub_score, s.reached,
       CASE WHEN s.listed THEN 1 WHEN NOT s.listed THEN 2 ELSE u.visibility END AS visibility,
       greatest(s.version, r.version) AS version, s.metadata::text AS metadata
  FROM boards b JOIN scores s USING (board_no) JOIN users u USING (user_no) JOIN user_rewards r USING (user_no)
 WHERE b.board_id = $1 AND s.period_id = $2 AND s.user_no > $3 AND u.user_no > $3 AND r.user_no > $3
 ORDER BY s.user_no LIMIT $4
