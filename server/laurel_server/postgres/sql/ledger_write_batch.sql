-- Writes one batch: entries, lots, answers, the users' hot rows and the outbox row, in one statement.
-- The users' rows are locked by open_ledger_batch in the same transaction, so all values are absolute.
-- $1-$19: one element an entry (lot_remaining 0: opens no lot). $20-$22: one element an answer to keep.
-- $23-$33: one element a changed user (last_reward_at NULL: now, -infinity: never). $34: batch number, $35: the business time,
-- $36: events of the batch as JSON, $37: digest of its entries.
-- Numbers and times are array literals; a column in which nothing is set is NULL, which unnest fills up.
-- Result: nothing. Cost: about 40 us an award in batches of 64.
WITH entry AS (
    SELECT * FROM unnest($1::text::bigint[], $2::text::bigint[], $3::text[], $4::text::bigint[], $5::text::numeric[],
                         $6::text::numeric[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
                         $13::text::timestamptz[], $14::text::timestamptz[], $15::text::timestamptz[],
                         $16::text::bigint[], $17::text[], $18::text::bigint[], $19::text::bigint[])
        AS e(transaction_id, user_no, action, points, base_points, multiplier, order_id, referral_id, reference_id, reason,
             created_by, request_id, occurred_at, activates_at, expires_at, balance_after, inputs, lot_remaining,
             reverses_transaction_id)
), written AS (
    INSERT INTO reward_transactions (transaction_id, user_no, action, points, base_points, multiplier, order_id, referral_id,
                                     reference_id, reason, created_by, request_id, transaction_time, occurred_at,
                                     activates_at, expires_at, balance_after, inputs, reverses_transaction_id)
    SELECT transaction_id, user_no, action, points, base_points, multiplier, order_id, referral_id, reference_id, reason,
           created_by, request_id, $35, coalesce(occurred_at, $35), activates_at, expires_at, balance_after, inputs::json,
           reverses_transaction_id
      FROM entry
), opened AS (
    INSERT INTO lots (user_no, expires_at, lot_id, remaining, activates_at)
    SELECT user_no, coalesce(expires_at, 'infinity'), transaction_id, lot_remaining, activates_at
      FROM entry WHERE lot_remaining > 0
), answered AS (
    INSERT INTO idempotency_keys (key, request_hash, outcome, created_at)
    SELECT a.key, a.request_hash, a.outcome, clock_timestamp()
      FROM unnest($20::bytea[], $21::bytea[], $22::bytea[]) AS a(key, request_hash, outcome)
), chained AS (
    INSERT INTO ledger_batches (batch_no, month, entries, digest)
    SELECT $34, min(transaction_id) >> 48, count(*), $37 FROM entry HAVING count(*) > 0
), announced AS (
    INSERT INTO outbox (batch_no, user_nos, events) VALUES ($34, $23::text::bigint[], $36)
)
UPDATE user_rewards r
   SET balance = a.balance, deficit = a.deficit, lifetime_points = a.lifetime_points, tier = a.tier,
       tier_since = a.tier_since, next_expiry = a.next_expiry, pending_until = a.pending_until,
       last_reward_at = nullif(coalesce(a.last_reward_at, $35), '-infinity'), version = a.version,
       open_totals = a.open_totals::jsonb
  FROM unnest($23::text::bigint[], $24::text::bigint[], $25::text::bigint[], $26::text::bigint[], $27::text::smallint[],
              $28::text::timestamptz[], $29::text::timestamptz[], $30::text::timestamptz[], $31::text::timestamptz[],
              $32::text::bigint[], $33::text[])
       AS a(user_no, balance, deficit, lifetime_points, tier, tier_since, next_expiry, pending_until, last_reward_at, version,
            open_totals)
 WHERE r.user_no = a.user_no
