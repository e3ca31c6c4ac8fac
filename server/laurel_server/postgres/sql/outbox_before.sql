-- The newest committed batch that is at least $1 (interval) old, and was there before all transactions began that may write now; 0 if
-- there is none. Of transactions of other roles PostgreSQL tells nothing, except to those who may read all statistics.
-- Cost: as many rows of an index as batches are younger.
SELECT coalesce((SELECT batch_no FROM outbox
                  WHERE created_at < least(clock_timestamp() - $1::interval,
                                           (SELECT min(xact_start) FROM pg_stat_activity
                                             WHERE backend_xid IS NOT NULL AND datname = current_database()))
                  ORDER BY batch_no DESC LIMIT 1), 0)
