-- As of which versions users are off instances of score boards, on which they have nothing: newer than whatever was read of
-- them while they had. $1: board ids, $2: period ids, $3: user ids, $4: versions as of which they were dropped, in parallel.
-- Who has a score again, or is unknown, is not in the result. Cost: three index look-ups each.
SELECT d.board_id, d.period_id, d.user_id, greatest(d.version, r.version + 1) AS version
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS d(board_id, period_id, user_id, version)
  JOIN boards b USING (board_id) JOIN users u USING (user_id) JOIN user_rewards r USING (user_no)
 WHERE NOT EXISTS (SELECT 1 FROM scores s
                    WHERE s.board_no = b.board_no AND s.period_id = d.period_id AND s.user_no = u.user_no)
