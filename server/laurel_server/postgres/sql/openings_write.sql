-- Writes the accounts of people who had none: hot rows, entries, lots, answers, badges, tiers, digest and the outbox row, in one
-- statement. The rows are as ledger_write_batch would leave them.
-- $1-$9: one element a person: number, points, request id, inputs as JSON, idempotency key, request hash, outcome, tier,
-- number of a set of badges. $10-$13: one element a badge of a set: set, type, level, when it ends. $14: the first transaction
-- id; the others follow. $15: action, $16: who created them, $17: batch number, $18: digest of its entries, $19: its events as
-- JSON, $20: the business time. Result: nothing. Cost: about 60 us a person.
WITH opening AS (
    SELECT o.*, $14::bigint + o.place - 1 AS transaction_id, ($14::bigint + o.place - 1) & ((1::bigint << 48) - 1) AS sequence
      FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bytea[], $6::bytea[], $7::bytea[], $8::smallint[],
                  $9::int[]) WITH ORDINALITY
        AS o(user_no, points, request_id, inputs, key, request_hash, outcome, tier, badge_set, place)
), account AS (
    INSERT INTO user_rewards (user_no, balance, lifetime_points, tier, tier_since, last_reward_at, version, open_totals)
    SELECT user_no, points, points, tier, CASE WHEN tier > 1 THEN $20::timestamptz END, $20, sequence,
           jsonb_build_object('all', jsonb_build_array(points, sequence))
      FROM opening
), entry AS (
    INSERT INTO reward_transactions (transaction_id, user_no, action, points, base_points, multiplier, created_by, request_id,
                                     transaction_time, occurred_at, balance_after, inputs)
    SELECT transaction_id, user_no, $15, points, points, 1, $16, request_id, $20, $20, points, inputs::json FROM opening
), opened AS (
    INSERT INTO lots (user_no, expires_at, lot_id, remaining) SELECT user_no, 'infinity', transaction_id, points FROM opening
), answered AS (
    INSERT INTO idempotency_keys (key, request_hash, outcome, created_at)
    SELECT key, request_hash, outcome, clock_timestamp() FROM opening
), promoted AS (
    INSERT INTO tier_changes (user_no, from_tier, to_tier, changed_at, cause, transaction_id, points)
    SELECT user_no, 1, tier, $20, $15, transaction_id, points FROM opening WHERE tier > 1
), unlocked AS (
    INSERT INTO user_badges (user_no, badge_type, level, earned_at, expires_at, transaction_id)
    SELECT o.user_no, b.badge_type, b.level, $20, b.expires_at, o.transaction_id
      FROM opening o JOIN unnest($10::int[], $11::text[], $12::smallint[], $13::timestamptz[])
        AS b(badge_set, badge_type, level, expires_at) USING (badge_set)
), chained AS (
    INSERT INTO ledger_batches (batch_no, month, entries, digest) SELECT $17, $14::bigint >> 48, count(*), $18 FROM opening
)
INSERT INTO outbox (batch_no, user_nos, events) VALUES ($17, $1, $19)
