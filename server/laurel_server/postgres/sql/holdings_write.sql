-- Writes what commands other than awards did to lots, holds and reversals, and the balances that only they change.
-- Runs after ledger_write_batch in the same transaction, with the users' rows locked: all values are absolute.
-- $1-$5: one element a debit. $6-$10: one element a changed lot (0 remaining: deleted). $11-$13: one element a reversed
-- entry. $14-$22: one element a changed hold. $23-$26: one element a user. $27: the business time.
-- Numbers and times but those of holds are array literals, as in ledger_write_batch.
-- Result: nothing. Cost: about 10 us a command.
WITH debited AS (
    INSERT INTO lot_debits (transaction_id, lot_id, points, activates_at, expires_at)
    SELECT d.transaction_id, d.lot_id, d.points, d.activates_at, coalesce(d.expires_at, 'infinity')
      FROM unnest($1::text::bigint[], $2::text::bigint[], $3::text::bigint[], $4::text::timestamptz[], $5::text::timestamptz[])
        AS d(transaction_id, lot_id, points, activates_at, expires_at)
), lot AS (
    SELECT user_no, lot_id, remaining, activates_at, coalesce(expires_at, 'infinity') AS expires_at
      FROM unnest($6::text::bigint[], $7::text::bigint[], $8::text::bigint[], $9::text::timestamptz[], $10::text::timestamptz[])
        AS l(user_no, lot_id, remaining, activates_at, expires_at)
), emptied AS (
    DELETE FROM lots o USING lot n
     WHERE n.remaining = 0 AND o.user_no = n.user_no AND o.expires_at = n.expires_at AND o.lot_id = n.lot_id
), left_over AS (
    INSERT INTO lots (user_no, expires_at, lot_id, remaining, activates_at)
    SELECT user_no, expires_at, lot_id, remaining, activates_at FROM lot WHERE remaining > 0
    ON CONFLICT (user_no, expires_at, lot_id) DO UPDATE SET remaining = excluded.remaining
), undone AS (
    INSERT INTO reversals (transaction_id, reversed_points, part)
    SELECT * FROM unnest($11::text::bigint[], $12::text::bigint[], $13::text[])
    ON CONFLICT (transaction_id) DO UPDATE SET reversed_points = excluded.reversed_points, part = excluded.part
), held AS (
    INSERT INTO holds (hold_id, user_no, points, captured_points, state, created_at, expires_at, reference_id, reason)
    SELECT * FROM unnest($14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[], $18::smallint[], $19::timestamptz[],
                         $20::timestamptz[], $21::text[], $22::text[])
    ON CONFLICT (hold_id) DO UPDATE
       SET state = excluded.state, captured_points = excluded.captured_points,
           closed_at = CASE WHEN excluded.state <> 1 THEN $27::timestamptz END
)
UPDATE user_rewards r
   SET redeemed_points = a.redeemed_points, expired_points = a.expired_points, held_points = a.held_points
  FROM unnest($23::text::bigint[], $24::text::bigint[], $25::text::bigint[], $26::text::bigint[]) AS a(user_no, redeemed_points, expired_points, held_points)
 WHERE r.user_no = a.user_no
