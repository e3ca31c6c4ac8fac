-- Keeps what users had earned before the window, where a reversal has changed it. Runs with the users' hot rows locked, after
-- tiers_windows. $1: user numbers, $2: the points. Cost: one index look-up a user.
UPDATE tier_windows w SET earned_before = c.earned_before
  FROM unnest($1::bigint[], $2::bigint[]) AS c(user_no, earned_before) WHERE w.user_no = c.user_no
