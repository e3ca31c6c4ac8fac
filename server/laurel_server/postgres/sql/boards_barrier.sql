-- Waits until every open batch has ended, and holds back new ones until this transaction ends: a batch sees the boards
-- either as they were, and has committed before this goes on, or as they become.
SELECT pg_advisory_xact_lock(hashtext('laurel boards'))
