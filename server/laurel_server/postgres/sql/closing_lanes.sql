-- How many award lanes are still in a transaction that began before $1, and so may not know the newest rules.
-- $2: their name among the sessions. Cost: the list of sessions.
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND application_name = $2 AND xact_start < $1
