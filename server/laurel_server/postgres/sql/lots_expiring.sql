-- Open lots of a user that expire, soonest first. $1: user id, $2: after this moment, $3: up to and including (NULL: any),
-- $4: how many. Result: lots, each with the points of all lots that match, listed or not.
-- Cost: the lots that match.
SELECT lot_id, remaining, expires_at, sum(remaining) OVER () AS total FROM lots
 WHERE user_no = (SELECT user_no FROM users WHERE user_id = $1)
   AND expires_at > $2 AND expires_at < 'infinity' AND ($3::timestamptz IS NULL OR expires_at <= $3)
 ORDER BY expires_at, lot_id LIMIT $4
