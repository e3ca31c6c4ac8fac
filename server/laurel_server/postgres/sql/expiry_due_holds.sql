-- Holds that have timed out and are not swept, oldest first. $1, $2: after this time and hold id, $3: the business time, $4: how
-- many. Columns as holds_read. Cost: an index range.
SELECT h.hold_id AS id, u.user_id, h.points, h.captured_points, h.state, h.created_at AS starts_at, h.expires_at,
       h.reference_id, h.reason
  FROM holds h JOIN users u USING (user_no)
 WHERE h.state = 1 AND h.expires_at <= $3 AND (h.expires_at, h.hold_id) > ($1, $2)
 ORDER BY h.expires_at, h.hold_id LIMIT $4
