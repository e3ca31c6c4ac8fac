-- Notes that users belong to other boards now: raises their versions and tells the repair of the boards.
-- The users' hot rows are locked. $1: batch number, $2: user numbers, $3: the new version, $4: the boards left, as events,
-- $5: their open totals.
WITH announced AS (
    INSERT INTO outbox (batch_no, user_nos, events) VALUES ($1, $2::bigint[], $4)
)
UPDATE user_rewards r SET version = $3, open_totals = m.open_totals::jsonb
  FROM unnest($2::bigint[], $5::text[]) AS m(user_no, open_totals) WHERE r.user_no = m.user_no
