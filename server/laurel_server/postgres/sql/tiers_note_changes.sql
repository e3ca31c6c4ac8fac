-- Records changes of tier. One element a change: $1: user numbers, $2: tiers before, $3: tiers after, $4: when,
-- $5: causes, $6: entries that caused them (NULL: none), $7: the points that decided.
INSERT INTO tier_changes (user_no, from_tier, to_tier, changed_at, cause, transaction_id, points)
SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::smallint[], $4::timestamptz[], $5::text[], $6::bigint[], $7::bigint[])
