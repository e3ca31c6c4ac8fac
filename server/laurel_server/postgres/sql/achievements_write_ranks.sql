-- Notes milestones of ranks, for WatchAchievements: only of users who have never stood that high.
-- $1: user numbers, $2: milestones, $3: facts as JSON; one element a user. Result: how many are new.
WITH told AS (
    INSERT INTO achievements (user_no, kind, milestone, facts)
    SELECT a.user_no, 4, a.milestone, a.facts::json
      FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS a(user_no, milestone, facts)
     WHERE NOT EXISTS (SELECT 1 FROM achievements b
                        WHERE b.user_no = a.user_no AND b.kind = 4 AND b.milestone <= a.milestone)
     ORDER BY a.milestone DESC, a.user_no
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM told
