-- Everybody on a frozen board down to a rank, best first. $1: scope, $2: period, $3: tie policy (1 earliest first, 2 competition,
-- 3 dense), $4: 1 where the greatest score is the best, otherwise -1, $5: the last rank. Cost: the standings, sorted.
SELECT u.user_no, u.user_id, r.rank, r.score
  FROM (SELECT user_no, score, position, CASE $3::int WHEN 1 THEN position WHEN 2 THEN competition ELSE dense END AS rank
          FROM (SELECT user_no, score,
                       row_number() OVER (ORDER BY score * $4::bigint DESC, sub_score * $4::bigint DESC, reached) AS position,
                       rank() OVER (ORDER BY score * $4::bigint DESC, sub_score * $4::bigint DESC) AS competition,
                       dense_rank() OVER (ORDER BY score * $4::bigint DESC, sub_score * $4::bigint DESC) AS dense
                  FROM final_standings WHERE scope = $1 AND period_id = $2) ordered) r
  JOIN users u USING (user_no)
 WHERE r.rank <= $5
 ORDER BY r.position
