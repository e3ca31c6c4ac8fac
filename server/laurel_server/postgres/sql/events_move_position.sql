-- Notes how far a reader has come. $1: its name, $2-$4: the window and the last batch of it that is done.
INSERT INTO event_positions (reader, from_xid, until_xid, batch_no) VALUES ($1, $2, $3, $4)
ON CONFLICT (reader) DO UPDATE
   SET from_xid = excluded.from_xid, until_xid = excluded.until_xid, batch_no = excluded.batch_no, updated_at = clock_timestamp()
