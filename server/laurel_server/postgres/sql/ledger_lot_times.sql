-- Points of users' open lots that are outside their time at $2: pending, or expired and not swept yet.
-- $1: user numbers (locked or read as they are). Result: user_no, pending, expired; users with neither have no row.
-- Cost: the open lots of those users.
SELECT user_no,
       coalesce(sum(remaining) FILTER (WHERE activates_at > $2 AND expires_at > $2), 0)::bigint AS pending,
       coalesce(sum(remaining) FILTER (WHERE expires_at <= $2), 0)::bigint AS expired
  FROM lots
 WHERE user_no = ANY ($1::bigint[]) AND (expires_at <= $2 OR activates_at > $2)
 GROUP BY user_no
