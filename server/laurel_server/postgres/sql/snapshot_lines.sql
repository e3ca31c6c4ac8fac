-- The best lines of every board of a frozen period: the first $2 positions, and whoever has a rank up to $3 under any tie
-- policy. $1: the period. Result: best first. Cost: the totals of the period, sorted by board.
SELECT scope, user_no, score, position, competition, dense
  FROM (SELECT s.scope, t.user_no, t.score,
               row_number() OVER (PARTITION BY s.scope ORDER BY t.score DESC, t.reached) AS position,
               rank() OVER (PARTITION BY s.scope ORDER BY t.score DESC) AS competition,
               dense_rank() OVER (PARTITION BY s.scope ORDER BY t.score DESC) AS dense
          FROM period_totals t CROSS JOIN LATERAL unnest(t.scopes) AS s(scope)
         WHERE t.period_id = $1 AND t.score > 0) ranked
 WHERE position <= $2 OR dense <= $3
 ORDER BY scope, position
