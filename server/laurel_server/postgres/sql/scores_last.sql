-- The last of those who take a position on instances of score boards, which are locked, the very last first, and how many do
-- (listed). $1: board numbers, $2: period ids, $3: -1 where less is better, 1 otherwise, $4: how many of the last, in parallel.
-- Cost: a look at each row of the instances; only boards with a size cap are asked.
SELECT w.board_no, w.period_id, l.user_no, l.user_id, l.score, l.sub_score, l.reached, l.version, l.metadata, l.listed
  FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[]) AS w(board_no, period_id, sign, at_most)
 CROSS JOIN LATERAL (
       SELECT s.user_no, u.user_id, s.score, s.sub_score, s.reached, s.version, s.metadata::text AS metadata,
              count(*) OVER () AS listed
         FROM scores s JOIN users u USING (user_no)
        WHERE s.board_no = w.board_no AND s.period_id = w.period_id AND u.visibility = 1
        ORDER BY w.sign * s.score, w.sign * s.sub_score, s.reached DESC LIMIT w.at_most) l
