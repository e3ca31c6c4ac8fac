-- The next users with a total kept of a period that is over, by number; columns as standings_scan_open, and
-- the scopes in which it was had.
-- $1: after this number, $2: how many, $3: the period.
SELECT u.user_no, u.user_id, u.country, u.region, u.segments, u.visibility, r.tier, r.version,
       json_build_object(p.period_id, json_build_array(p.score, p.reached))::text AS totals, p.scopes
  FROM period_totals p JOIN user_rewards r USING (user_no) JOIN users u USING (user_no)
 WHERE p.period_id = $3 AND p.user_no > $1 AND r.user_no > $1 AND u.user_no > $1
 ORDER BY p.user_no LIMIT $2
