-- Notes users whose points do not reach their tier any more. $1: user numbers, $2: when that was seen.
INSERT INTO tier_at_risk (user_no, since) SELECT n.user_no, $2 FROM unnest($1::bigint[]) AS n(user_no) ORDER BY 1
ON CONFLICT (user_no) DO NOTHING
