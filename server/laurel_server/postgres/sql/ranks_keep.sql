-- Writes some of what ranks_take has worked out, of days: nothing has moved between them. Boards that were deleted since get
-- nothing; the others stay until this is committed, so that it goes with them. $1: the number of these ranks, $2: period, $3, $4:
-- the days and their ends; one element a row: $5: scopes, $6: numbers of the boards' instances, $7: shards, $8: totals, $9, $10,
-- $11: user numbers, ranks and scores as text. Cost: those rows.
WITH present AS MATERIALIZED (
    SELECT scope FROM board_periods
     WHERE period_id = $2 AND scope = ANY ($5::text[]) AND instance_no = ANY ($6::bigint[]) ORDER BY scope FOR KEY SHARE
)
INSERT INTO rank_history (scope, period_id, shard, taken_on, take_no, taken_at, total, user_nos, ranks, scores)
SELECT t.scope, $2, t.shard, d.taken_on, $1, d.taken_at, t.total, t.user_nos::bigint[], t.ranks::bigint[], t.scores::bigint[]
  FROM unnest($5::text[], $7::bigint[], $8::bigint[], $9::text[], $10::text[], $11::text[])
       AS t(scope, shard, total, user_nos, ranks, scores)
  JOIN present USING (scope)
  CROSS JOIN unnest($3::date[], $4::timestamptz[]) AS d(taken_on, taken_at)
