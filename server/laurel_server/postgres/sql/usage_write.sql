-- Keeps what users had of limited and counted actions. $1: user numbers, $2: actions, $3: days, $4: points, $5: times of the
-- latest award, $6: awards in all (NULL: not counted), $7: last days of streaks (NULL: none), $8: days in a row.
INSERT INTO action_usage (user_no, action, day, points, last_at, awards, streak_day, streak)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::date[], $4::bigint[], $5::timestamptz[], $6::bigint[], $7::date[], $8::bigint[])
ON CONFLICT (user_no, action) DO UPDATE SET day = excluded.day, points = excluded.points, last_at = excluded.last_at, awards = excluded.awards,
    streak_day = excluded.streak_day, streak = excluded.streak
