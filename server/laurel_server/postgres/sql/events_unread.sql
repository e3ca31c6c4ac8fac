-- Whether a reader has committed events before it. $1: its name, $2: of batches up to this number.
-- Cost: index look-ups, and what is new.
SELECT EXISTS (
    SELECT FROM outbox o LEFT JOIN event_positions p ON p.reader = $1
     WHERE o.batch_no <= $2
       AND (o.xid >= coalesce(p.until_xid, 0)::text::xid8
            OR o.xid >= p.from_xid::text::xid8 AND o.batch_no > p.batch_no))
