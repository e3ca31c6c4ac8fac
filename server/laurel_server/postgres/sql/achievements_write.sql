-- Notes what users have achieved, for WatchAchievements; a milestone that was told before is not told again.
-- $1: user numbers, $2: kinds, $3: milestones (NULL: none), $4: facts as JSON; one element an achievement, in their order.
INSERT INTO achievements (user_no, kind, milestone, facts)
SELECT a.user_no, a.kind, a.milestone, a.facts::json
  FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::text[]) WITH ORDINALITY
    AS a(user_no, kind, milestone, facts, place)
 ORDER BY a.place
ON CONFLICT DO NOTHING
