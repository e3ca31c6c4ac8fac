-- Notes that users take other positions on score boards: raises their versions, and tells the repair of the boards.
-- Their hot rows are locked. $1: batch number, $2: user numbers, $3: the new version, $4: events, unless the batch has told.
WITH announced AS (
    INSERT INTO outbox (batch_no, user_nos, events) VALUES ($1, $2::bigint[], $4) ON CONFLICT (batch_no) DO NOTHING
)
UPDATE user_rewards SET version = $3 WHERE user_no = ANY ($2::bigint[]) AND version < $3
