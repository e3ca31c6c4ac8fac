-- Ranks of everybody at the ends of days. $1: noted after (NULL: all), $2: up to. Cost: the rows of those days.
SELECT l.user_no, h.scope, h.period_id, h.taken_at, l.rank, l.score, h.total
  FROM rank_history h JOIN rank_days USING (scope, period_id, taken_on, take_no)
  CROSS JOIN LATERAL unnest(h.user_nos, h.ranks, h.scores) AS l(user_no, rank, score)
 WHERE ($1::timestamptz IS NULL OR h.taken_at > $1 AND h.taken_on >= $1::timestamptz::date - 1) AND h.taken_at <= $2
