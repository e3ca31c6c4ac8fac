-- Notes how far a reader has come. $1: its name, $2-$4: the window and the last batch of it that is done.
-- Never back: who was the leader, and does not know yet that he is none, may come with an older position. Positions of one
-- reader go by their windows, then by the batch. Result: a row if it is kept. Whoever wants all again deletes the reader's row.
INSERT INTO event_positions (reader, from_xid, until_xid, batch_no) VALUES ($1, $2, $3, $4)
ON CONFLICT (reader) DO UPDATE
   SET from_xid = excluded.from_xid, until_xid = excluded.until_xid, batch_no = excluded.batch_no, updated_at = clock_timestamp()
 WHERE (event_positions.from_xid, event_positions.until_xid, event_positions.batch_no) <= (excluded.from_xid, excluded.until_xid, excluded.batch_no)
RETURNING batch_no
