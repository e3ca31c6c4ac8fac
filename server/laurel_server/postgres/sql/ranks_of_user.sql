-- Where a user stood on the boards of a scope, oldest first. $1: scope, $2: period type, $3: one period or '' for all, $4: user
-- number, $5, $6: taken in [from, to) (NULL: no bound), $7: offset, $8: how many. Cost: two index look-ups a period and day.
SELECT h.period_id, h.taken_at, h.ranks[i.place] AS rank, h.scores[i.place] AS score, h.total
  FROM board_periods p JOIN rank_days USING (scope, period_id) JOIN rank_history h USING (scope, period_id, taken_on, take_no)
  CROSS JOIN LATERAL array_position(h.user_nos, $4::bigint) AS i(place)
 WHERE p.scope = $1 AND p.period_type = $2 AND ($3 = '' OR p.period_id = $3) AND h.shard = $4::bigint >> 10
   AND ($5::timestamptz IS NULL OR h.taken_at >= $5) AND ($6::timestamptz IS NULL OR h.taken_at < $6)
   AND i.place IS NOT NULL
 ORDER BY h.taken_at, p.starts_at OFFSET $7 LIMIT $8
