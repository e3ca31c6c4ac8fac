-- The batch since which no answer has been forgotten: answers are kept for a day at least, less some time for a busy machine. NULL: nothing is that young.
-- Cost: the outbox, which is bounded.
SELECT min(batch_no) FROM outbox WHERE created_at > clock_timestamp() - interval '23 hours'
