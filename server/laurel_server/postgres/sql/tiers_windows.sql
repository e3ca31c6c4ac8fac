-- What users had earned before a window began: as kept or, once a month, from the entries in the window. A reversal counts
-- in the month of what it reverses. Who is computed at the same time elsewhere is left out: ask again. $1: user numbers, $2: the first transaction id of the window.
-- Cost: an index look-up a user; once a month the user's entries in the window.
WITH known AS (
    SELECT user_no, earned_before FROM tier_windows WHERE user_no = ANY ($1::bigint[]) AND since = $2::bigint
), computed AS (
    INSERT INTO tier_windows (user_no, since, earned_before)
    SELECT r.user_no, $2::bigint,
           r.lifetime_points - coalesce((
               SELECT sum(coalesce((t.inputs ->> 'lifetime')::bigint, t.points)) FROM reward_transactions t
                WHERE t.user_no = r.user_no AND t.transaction_id >= $2::bigint
                  AND (t.reverses_transaction_id IS NULL OR t.reverses_transaction_id >= $2::bigint)), 0)
      FROM user_rewards r
     WHERE r.user_no = ANY ($1::bigint[]) AND r.user_no NOT IN (SELECT user_no FROM known)
     ORDER BY r.user_no
    ON CONFLICT (user_no) DO UPDATE SET since = excluded.since, earned_before = excluded.earned_before
     WHERE tier_windows.since <> excluded.since
    RETURNING user_no, earned_before
)
SELECT user_no, earned_before FROM known UNION ALL SELECT user_no, earned_before FROM computed
