-- Works out where everybody stands on the boards of one period, at the end of this transaction, which writes nothing: the result
-- stays on the connection, in a file if it is large, and nobody waits for whoever reads it. $1: period, $2, $3: scopes of the
-- boards and their tie policies (1 earliest first, 2 competition, 3 dense), $4: names of the tiers by number, $5: of each board 1
-- where the greatest score is the best, otherwise -1.
-- Result: a row a board and 1,024 users; arrays as text, which goes through a server without being taken apart.
-- Cost: all hot rows once, and the lines of the boards sorted; locks nothing.
DECLARE ranks_taken NO SCROLL CURSOR WITH HOLD FOR
WITH had AS (
    SELECT r.user_no, (r.open_totals -> $1 ->> 0)::bigint AS score, (r.open_totals -> $1 ->> 1)::bigint AS reached,
           ARRAY['global', 'tier:' || ($4::text[])[r.tier]]
           || CASE WHEN u.country <> '' THEN ARRAY['country:' || u.country] END
           || CASE WHEN u.region <> '' THEN ARRAY['region:' || u.region] END
           || CASE WHEN u.segments <> '{}' THEN ARRAY(SELECT DISTINCT 'segment:' || s FROM unnest(u.segments) s) END AS scopes
      FROM user_rewards r JOIN users u USING (user_no)
     WHERE r.open_totals ? $1 AND u.visibility = 1
    UNION ALL
    SELECT user_no, score, reached, scopes FROM period_totals WHERE period_id = $1
), stood AS (
    SELECT s.scope, h.user_no, h.score, 0::bigint AS sub_score, h.reached
      FROM had h CROSS JOIN LATERAL unnest(h.scopes) AS s(scope) WHERE h.score > 0
    UNION ALL
    SELECT scope, user_no, score, sub_score, reached FROM score_standings
     WHERE period_id = $1 AND scope = ANY ($2::text[])
), ranked AS (
    SELECT s.scope, s.user_no, s.score, count(*) OVER (PARTITION BY s.scope) AS total,
           CASE b.policy
               WHEN 1 THEN row_number() OVER (PARTITION BY s.scope ORDER BY s.score * b.sign DESC, s.sub_score * b.sign DESC, s.reached)
               WHEN 2 THEN rank() OVER (PARTITION BY s.scope ORDER BY s.score * b.sign DESC, s.sub_score * b.sign DESC)
               ELSE dense_rank() OVER (PARTITION BY s.scope ORDER BY s.score * b.sign DESC, s.sub_score * b.sign DESC)
           END AS rank
      FROM stood s JOIN unnest($2::text[], $3::smallint[], $5::bigint[]) AS b(scope, policy, sign) USING (scope)
)
SELECT scope, user_no >> 10 AS shard, max(total) AS total, count(*) AS lines, array_agg(user_no ORDER BY user_no)::text AS user_nos,
       array_agg(rank ORDER BY user_no)::text AS ranks, array_agg(score ORDER BY user_no)::text AS scores
  FROM ranked GROUP BY scope, user_no >> 10
