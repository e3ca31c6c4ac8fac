-- Lots that have expired and are not swept, of the next users by number. $1: after this number, $2: the business time, $3: how
-- many users. Result: user_no, user_id, version of the user, lot_id, expires_at; a user without such a lot has one row with NULLs.
-- Cost: a scan of the users' hot rows up to the last one that is returned, and the expired lots.
SELECT r.user_no, u.user_id, r.version, l.lot_id, l.expires_at
  FROM (SELECT user_no, version FROM user_rewards
         WHERE user_no > $1 AND next_expiry <= $2 ORDER BY user_no LIMIT $3) r
  JOIN users u USING (user_no)
  LEFT JOIN lots l ON l.user_no = r.user_no AND l.expires_at <= $2
 ORDER BY r.user_no, l.expires_at, l.lot_id
