-- Entries with what trends group by. $1: ids of entries. The tier is the one before the entry.
-- Cost: an index look-up an entry and a user.
SELECT t.transaction_id, t.user_no, t.action, t.points,
       t.points > 0 AND t.reverses_transaction_id IS NULL AND t.action NOT IN ('REDEMPTION', 'EXPIRATION', 'REVERSAL') AS is_award,
       coalesce(t.inputs ->> 'tier', 'BRONZE') AS tier, u.country, u.region, u.segments,
       t.occurred_at, t.transaction_time AS recorded_at, t.activates_at, t.expires_at, u.user_id
  FROM reward_transactions t JOIN users u USING (user_no)
 WHERE t.transaction_id = ANY ($1::bigint[])
