-- What users have on score boards but those that are archived. visibility: on a frozen instance as it was then.
-- $1: user numbers.
-- Cost: an index look-up a user, and those rows.
SELECT p.scope AS board_id, period_id, s.user_no, u.user_id, s.score, s.sub_score, s.reached,
       coalesce(s.final_visibility, u.visibility) AS visibility,
       greatest(s.version, r.version) AS version, s.metadata::text AS metadata
  FROM scores s JOIN board_periods p USING (board_no, period_id)
  JOIN users u USING (user_no) JOIN user_rewards r USING (user_no)
 WHERE s.user_no = ANY ($1::bigint[]) AND p.state <> 4
