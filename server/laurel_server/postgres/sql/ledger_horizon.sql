-- An id above those of all transactions that have one. What was written before the message is on disk with it, and so is every
-- number that was drawn: after a crash none of those is drawn again.
SELECT pg_current_xact_id()::text::bigint FROM pg_logical_emit_message(true, 'laurel', 'horizon')
