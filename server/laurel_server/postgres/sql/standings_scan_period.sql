-- The next users with a total kept of a period that is over, by number; columns as standings_scan_open, and
-- the scopes in which it was had.
-- $1: after this number, $2: how many, $3: the period.
-- They are found first: with a bound at each table the planner expected too few and read whole tables.
SELECT u.user_no, u.user_id, u.country, u.region, u.segments, u.visibility, r.tier, r.version,
       json_build_object(p.period_id, json_build_array(p.score, p.reached))::text AS totals, p.scopes
  FROM (SELECT * FROM period_totals WHERE period_id = $3 AND user_no > $1 ORDER BY user_no LIMIT $2) p
  JOIN user_rewards r USING (user_no) JOIN users u USING (user_no) ORDER BY p.user_no
