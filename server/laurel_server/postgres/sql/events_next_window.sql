-- The next window of the outbox: all rows of transactions from $1 (a transaction id as bigint) on that are over, as is
-- every older transaction. Result: until which transaction id, and after which batch number its rows begin.
-- Why a window and not the batch number alone: numbers are drawn before COMMIT, so a smaller one may appear later. Within a
-- window batches go by number, which is each user's own order: he is locked when it is drawn. Across windows too: of two
-- batches of one user the later one is still running when the earlier has ended, and holds back the end of the window.
-- Cost: an index look-up, and an index range of what is new.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS until_xid,
       (SELECT min(batch_no) - 1 FROM outbox
         WHERE xid >= $1::bigint::text::xid8 AND xid < pg_snapshot_xmin(pg_current_snapshot())) AS batch_no
