-- Every board of a frozen period in numbers. $1: the period. Cost: the totals of the period, sorted by board.
SELECT s.scope, count(*) AS participants, least(sum(t.score), 9223372036854775807)::bigint AS total,
       avg(t.score)::double precision AS average, floor(percentile_cont(0.5) WITHIN GROUP (ORDER BY t.score))::bigint AS median
  FROM period_totals t CROSS JOIN LATERAL unnest(t.scopes) AS s(scope)
 WHERE t.period_id = $1 AND t.score > 0 GROUP BY s.scope
