-- Where a user stood on boards of a scope at the end of some days, on the last of them if there were several a day.
-- $1: scope, $2: period type, $3: one period or '' for that of each day, $4: user number, $5: the days. Cost: two index look-ups a period and day.
SELECT DISTINCT ON (h.taken_on) h.taken_on, h.ranks[i.place] AS rank
  FROM board_periods p JOIN rank_days USING (scope, period_id) JOIN rank_history h USING (scope, period_id, taken_on, take_no)
  CROSS JOIN LATERAL array_position(h.user_nos, $4::bigint) AS i(place)
 WHERE p.scope = $1 AND p.period_type = $2 AND ($3 = '' OR p.period_id = $3) AND h.shard = $4::bigint >> 10
   AND h.taken_on = ANY ($5::date[]) AND i.place IS NOT NULL
 ORDER BY h.taken_on, h.taken_at DESC
