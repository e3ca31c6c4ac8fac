-- Achievements that are safe to tell, in their order. $1, $2: after this xid and number, $3, $4: up to this xid and number,
-- $5: of this user ("": of all), $6: how many at most. Cost: an index range; with a user, of all between the bounds.
SELECT a.xid::text::bigint AS xid, a.achievement_no, u.user_id, a.kind, a.facts::text AS facts
  FROM achievements a JOIN users u USING (user_no)
 WHERE (a.xid, a.achievement_no) > ($1::text::xid8, $2::bigint)
   AND (a.xid, a.achievement_no) <= ($3::text::xid8, $4::bigint)
   AND a.xid < pg_snapshot_xmin(pg_current_snapshot())
   AND u.erased_at IS NULL AND ($5::text = '' OR u.user_id = $5)
 ORDER BY a.xid, a.achievement_no
 LIMIT $6
