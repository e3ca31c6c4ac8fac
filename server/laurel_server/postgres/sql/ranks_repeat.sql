-- Notes for further days what was noted for one: nothing has moved between them. $1: period, $2: scopes, $3: the day,
-- $4, $5: the further days and their ends. Cost: a row a board, day and 1,024 users, copied as it is.
INSERT INTO rank_history (scope, period_id, shard, taken_on, taken_at, total, user_nos, ranks, scores)
SELECT h.scope, h.period_id, h.shard, d.taken_on, d.taken_at, h.total, h.user_nos, h.ranks, h.scores
  FROM rank_history h CROSS JOIN unnest($4::date[], $5::timestamptz[]) AS d(taken_on, taken_at)
 WHERE h.scope = ANY ($2::text[]) AND h.period_id = $1 AND h.taken_on = $3
