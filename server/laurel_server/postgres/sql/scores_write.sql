-- Writes a batch of score updates and removals; the users' hot rows are locked by this transaction, so values are absolute.
-- $1-$3: board numbers, period ids and user numbers to remove. $4-$11: one element a row to keep. $12: batch number,
-- $13: users of the batch, $14: its events as JSON.
WITH removed AS (
    DELETE FROM scores s USING unnest($1::bigint[], $2::text[], $3::bigint[]) AS gone(board_no, period_id, user_no)
     WHERE s.board_no = gone.board_no AND s.period_id = gone.period_id AND s.user_no = gone.user_no
), kept AS (
    INSERT INTO scores (board_no, period_id, user_no, score, sub_score, reached, version, metadata)
    SELECT board_no, period_id, user_no, score, sub_score, reached, version, metadata::json
      FROM unnest($4::bigint[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[])
        AS k(board_no, period_id, user_no, score, sub_score, reached, version, metadata)
    ON CONFLICT (board_no, period_id, user_no) DO UPDATE
       SET score = excluded.score, sub_score = excluded.sub_score, reached = excluded.reached, version = excluded.version,
           metadata = excluded.metadata
)
INSERT INTO outbox (batch_no, user_nos, events) VALUES ($12, $13::bigint[], $14)
