-- How far a reader has come. $1: its name. Result: no row before its first page.
SELECT from_xid, until_xid, batch_no FROM event_positions WHERE reader = $1
