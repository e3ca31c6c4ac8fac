-- Totals of periods that are over which the batches from $2 on have changed; columns as standings_scan_period.
-- Those of who moved are wanted as a whole: he may have come to a board of the period while it was open, which changes
-- no total. $1: user numbers, $3: those of them who moved, $4: ids of others who did.
-- Looks into the 40 youngest periods: what changes is of days ago, unless a period is longer than that. Not into those
-- that are archived, and so not kept in Redis.
-- Cost: 40 index look-ups a user.
SELECT u.user_no, u.user_id, u.country, u.region, u.segments, u.visibility, r.tier, r.version,
       json_build_object(p.period_id, json_build_array(p.score, p.reached))::text AS totals, p.scopes
  FROM (SELECT period_id FROM leaderboard_periods WHERE ends_at IS NOT NULL AND board_no IS NULL
         GROUP BY period_id HAVING bool_or(state <> 4) ORDER BY max(ends_at) DESC LIMIT 40) youngest
  JOIN period_totals p USING (period_id) JOIN user_rewards r USING (user_no) JOIN users u USING (user_no)
 WHERE p.user_no = ANY ($1::bigint[])
   AND (p.reached >= $2::bigint << 10 OR p.user_no = ANY ($3::bigint[]) OR u.user_id = ANY ($4::text[]))
