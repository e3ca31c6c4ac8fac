-- What the commands of a batch need of lots, reversals and holds; the users' rows are locked.
-- $1, $2: users who spend and how many points at most; $3: the business time; $4, $5, $6: lots by user, expiry and id;
-- $7: transactions that may have been reversed; $8: holds.
-- Numbers and times are array literals, as in ledger_write_batch.
-- Result: kind (1 lot, 2 reversal, 3 hold), id, user_no and the columns of that kind.
-- Cost: one index look-up for each lot that is returned and each id.
SELECT 1 AS kind, l.lot_id AS id, l.user_no, l.remaining AS points, l.activates_at AS starts_at,
       nullif(l.expires_at, 'infinity') AS expires_at,
       NULL::text AS part, NULL::bigint AS captured_points, NULL::smallint AS state, NULL::text AS reference_id, NULL::text AS reason
  FROM unnest($1::text::bigint[], $2::text::bigint[]) AS w(user_no, wanted) CROSS JOIN LATERAL spendable_lots(w.user_no, w.wanted, $3) l
UNION ALL
SELECT 1, l.lot_id, l.user_no, l.remaining, l.activates_at, nullif(l.expires_at, 'infinity'), NULL, NULL, NULL, NULL, NULL
  FROM unnest($4::text::bigint[], $5::text::timestamptz[], $6::text::bigint[]) AS n(user_no, expires_at, lot_id)
  JOIN lots l ON l.user_no = n.user_no AND l.expires_at = coalesce(n.expires_at, 'infinity') AND l.lot_id = n.lot_id
UNION ALL
SELECT 2, r.transaction_id, NULL, r.reversed_points, NULL, NULL, r.part, NULL, NULL, NULL, NULL
  FROM reversals r WHERE r.transaction_id = ANY ($7::text::bigint[])
UNION ALL
SELECT 3, h.hold_id, h.user_no, h.points, h.created_at, h.expires_at, NULL, h.captured_points, h.state, h.reference_id, h.reason
  FROM holds h WHERE h.hold_id = ANY ($8::text::bigint[])
