-- Keeps some of what ranks_take has worked out, of days: nothing has moved between them. $1: period, $2, $3: the days and their
-- ends, $4, $5: the rows after that place up to that one. Result: how many. Cost: those rows, copied as they are.
WITH kept AS (
    INSERT INTO rank_history (scope, period_id, shard, taken_on, taken_at, total, user_nos, ranks, scores)
    SELECT t.scope, $1, t.shard, d.taken_on, d.taken_at, t.total, t.user_nos, t.ranks, t.scores
      FROM ranks_taken t CROSS JOIN unnest($2::date[], $3::timestamptz[]) AS d(taken_on, taken_at)
     WHERE t.place > $4 AND t.place <= $5
    RETURNING 1
)
SELECT count(*) FROM kept
