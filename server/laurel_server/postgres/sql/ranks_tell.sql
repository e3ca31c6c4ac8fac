-- Has days of boards told by ranks of which all are written, in place of older ones. Boards that were deleted since are left out,
-- as in ranks_keep. $1: the number of these ranks, $2: period, $3: the days, $4: scopes, $5: numbers of the boards' instances.
WITH present AS MATERIALIZED (
    SELECT scope FROM board_periods
     WHERE period_id = $2 AND scope = ANY ($4::text[]) AND instance_no = ANY ($5::bigint[]) ORDER BY scope FOR KEY SHARE
)
INSERT INTO rank_days (scope, period_id, taken_on, take_no)
SELECT p.scope, $2, d.taken_on, $1 FROM present p CROSS JOIN unnest($3::date[]) AS d(taken_on)
ON CONFLICT (scope, period_id, taken_on) DO UPDATE SET take_no = excluded.take_no WHERE rank_days.take_no < excluded.take_no
