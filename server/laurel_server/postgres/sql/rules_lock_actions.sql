-- Lets only one transaction at a time change action configs: what it puts in follows from what was there before.
-- Comes before boards_barrier where both are needed.
SELECT pg_advisory_xact_lock(hashtext('laurel actions'))
