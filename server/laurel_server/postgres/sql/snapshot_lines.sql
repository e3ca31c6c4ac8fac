-- The best lines of every board of a frozen period: the first $2 positions, and whoever has a rank that may win under the
-- board's own tie policy. $1: the period, $3, $4, $5: scopes of the boards, their tie policies (1 earliest first,
-- 2 competition, 3 dense) and the last rank that wins. Result: best first. Cost: the totals of the period, sorted by board.
SELECT scope, user_no, score, position, competition, dense
  FROM (SELECT s.scope, t.user_no, t.score,
               row_number() OVER (PARTITION BY s.scope ORDER BY t.score DESC, t.reached) AS position,
               rank() OVER (PARTITION BY s.scope ORDER BY t.score DESC) AS competition,
               dense_rank() OVER (PARTITION BY s.scope ORDER BY t.score DESC) AS dense
          FROM period_totals t CROSS JOIN LATERAL unnest(t.scopes) AS s(scope)
         WHERE t.period_id = $1 AND t.score > 0) ranked
  JOIN unnest($3::text[], $4::smallint[], $5::bigint[]) AS b(scope, policy, ranks) USING (scope)
 WHERE position <= $2 OR CASE policy WHEN 1 THEN position WHEN 2 THEN competition ELSE dense END <= ranks
 ORDER BY scope, position
