-- Between which ids a user's entries recorded in a span lie: [first, last), with a margin of ten minutes for the clocks of servers.
-- $1: user id, $2: recorded at or after (NULL: any), $3: recorded before (NULL: any), $4, $5: bounds of the ids by the months.
-- Result: nothing for an unknown user. Cost: at most some 70 index look-ups, wherever the span lies.
SELECT CASE WHEN $2::timestamptz IS NULL THEN $4
            ELSE first_entry_since(user_no, $2 - interval '10 minutes', $4, $4 + least($5::bigint - $4::bigint, 1::bigint << 48)) END AS first,
       CASE WHEN $3::timestamptz IS NULL THEN $5
            ELSE least($5, 65536 + first_entry_since(user_no, $3 + interval '10 minutes', greatest($4, $5 - (1::bigint << 48)), $5)) END AS last
  FROM users WHERE user_id = $1
