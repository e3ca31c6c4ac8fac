-- The next users on an instance of a score board, by number; columns as scores_of_users. $1: board id, $2: period id,
-- $3: after this number, $4: how many. Cost: those rows.
-- They are found first: with a bound at each table the planner expected too few and read whole tables.
SELECT s.board_id, s.period_id, s.user_no, u.user_id, s.score, s.sub_score, s.reached,
       coalesce(s.final_visibility, u.visibility) AS visibility,
       greatest(s.version, r.version) AS version, s.metadata::text AS metadata
  FROM (SELECT b.board_id, k.* FROM boards b JOIN scores k USING (board_no)
         WHERE b.board_id = $1 AND k.period_id = $2 AND k.user_no > $3 ORDER BY k.user_no LIMIT $4) s
  JOIN users u USING (user_no) JOIN user_rewards r USING (user_no) ORDER BY s.user_no
