-- The next members of a frozen board, by number; columns as standings_scan_period. $1: after this number, $2: how many,
-- $3: scope, $4: period. Cost: the totals of the period from there on.
SELECT u.user_no, u.user_id, u.country, u.region, u.segments, u.visibility, r.tier, r.version,
       json_build_object(p.period_id, json_build_array(p.score, p.reached))::text AS totals, p.scopes
  FROM period_totals p JOIN user_rewards r USING (user_no) JOIN users u USING (user_no)
 WHERE p.period_id = $4 AND p.user_no > $1 AND r.user_no > $1 AND u.user_no > $1
   AND $3 = ANY (p.scopes) ORDER BY p.user_no LIMIT $2
