-- Holds, each with the caller's id of its user, empty for one who was erased. $1: hold ids. Columns as the holds in holdings_read.
-- Cost: two index look-ups each.
SELECT h.hold_id AS id, CASE WHEN u.erased_at IS NULL THEN u.user_id ELSE '' END AS user_id, h.points, h.captured_points, h.state,
       h.created_at AS starts_at, h.expires_at, h.reference_id, h.reason
  FROM holds h JOIN users u USING (user_no) WHERE h.hold_id = ANY ($1::bigint[])
