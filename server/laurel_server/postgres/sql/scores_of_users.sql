-- What users have on score boards that are configured, and whether they take positions. $1: user numbers.
-- Cost: an index look-up a user, and those rows.
SELECT b.board_id, s.period_id, s.user_no, u.user_id, u.visibility, s.score, s.sub_score, s.reached,
       greatest(s.version, r.version) AS version, s.metadata::text AS metadata
  FROM scores s JOIN boards b USING (board_no) JOIN users u USING (user_no) JOIN user_rewards r USING (user_no)
 WHERE s.user_no = ANY ($1::bigint[])
