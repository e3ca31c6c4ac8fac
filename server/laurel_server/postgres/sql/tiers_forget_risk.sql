-- Forgets that users were at risk. $1: user numbers.
DELETE FROM tier_at_risk WHERE user_no = ANY ($1::bigint[])
