-- Badges that awards unlocked. $1: user ids, $2: transaction ids. Cost: the badges of those users.
SELECT u.user_id, b.badge_type, b.level, b.earned_at, b.expires_at, b.transaction_id
  FROM user_badges b JOIN users u USING (user_no)
 WHERE u.user_id = ANY ($1::text[]) AND b.transaction_id = ANY ($2::bigint[])
 ORDER BY b.badge_type, b.level
