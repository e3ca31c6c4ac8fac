-- Writes one batch of awards: entries, lots, answers, the users' hot rows and the outbox row, in one statement.
-- The users' rows are locked by open_ledger_batch in the same transaction, so all values are absolute.
-- $1-$19: one element an entry (lot_remaining 0: opens no lot). $20-$22: one element an answer to keep.
-- $23-$32: one element a changed user. $33: batch number, $34: the business time, $35: events of the batch as JSON.
-- Result: nothing. Cost: about 40 us an award in batches of 64.
WITH entry AS (
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::numeric[], $6::numeric[], $7::text[],
                         $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::timestamptz[],
                         $14::timestamptz[], $15::timestamptz[], $16::timestamptz[], $17::bigint[], $18::text[], $19::bigint[])
        AS e(transaction_id, user_no, action, points, base_points, multiplier, order_id, referral_id, reference_id, reason,
             created_by, request_id, transaction_time, occurred_at, activates_at, expires_at, balance_after, inputs,
             lot_remaining)
), written AS (
    INSERT INTO reward_transactions (transaction_id, user_no, action, points, base_points, multiplier, order_id, referral_id,
                                     reference_id, reason, created_by, request_id, transaction_time, occurred_at,
                                     activates_at, expires_at, balance_after, inputs)
    SELECT transaction_id, user_no, action, points, base_points, multiplier, order_id, referral_id, reference_id, reason,
           created_by, request_id, transaction_time, occurred_at, activates_at, expires_at, balance_after, inputs::json
      FROM entry
), opened AS (
    INSERT INTO lots (user_no, expires_at, lot_id, remaining, activates_at)
    SELECT user_no, coalesce(expires_at, 'infinity'), transaction_id, lot_remaining, activates_at
      FROM entry WHERE lot_remaining > 0
), answered AS (
    INSERT INTO idempotency_keys (key, request_hash, outcome, created_at)
    SELECT a.key, a.request_hash, a.outcome, $34
      FROM unnest($20::bytea[], $21::bytea[], $22::bytea[]) AS a(key, request_hash, outcome)
), announced AS (
    INSERT INTO outbox (batch_no, user_nos, events) VALUES ($33, $23::bigint[], $35)
)
UPDATE user_rewards r
   SET balance = a.balance, deficit = a.deficit, lifetime_points = a.lifetime_points, tier = a.tier,
       tier_since = a.tier_since, next_expiry = a.next_expiry, pending_until = a.pending_until, last_reward_at = $34,
       version = a.version, open_totals = a.open_totals::jsonb
  FROM unnest($23::bigint[], $24::bigint[], $25::bigint[], $26::bigint[], $27::smallint[], $28::timestamptz[],
              $29::timestamptz[], $30::timestamptz[], $31::bigint[], $32::text[])
       AS a(user_no, balance, deficit, lifetime_points, tier, tier_since, next_expiry, pending_until, version, open_totals)
 WHERE r.user_no = a.user_no
